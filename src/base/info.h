/* Info structures: the caller sets their size, and gets as much as fits. */
#ifndef PARA_BASE_INFO_H
#define PARA_BASE_INFO_H

#include "base/status.h"

#include <stddef.h>

/* Copies full to *info as far as its size reaches, which is its first member: an older program has
 * a shorter structure. PARA_ERR_ARGUMENT if info is NULL, or its size has no room for a second
 * member or is larger than this version's. */
para_status para__info_fill(void *info, const void *full, size_t full_bytes);

#endif

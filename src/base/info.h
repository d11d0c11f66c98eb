/* Info structures: a caller sets their size, and gets as much as that holds. */
#ifndef PARA_BASE_INFO_H
#define PARA_BASE_INFO_H

#include "base/status.h"

#include <stddef.h>

/* Copies full to *info, whose first member is its size, as far as that reaches: an older program
 * has a shorter structure. PARA_ERR_ARGUMENT if info is NULL, or its size is none that a version
 * had. */
para_status para__info_fill(void *info, const void *full, size_t full_bytes);

#endif

/* Whether bytes are a page (para/page.h). */
#ifndef PARA_OBSERVE_PAGE_CHECK_H
#define PARA_OBSERVE_PAGE_CHECK_H

#include <para/page.h>
#include <stdbool.h>

/* The checksum's word is left out of it. */
enum { PARA__PAGE_SUM_AT = 2 };
#define PARA__PAGE_MAGIC "parapage"

/* Whether the first `bytes` bytes that were read into *page are a page of this version; makes its
 * texts end. PARA_ERR_FILE, PARA_ERR_VERSION, with what they are in the detail, but without the
 * name; *is_torn: read once more, it may be one. */
para_status para__page_check(para_page *page, size_t bytes, bool *is_torn);

#endif

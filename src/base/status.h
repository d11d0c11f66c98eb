/* Status helpers: the detail of the calling thread's last failure. */
#ifndef PARA_BASE_STATUS_H
#define PARA_BASE_STATUS_H

#include <para/status.h>

/* Stores a sentence for para_status_detail; NULL: there is nothing to add. Leaves errno as it
 * was. */
void para__set_detail(const char *format, ...) __attribute__((format(printf, 1, 2), cold));

/* The detail as it is, and set back: around failures that the caller does not get to see. */
enum { PARA__DETAIL_BYTES = 256 };
typedef struct para__detail {
    char text[PARA__DETAIL_BYTES];
} para__detail;
void para__detail_save(para__detail *detail);
void para__detail_restore(const para__detail *detail);

/* para__set_detail, and the status:
 * `return para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));` */
#define para__fail(status, ...) (para__set_detail(__VA_ARGS__), (status))

#endif

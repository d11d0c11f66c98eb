/* Names of functions by their addresses, remembered in fixed memory. */
#ifndef PARA_OBSERVE_NAMES_H
#define PARA_OBSERVE_NAMES_H

#include <stdint.h>

enum { PARA__NAMES_KEPT = 256, PARA__NAME_BYTES = 64 };

typedef struct para__name {
    uintptr_t function; /* 0: none */
    char text[PARA__NAME_BYTES];
} para__name;

/* One thread's at a time; zero at first. */
typedef struct para__names_kept {
    uint64_t unloads; /* of libraries, when the names were looked up */
    para__name name[PARA__NAMES_KEPT];
} para__names_kept;

/* To be called now and then: forgets all names if a library was unloaded, which may have left its
 * addresses to another. */
void para__names_refresh(para__names_kept *names);

/* The function's name; what would break a line or a string is a question mark. Valid until the next
 * call. */
const char *para__name_of(para__names_kept *names, uintptr_t function);

/* The same for any text. */
void para__text_clean(char *to, const char *from, unsigned bytes);

#endif

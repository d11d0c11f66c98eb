/* Files that the program has mapped as buffers. Processes that are forked after that see them at
 * the same addresses. */
#ifndef PARA_PROCESS_MAPPED_H
#define PARA_PROCESS_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct para__mapped {
    const char *begin, *end;
    uint64_t number; /* counted up */
    struct para__mapped *prev, *next;
} para__mapped;

/* A file is mapped there; *mapped lasts until the second function. Any thread. */
void para__mapped_add(para__mapped *mapped, const void *memory, size_t bytes);
void para__mapped_remove(para__mapped *mapped);

/* The number of the latest one; and of the one that has all of these bytes, 0: none. */
uint64_t para__mapped_latest(void);
uint64_t para__mapped_with(const void *memory, size_t bytes);

#endif

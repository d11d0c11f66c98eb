/* Arrays in files: mapped where they can be, else read into memory. */
#ifndef PARA_CLI_ARRAY_H
#define PARA_CLI_ARRAY_H

#include "cli/npy.h"

#include <stdbool.h>

/* A file's bytes in memory. */
typedef struct para__mapping {
    char *begin; /* NULL: there is none */
    size_t bytes;
    int descriptor; /* the mapped file, from its first byte; -1: anonymous memory */
    int flags;      /* MAP_SHARED, or MAP_PRIVATE where that is refused */
    int protection;
} para__mapping;

/* An array whose elements can be reached. */
typedef struct para__array {
    const char *path; /* the name in messages */
    para__npy npy;
    para__mapping mapping;
    void *data; /* the first element; possibly not aligned */
} para__array;

/* "-", /dev/stdin and /dev/fd/0; "-", /dev/stdout and /dev/fd/1. */
bool para__array_is_stdin(const char *path);
bool para__array_is_stdout(const char *path);

/* Opens the array in a file for reading. A pipe or the standard input (see above) is read up to the
 * end of the array. Returns 0, or the exit status after a message. */
int para__array_open(para__array *array, const char *path);
void para__array_close(para__array *array);

/* Gives the array zeroed anonymous memory. Returns false and sets errno if there is none. */
bool para__array_allocate(para__array *array, size_t bytes);

#endif

/* Arrays in files: mapped where they can be, else read into memory. */
#ifndef PARA_CLI_ARRAY_H
#define PARA_CLI_ARRAY_H

#include "cli/npy.h"

#include <stdbool.h>

/* A file's bytes in memory. */
typedef struct para__mapping {
    char *begin; /* NULL: there is none */
    size_t bytes;
    int descriptor; /* of the file that is mapped, from its first byte; -1: memory of our own */
    int flags;      /* how it is mapped: MAP_SHARED, or MAP_PRIVATE where that is refused */
    int protection;
} para__mapping;

/* An array whose elements can be reached. */
typedef struct para__array {
    const char *path; /* as messages name it */
    para__npy npy;
    para__mapping mapping;
    void *data; /* the first element; not aligned where the file does not align it */
} para__array;

/* "-", /dev/stdin and /dev/fd/0; "-", /dev/stdout and /dev/fd/1. */
bool para__array_is_stdin(const char *path);
bool para__array_is_stdout(const char *path);

/* Opens the array in a file to be read; a pipe or the standard input (see above) is read as far as
 * the array goes. Returns 0, or the exit status after having said why not. */
int para__array_open(para__array *array, const char *path);
void para__array_close(para__array *array);

/* Memory for an array that no file lies under, all zero: false and errno if there is none. */
bool para__array_allocate(para__array *array, size_t bytes);

#endif

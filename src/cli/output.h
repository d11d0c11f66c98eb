/* An array in the making. A file appears, and the standard output gets its bytes, when the array is
 * complete. */
#ifndef PARA_CLI_OUTPUT_H
#define PARA_CLI_OUTPUT_H

#include "cli/array.h"
#include "cli/target.h"

typedef struct para__output {
    const char *path;
    bool to_stdout;
    para__target target; /* unless it goes to the standard output */
    char header[PARA__NPY_HEADER_MAX];
    para__array array; /* what the caller fills; its elements are 0 so far */
} para__output;

/* Checks that an array can be put at path ("-": the standard output). Called before any input is
 * read, since a pipe can be read only once. Leaves an existing file alone until the commit: it may
 * be an input. Returns 0, or the exit status after a message. */
int para__output_open(para__output *output, const char *path);

/* Allocates all the space of an array of that type and shape. Returns as above. */
int para__output_begin(para__output *output, const para__npy *npy);

/* Writes the rest and names the file. On failure says why and discards it. Returns 0, or the exit
 * status. */
int para__output_commit(para__output *output);
void para__output_discard(para__output *output);

#endif

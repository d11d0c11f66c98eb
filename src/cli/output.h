/* An array in the making: in a file, which appears when it is complete, or for the standard output,
 * which gets it when it is complete. */
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

/* Makes sure that an array can be put at path ("-": the standard output) before any input is read:
 * what comes through a pipe comes once. An existing file is left alone until the commit, so that it
 * may be an input. Returns 0, or the exit status after having said why not. */
int para__output_open(para__output *output, const char *path);

/* Allocates all the space of an array of that type and shape. Returns as above. */
int para__output_begin(para__output *output, const para__npy *npy);

/* Writes what is not yet written and gives the file its name, or says why not and discards it. */
int para__output_commit(para__output *output);
void para__output_discard(para__output *output);

#endif

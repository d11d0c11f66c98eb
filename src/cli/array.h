/* Arrays in files: mapped to be read, or made anew and given their name when they are complete. */
#ifndef PARA_CLI_ARRAY_H
#define PARA_CLI_ARRAY_H

#include "cli/npy.h"

#include <para/buffer.h>

/* A mapped array. */
typedef struct para__array {
    const char *path;
    para_buffer *buffer;
    para__npy npy;
    void *data;
} para__array;

/* Maps the array in a file to be read. Returns 0, or the exit status after having said why not. */
int para__array_open(para__array *array, const char *path);
void para__array_close(para__array *array);

/* A file in the making. It stands under a name of its own in the folder of its target and is
 * removed when it is discarded or when something ends the process, see ending.h. One at a time. */
typedef struct para__output {
    char *target; /* where it will stand, symbolic links followed */
    int descriptor;
    para__array array; /* what the caller fills; its elements are 0 so far */
} para__output;

/* Begins a file at path for an array of that type and shape, with all its space allocated. An
 * existing file is left alone until the commit, so that it may be an input. Returns as above. */
int para__output_begin(para__output *output, const char *path, const para__npy *npy);

/* Writes the elements to the disk and gives the file its name, or says why not and discards it. */
int para__output_commit(para__output *output);
void para__output_discard(para__output *output);

#endif

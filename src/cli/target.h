/* A file that appears under its name only when it is complete. */
#ifndef PARA_CLI_TARGET_H
#define PARA_CLI_TARGET_H

#include <stdio.h>

/* Where it will stand, and the file in the making: see ending.h. One at a time. */
typedef struct para__target {
    const char *path; /* as given */
    char *resolved;   /* symbolic links followed */
    const char *name; /* the last component of resolved */
    int folder;       /* held open, in case the folder is moved or replaced */
    int descriptor;   /* of the file in the making */
} para__target;

/* Creates the file in the making. Refuses a target that could not be replaced at the end; adds
 * `advice` to the message about a device or a pipe. Returns 0, or the exit status after a
 * message. */
int para__target_create(para__target *target, const char *path, const char *advice);

/* A stream that writes the file in the making; the caller closes it before the commit. NULL after a
 * message, and the file is discarded. */
FILE *para__target_stream(para__target *target);

/* Flushes the file to the disk and renames it. On failure says why and discards it. Returns 0, or
 * the exit status. */
int para__target_commit(para__target *target);
void para__target_discard(para__target *target);

/* Says what is wrong and discards the file. Returns the exit status. */
int para__target_fail(para__target *target, const char *fault);

#endif

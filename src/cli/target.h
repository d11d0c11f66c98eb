/* A file that appears under its name only when it is complete. */
#ifndef PARA_CLI_TARGET_H
#define PARA_CLI_TARGET_H

/* Where it will stand, and the file in the making: see ending.h. One at a time. */
typedef struct para__target {
    const char *path; /* as it was given */
    char *resolved;   /* symbolic links followed */
    const char *name; /* its end, seen from the folder */
    int folder;       /* held open: it may be moved, or another be put in its place */
    int descriptor;   /* of the file in the making */
} para__target;

/* Makes the file in the making. What could not be replaced when it is complete is refused now:
 * advice is added to what is said of a device or a pipe. Returns 0, or the exit status after having
 * said why not. */
int para__target_create(para__target *target, const char *path, const char *advice);

/* Sees to it that the file is on the disk and gives it its name, or says why not and discards it. */
int para__target_commit(para__target *target);
void para__target_discard(para__target *target);

/* Says what is wrong, and discards it. */
int para__target_fail(para__target *target, const char *fault);

#endif

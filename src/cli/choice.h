/* Which kernel a word on the command line means. */
#ifndef PARA_CLI_CHOICE_H
#define PARA_CLI_CHOICE_H

#include "cli/options.h"
#include "kernels/kernels.h"

/* A kernel and the arg of its calls. */
typedef struct para__choice {
    const para_builtin *kernel; /* from the table, or made up of an object's symbols */
    const void *arg;
    para_builtin_arg builtin_arg;
    double values
        [PARA__ARG_MAX]; /* for a kernel from an object: the values of --arg, in their order */
    para_builtin loaded;
    char *name; /* the loaded kernel's, owned */
    void *object;
} para__choice;

/* Finds the kernel for a map or a reduction over so many files, and its arguments. Returns 0, or
 * the exit status after having said what is wrong. */
int para__choice_make(para__choice *choice, const para__request *request, bool reduces);
void para__choice_close(para__choice *choice);

#endif

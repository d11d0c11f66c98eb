/* A kernel that was chosen. */
#ifndef PARA_CLI_CHOSEN_H
#define PARA_CLI_CHOSEN_H

#include "kernels/kernels.h"

#include <stdbool.h>

/* A kernel and the arg of its calls. */
typedef struct para__choice {
    const para_builtin *kernel; /* from the table, or made up of an object's symbols */
    const void *arg;
    para_builtin_arg builtin_arg;
    /* Of a kernel from an object: */
    void *object;   /* NULL: it is from the table */
    double *values; /* PARA__ARG_MAX of them, those of --arg and zeros, in pages of their own */
    para_builtin loaded;
    char *name;         /* OBJECT:SYMBOL, owned */
    const char *symbol; /* its end */
    para_dtype type;    /* of the elements it takes */
    bool says_type;     /* there is a SYMBOL_dtype, */
    bool says_inputs;   /* and a SYMBOL_inputs */
} para__choice;

#endif

/* Names of functions, for people. */
#ifndef PARA_BASE_SYMBOL_H
#define PARA_BASE_SYMBOL_H

#include <stdint.h>

typedef struct para__symbol {
    char name[64];   /* "?": not known */
    char place[128]; /* "file.c:12" of a kernel that a macro has defined, else "program+0x1234" */
} para__symbol;

/* Looks for the function that begins at the address: among the kernels that macros have defined,
 * then in the symbol tables of its program or library, whose file is read. Takes no lock that a
 * constructor within dlopen holds. */
void para__symbol_find(uintptr_t function, para__symbol *symbol);

/* How many libraries were unloaded so far. While that stays, an address means the same function. */
uint64_t para__symbol_unloads(void);

/* How many were loaded so far: while that stays, no function has come. */
uint64_t para__symbol_loads(void);

#endif

/* Kernels from shared objects, made up of functions and of the variables that describe them. */
#ifndef PARA_CLI_LOADED_H
#define PARA_CLI_LOADED_H

#include "cli/chosen.h"
#include "cli/options.h"

/* Makes the kernel of OBJECT:SYMBOL, the first operand, and its arguments. Returns 0, or the exit
 * status after a message; the caller closes the choice in both cases. */
int para__loaded_open(para__choice *choice, const para__request *request, bool reduces);

#endif

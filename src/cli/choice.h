/* Which kernel a word on the command line means. */
#ifndef PARA_CLI_CHOICE_H
#define PARA_CLI_CHOICE_H

#include "cli/chosen.h"
#include "cli/options.h"

/* Finds the kernel for a map or a reduction over that many files, and its arguments. Returns 0, or
 * the exit status after having said what is wrong. */
int para__choice_make(para__choice *choice, const para__request *request, bool reduces);
void para__choice_close(para__choice *choice);

#endif

/* --svg FILE: a command that draws what it says as well. */
#ifndef PARA_CLI_SVG_H
#define PARA_CLI_SVG_H

#include "cli/options.h"
#include "cli/target.h"

#include <stdio.h>

/* Runs the command with the file that it is to draw into; with NULL if none is asked for. Returns
 * the exit status. */
int para__svg_run(const para__request *request,
                  int (*command)(const para__request *request, para__target *target));

/* Has the file drawn and completes it. draw returns 0, or the exit status after it has said what is
 * wrong. Returns 0, or the exit status after a message. */
int para__svg_save(para__target *target, int (*draw)(FILE *to, const void *of), const void *of);

#endif

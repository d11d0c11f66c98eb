/* A trace as a drawing: what each thread did, along the time. */
#ifndef PARA_CLI_TIMELINE_H
#define PARA_CLI_TIMELINE_H

#include "cli/trace_sums.h"

/* Reads the file once more, of which sums are known: what it has gained since by further threads is
 * left out. Returns 0, or the exit status after it has said what is wrong. */
int para__timeline_write(FILE *to, const para__traced *sums, FILE *trace, const char *path);

#endif

/* A trace as a drawing: what each thread did, along the time. */
#ifndef PARA_CLI_TIMELINE_H
#define PARA_CLI_TIMELINE_H

#include "cli/trace_sums.h"

/* Reads the file once more, of which sums are known. False: there is no memory, or it could not be
 * read, which has been said. */
bool para__timeline_write(FILE *to, const para__traced *sums, FILE *trace, const char *path);

#endif

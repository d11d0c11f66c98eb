/* Standard output is held back if it is a file or a pipe, and workers mostly end by a signal: then
 * what they have printed would be lost. Only this stream is written: others have the program's
 * descriptors, which workers have not. */
#include "process/output.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>

static bool may_write;

void para__printing_begin(void)
{
    may_write = true;
}

void para__printing_write(void)
{
    if (may_write && __fpending(stdout))
        fflush(stdout);
}

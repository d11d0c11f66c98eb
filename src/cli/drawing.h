/* The machine as a drawing: nodes, domains, cores and hardware threads, and the workers on them. */
#ifndef PARA_CLI_DRAWING_H
#define PARA_CLI_DRAWING_H

#include "cli/view.h"

/* Writes an SVG document; the stream's error tells whether it arrived. False: no memory. */
bool para__drawing_write(FILE *to, const para__view *view);

#endif

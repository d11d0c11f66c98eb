/* The commands. Each takes what was typed and returns the exit status. */
#ifndef PARA_CLI_COMMANDS_H
#define PARA_CLI_COMMANDS_H

#include "cli/options.h"

int para__command_map(const para__request *request);
int para__command_reduce(const para__request *request);
int para__command_calibrate(const para__request *request);
int para__command_info(const para__request *request);
int para__command_kernels(const para__request *request);
int para__command_top(const para__request *request);
int para__command_trace(const para__request *request);

#endif

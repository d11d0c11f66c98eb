/* What `para info --json` prints. */
#ifndef PARA_CLI_INFO_JSON_H
#define PARA_CLI_INFO_JSON_H

#include "cli/view.h"

void para__info_json(const para__view *view);

#endif

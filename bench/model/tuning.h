/* The engine's constants (src/base/tuning*.h), which are variables in the model. */
#ifndef MODEL_TUNING_H
#define MODEL_TUNING_H

#include <stdbool.h>
#include <stdio.h>

/* Sets one. False: there is none of that name. */
bool tuning_set(const char *name, double value);

/* A line with name and value of each. */
void tuning_list(FILE *stream);

#endif

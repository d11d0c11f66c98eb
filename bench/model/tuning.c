#include "tuning.h"

#include <string.h>

#define PARA__REAL(name, value)  double name = value;
#define PARA__COUNT(name, value) int name = value;
#include "base/tuning.h"
#include "base/tuning_data.h"
#include "base/tuning_locks.h"
#include "base/tuning_memory.h"
#include "base/tuning_observe.h"
#include "base/tuning_processes.h"
#include "base/tuning_tasks.h"

#undef PARA_BASE_TUNING_H
#undef PARA_BASE_TUNING_DATA_H
#undef PARA_BASE_TUNING_LOCKS_H
#undef PARA_BASE_TUNING_MEMORY_H
#undef PARA_BASE_TUNING_OBSERVE_H
#undef PARA_BASE_TUNING_PROCESSES_H
#undef PARA_BASE_TUNING_TASKS_H
#undef PARA__REAL
#undef PARA__COUNT
#define PARA__REAL(name, value)  {#name, &name, NULL},
#define PARA__COUNT(name, value) {#name, NULL, &name},

static const struct {
    const char *name;
    double *real;
    int *count;
} variables[] = {
#include "base/tuning.h"
#include "base/tuning_data.h"
#include "base/tuning_locks.h"
#include "base/tuning_memory.h"
#include "base/tuning_observe.h"
#include "base/tuning_processes.h"
#include "base/tuning_tasks.h"
};
enum { VARIABLES = sizeof variables / sizeof variables[0] };

bool tuning_set(const char *name, double value)
{
    for (unsigned i = 0; i < VARIABLES; i++)
        if (!strcmp(name, variables[i].name)) {
            if (variables[i].real)
                *variables[i].real = value;
            else
                *variables[i].count = (int)value;
            return true;
        }
    return false;
}

void tuning_list(FILE *stream)
{
    for (unsigned i = 0; i < VARIABLES; i++)
        fprintf(stream, "%s %.9g\n", variables[i].name,
                variables[i].real ? *variables[i].real : *variables[i].count);
}

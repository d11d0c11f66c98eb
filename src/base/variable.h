/* Environment variables. */
#ifndef PARA_BASE_VARIABLE_H
#define PARA_BASE_VARIABLE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* All that are para's own; the readers know what they mean. Without PARA_ in front. */
static const char *const para__own_variables[] = {
    "NUM_WORKERS",   "PROC_BIND", "PLACES", "WAIT_POLICY", "STACKSIZE", "DISPLAY_ENV",
    "CHECK_KERNELS", "METRICS",   "REPORT", "TRACE",       "LOG",       "PAGE"};
enum { PARA__OWN_VARIABLES = sizeof para__own_variables / sizeof para__own_variables[0] };

/* Whether para has a variable of the name that an entry of the environment begins with. */
static inline bool para__variable_is_own(const char *entry)
{
    const size_t length = strcspn(entry, "=");
    for (size_t i = 0; length > 5 && i < PARA__OWN_VARIABLES; i++)
        if (strncmp(entry, "PARA_", 5) == 0 && strlen(para__own_variables[i]) == length - 5 &&
            strncmp(entry + 5, para__own_variables[i], length - 5) == 0)
            return true;
    return false;
}

/* A variable's value, or NULL if it is not set or empty. */
static inline const char *para__variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The same of one that names a file, to be written or loaded: not set in a program that runs with
 * more rights than its user, who could name any. */
static inline const char *para__file_variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

/* Whether the value says yes or no, and which. */
#define PARA__TRUTHS "1 or 0, true or false"
static inline bool para__truth(const char *value, bool *truth)
{
    *truth = strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0;
    return *truth || strcmp(value, "0") == 0 || strcasecmp(value, "false") == 0;
}

#endif

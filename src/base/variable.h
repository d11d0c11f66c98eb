/* Environment variables. */
#ifndef PARA_BASE_VARIABLE_H
#define PARA_BASE_VARIABLE_H

#include <stdlib.h>

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

#endif

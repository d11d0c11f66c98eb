/* The table of built-in kernels, in the order in which `para kernels` lists them. */
#include "kernels/families.h"

#include <string.h>

static const para_builtin *const table[] = {
    &para__copy,     &para__scale, &para__axpy, &para__square, &para__sqrt, &para__exp,
    &para__row_norm, &para__sum,   &para__dot,  &para__mean,   &para__min,  &para__max,
};

const para_builtin *para_builtin_at(size_t index)
{
    return index < sizeof table / sizeof table[0] ? table[index] : NULL;
}

const para_builtin *para_builtin_find(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

/* Shared objects as files: what dlopen and dlsym do not say of them. */
#ifndef PARA_CLI_OBJECT_H
#define PARA_CLI_OBJECT_H

#include <stdbool.h>

/* Opens an object by its path, or by its name: then it is looked for in the current folder, and
 * after that where the system looks. Returns the handle for dlsym, or NULL after having said why
 * not. */
void *para__object_open(const char *name);

/* Whether an address that dlsym gave is in this object, and not in one that it is linked with. */
bool para__object_has(void *object, const void *address);

/* Why dlsym does not find a symbol, as the end of a sentence; NULL: it is simply not there. To be
 * freed. nearby: a symbol with a similar name is an explanation, too. */
char *para__object_explain(void *object, const char *symbol, bool nearby);

#endif

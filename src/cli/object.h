/* Shared objects as files: explains what dlopen and dlsym do not. */
#ifndef PARA_CLI_OBJECT_H
#define PARA_CLI_OBJECT_H

#include <stdbool.h>

/* Opens an object by its path. A name without a slash is searched in the current folder first and
 * then where the system searches. Returns the handle for dlsym, or NULL after a message. */
void *para__object_open(const char *name);

/* Whether an address from dlsym is in this object and not in one of its dependencies. */
bool para__object_has(void *object, const void *address);

/* Returns why dlsym does not find a symbol, as the end of a sentence; NULL: no reason is known. The
 * caller frees it. nearby: a symbol with a similar name counts as a reason. */
char *para__object_explain(void *object, const char *symbol, bool nearby);

#endif

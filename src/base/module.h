/* The module that para is a part of: its shared library, or the program or plug-in that a static
 * para is linked into. */
#ifndef PARA_BASE_MODULE_H
#define PARA_BASE_MODULE_H

#include <link.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the address lies in a module that dl_iterate_phdr has come to. */
bool para__module_contains(const struct dl_phdr_info *module, uintptr_t address);

/* From here on dlclose does not unload the module: threads of pools run its code, and those of the
 * default pool do so to the end of the process. A shared libpara is linked so that it stays
 * anyway. */
void para__module_stay(void);

#endif

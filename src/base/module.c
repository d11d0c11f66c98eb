#include "base/module.h"

bool para__module_contains(const struct dl_phdr_info *module, uintptr_t address)
{
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        const uintptr_t start = module->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address - start < segment->p_memsz)
            return true;
    }
    return false;
}

#ifdef PARA_STATIC_
#include <dlfcn.h>
#include <errno.h>

/* A program that is linked statically has no dlopen, and old systems have it in a library of its
 * own. */
#pragma weak dlopen

static int find_name(struct dl_phdr_info *module, size_t size, void *name)
{
    (void)size;
    if (!para__module_contains(module, (uintptr_t)para__module_stay))
        return 0;
    *(const char **)name = module->dlpi_name;
    return 1;
}

void para__module_stay(void)
{
    const char *name = "";
    const int saved = errno;
    dl_iterate_phdr(find_name, &name);
    if (*name && dlopen) /* the program itself has no name, and is never unloaded */
        dlopen(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE); /* finds it: that is its name */
    errno = saved;
}
#else
void para__module_stay(void)
{
}
#endif

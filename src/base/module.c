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

/* Constants that hold addresses are written by the loader, which then protects them. */
static int keeps_address(struct dl_phdr_info *module, size_t size, void *of)
{
    const uintptr_t address = *(const uintptr_t *)of;
    (void)size;
    for (int i = 0; i < module->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
        const uintptr_t start = module->dlpi_addr + segment->p_vaddr;
        const bool is_constant = segment->p_type == PT_GNU_RELRO ||
                                 (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W));
        if (is_constant && address - start < segment->p_memsz)
            return 1;
    }
    return 0;
}

bool para__module_keeps(uintptr_t address)
{
    return dl_iterate_phdr(keeps_address, &address) != 0;
}

static para__key *keys; /* that there are; written by constructors and destructors of the module */

void para__key_make(para__key *key, void (*at_end)(void *value))
{
    key->at_end = at_end;
    key->exists = pthread_key_create(&key->key, at_end) == 0;
    if (!key->exists)
        return;
    key->next = keys;
    keys = key;
}

#ifdef PARA_STATIC_
#include "base/atomic.h"

#include <dlfcn.h>
#include <errno.h>

/* A statically linked program has no dlopen, and old systems have it in a separate library. */
#pragma weak dlopen

static int find_name(struct dl_phdr_info *module, size_t size, void *name)
{
    (void)size;
    if (!para__module_contains(module, (uintptr_t)para__module_stay))
        return 0;
    *(const char **)name = module->dlpi_name;
    return 1;
}

static para__atomic_bool stays; /* a value on its own: orders nothing */

/* The name under which the module can be opened; "" if it is the program, which is never
 * unloaded. */
static const char *own_name(void)
{
    const char *name = "";
    dl_iterate_phdr(find_name, &name);
    return dlopen ? name : "";
}

void para__module_stay(void)
{
    if (para__load_relaxed(&stays))
        return;
    const int saved = errno;
    const char *const name = own_name();
    if (!*name || dlopen(name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)) /* it is found */
        para__store_relaxed(&stays, true);
    errno = saved;
}

/* Runs when the module is unloaded, or when the program ends, after all its other destructors. The
 * calling thread's values end as they do with the thread. Those of other threads are lost: the
 * texts of their last failures. */
__attribute__((destructor(101))) static void delete_keys(void)
{
    if (para__load_relaxed(&stays) || !*own_name())
        return;
    for (para__key *key = keys; key; key = key->next) {
        void *const value = para__key_value(key);
        key->exists = false;
        pthread_key_delete(key->key);
        if (value && key->at_end)
            key->at_end(value);
    }
}
#else
void para__module_stay(void)
{
}
#endif

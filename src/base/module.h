/* The module that para is a part of: its shared library, or the program or plug-in that a static
 * para is linked into. */
#ifndef PARA_BASE_MODULE_H
#define PARA_BASE_MODULE_H

#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the address lies in that module, for use within dl_iterate_phdr. */
bool para__module_contains(const struct dl_phdr_info *module, uintptr_t address);

/* Whether the address lies in code or constants of the program or of a library: what is there never
 * changes. Not while a guard is held: it needs the loader's lock. */
bool para__module_keeps(uintptr_t address);

/* From now on dlclose does not unload the module: threads of pools run its code, and those of the
 * default pool do so until the process ends. A shared libpara is linked so that it stays anyway. If
 * the module does not stay yet, this needs the loader's lock: see base/guard.h. */
void para__module_stay(void);

/* A value for each thread; at_end, if not NULL, runs on it when the thread ends. It is deleted when
 * the module is unloaded. */
typedef struct para__key {
    pthread_key_t key;
    bool exists;
    void (*at_end)(void *value);
    struct para__key *next;
} para__key;

/* Called by a constructor. If the system has no key left, there are no values. */
void para__key_make(para__key *key, void (*at_end)(void *value));

/* The calling thread's value, NULL at first. */
static inline void *para__key_value(const para__key *key)
{
    return key->exists ? pthread_getspecific(key->key) : NULL;
}

/* Whether it could be set. */
static inline bool para__key_set(const para__key *key, void *value)
{
    return key->exists && pthread_setspecific(key->key, value) == 0;
}

#endif

#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <hwloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

static _Atomic int armed_kind, armed_error;
static _Atomic long countdown, failed, held;
static _Atomic bool failing;

void fault_arm(fault_kind kind, long n, int error, bool all)
{
    armed_kind = kind;
    armed_error = error;
    countdown = n;
    failed = 0;
    failing = all;
}

long fault_count(void)
{
    return failed;
}

long fault_held(void)
{
    return held;
}

/* Whether this call is to fail; sets errno then. */
static bool fails(fault_kind kind)
{
    if (armed_kind != (int)kind && (armed_kind != FAULT_ANY || kind >= FAULT_PROCESS))
        return false;
    if (countdown <= 0 && !(failing && failed))
        return false;
    const long before = atomic_fetch_sub(&countdown, 1);
    if (before > 1 || (before < 1 && !failing))
        return false;
    failed++;
    errno = armed_error;
    return true;
}

/* ---- Blocks that free() takes: only those that came from here count ----------------------- */

enum { BLOCKS = 4096 };
static void *blocks[BLOCKS];
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;

/* Puts the pointer `to` in the place of the first `from`; whether there was one. */
static bool exchange(void *from, void *to)
{
    bool found = false;
    pthread_mutex_lock(&blocks_lock);
    for (int i = 0; i < BLOCKS && !found; i++)
        if (blocks[i] == from) {
            blocks[i] = to;
            found = true;
        }
    pthread_mutex_unlock(&blocks_lock);
    return found;
}

static void *handed_out(void *block)
{
    if (block && exchange(NULL, block))
        held++;
    return block;
}

#define WRAP(type, name, ...)        \
    type __real_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__); \
    type __wrap_##name(__VA_ARGS__)

WRAP(void *, malloc, size_t bytes)
{
    return fails(FAULT_MEMORY) ? NULL : handed_out(__real_malloc(bytes));
}

WRAP(void *, calloc, size_t n, size_t bytes)
{
    return fails(FAULT_MEMORY) ? NULL : handed_out(__real_calloc(n, bytes));
}

WRAP(void *, aligned_alloc, size_t alignment, size_t bytes)
{
    return fails(FAULT_MEMORY) ? NULL : handed_out(__real_aligned_alloc(alignment, bytes));
}

WRAP(int, posix_memalign, void **block, size_t alignment, size_t bytes)
{
    if (fails(FAULT_MEMORY))
        return armed_error;
    const int error = __real_posix_memalign(block, alignment, bytes);
    if (error == 0)
        (void)handed_out(*block);
    return error;
}

WRAP(void *, realloc, void *block, size_t bytes)
{
    if (fails(FAULT_MEMORY))
        return NULL;
    held -= block && exchange(block, NULL);
    return handed_out(__real_realloc(block, bytes));
}

WRAP(char *, strdup, const char *text)
{
    return fails(FAULT_MEMORY) ? NULL : handed_out(__real_strdup(text));
}

WRAP(void, free, void *block)
{
    if (block && exchange(block, NULL))
        held--;
    __real_free(block);
}

/* ---- Pages and threads --------------------------------------------------------------- */

WRAP(void *, mmap, void *at, size_t bytes, int protection, int flags, int file, off_t offset)
{
    if (fails(FAULT_PAGES))
        return MAP_FAILED;
    void *pages = __real_mmap(at, bytes, protection, flags, file, offset);
    held += pages == MAP_FAILED ? 0 : (long)bytes;
    return pages;
}

WRAP(int, munmap, void *pages, size_t bytes)
{
    held -= (long)bytes;
    return __real_munmap(pages, bytes);
}

WRAP(int, pthread_create, pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
     void *arg)
{
    if (fails(FAULT_THREAD))
        return armed_error;
    const int error = __real_pthread_create(thread, attributes, run, arg);
    held += error == 0;
    return error;
}

WRAP(int, pthread_join, pthread_t thread, void **result)
{
    held--;
    return __real_pthread_join(thread, result);
}

WRAP(int, sched_setaffinity, pid_t thread, size_t bytes, const cpu_set_t *cpus)
{
    return fails(FAULT_BINDING) ? -1 : __real_sched_setaffinity(thread, bytes, cpus);
}

/* ---- hwloc --------------------------------------------------------------------------- */

static int init(hwloc_topology_t *topology)
{
    const int result = fails(FAULT_TOPOLOGY) ? -1 : hwloc_topology_init(topology);
    held += result == 0;
    return result;
}

static int load(hwloc_topology_t topology)
{
    return fails(FAULT_TOPOLOGY) ? -1 : hwloc_topology_load(topology);
}

static void destroy(hwloc_topology_t topology)
{
    held--;
    hwloc_topology_destroy(topology);
}

/* The library looks its functions up. */
WRAP(void *, dlsym, void *library, const char *name)
{
    if (fails(FAULT_LOADING))
        return NULL;
    if (strcmp(name, "hwloc_topology_init") == 0)
        return (void *)init;
    if (strcmp(name, "hwloc_topology_load") == 0)
        return (void *)load;
    if (strcmp(name, "hwloc_topology_destroy") == 0)
        return (void *)destroy;
    return __real_dlsym(library, name);
}

/* ---- Files --------------------------------------------------------------------------- */

WRAP(FILE *, fopen, const char *path, const char *mode)
{
    FILE *file = fails(FAULT_FILE) ? NULL : __real_fopen(path, mode);
    held += file != NULL;
    return file;
}

WRAP(int, fclose, FILE *file)
{
    held--;
    return __real_fclose(file);
}

WRAP(int, open, const char *path, int flags, ...)
{
    const int file = fails(FAULT_FILE) ? -1 : __real_open(path, flags);
    held += file >= 0;
    return file;
}

WRAP(int, openat, int directory, const char *path, int flags, ...)
{
    const int file = fails(FAULT_FILE) ? -1 : __real_openat(directory, path, flags);
    held += file >= 0;
    return file;
}

WRAP(int, close, int file)
{
    held--;
    return __real_close(file);
}

/* ---- Processes ------------------------------------------------------------------------- */

static int descriptor(int file)
{
    held += file >= 0;
    return file;
}

WRAP(pid_t, fork, void)
{
    return fails(FAULT_PROCESS) ? -1 : __real_fork();
}

WRAP(int, socketpair, int domain, int type, int protocol, int ends[2])
{
    const int result = fails(FAULT_PROCESS) ? -1 : __real_socketpair(domain, type, protocol, ends);
    held += result == 0 ? 2 : 0;
    return result;
}

WRAP(int, memfd_create, const char *name, unsigned flags)
{
    return fails(FAULT_PROCESS) ? -1 : descriptor(__real_memfd_create(name, flags));
}

WRAP(int, ftruncate, int file, off_t bytes)
{
    return fails(FAULT_PROCESS) ? -1 : __real_ftruncate(file, bytes);
}

WRAP(int, eventfd, unsigned count, int flags)
{
    return fails(FAULT_PROCESS) ? -1 : descriptor(__real_eventfd(count, flags));
}

WRAP(long, syscall, long number, ...)
{
    va_list list;
    long a[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_pidfd_open && fails(FAULT_PROCESS)) {
        const int error = errno;
        if (!failing) /* the process that it is to be of goes on meanwhile */
            nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        errno = error;
        return -1;
    }
    const long result = __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    return number == SYS_pidfd_open ? descriptor((int)result) : result;
}

WRAP(int, setrlimit, int resource, const struct rlimit *limit)
{
    return fails(FAULT_LIMIT) ? -1 : __real_setrlimit(resource, limit);
}

WRAP(ssize_t, pread, int file, void *to, size_t bytes, off_t at)
{
    return fails(FAULT_LIMIT) ? -1 : __real_pread(file, to, bytes, at);
}

WRAP(int, prctl, int what, ...)
{
    va_list list;
    unsigned long a[4];
    va_start(list, what);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(list, unsigned long);
    va_end(list);
    return fails(FAULT_LIMIT) ? -1 : __real_prctl(what, a[0], a[1], a[2], a[3]);
}

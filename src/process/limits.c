#include "process/limits.h"

#include "process/sandbox.h"

#include "base/descriptor.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/resource.h>
#include <unistd.h>

/* No more than that, and for what ends a process by a signal first, that much beyond. */
static bool set_limit(int resource, rlim_t most, rlim_t beyond)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return false;
    if (most + beyond < limit.rlim_max)
        limit.rlim_max = most + beyond;
    if (most < limit.rlim_cur)
        limit.rlim_cur = most;
    return setrlimit(resource, &limit) == 0;
}

/* In a worker that may grow so far only: its own statm, from before it is held to anything; and
 * what it began with. */
static int statm_file = -1;
static size_t begun_bytes;

typedef struct footprint {
    size_t space, own; /* bytes: addresses, and memory that is not a file's or shared */
} footprint;

static int open_statm(void)
{
    return para__descriptor_keep(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
}

/* Nothing is allocated. */
static bool read_footprint(int file, footprint *f)
{
    char text[96] = "", *at = text;
    unsigned long pages[3]; /* all, resident, and of these not its own */
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (pread(file, text, sizeof text - 1, 0) <= 0)
        return false;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        pages[i] = strtoul(at, &at, 10);
    f->space = pages[0] * page;
    f->own = (pages[1] - (pages[2] < pages[1] ? pages[2] : pages[1])) * page;
    return true;
}

static para__limit limit_memory(size_t bytes)
{
    footprint f = {0};
    const int file = open_statm();
    const bool is_known = file >= 0 && read_footprint(file, &f);
    if (file >= 0)
        close(file);
    if (!is_known)
        return PARA__LIMIT_GROWTH;
    return set_limit(RLIMIT_AS, f.space + bytes, 0) ? PARA__LIMITS_HOLD : PARA__LIMIT_MEMORY;
}

static bool watch_growth(void)
{
    footprint f;
    statm_file = open_statm();
    if (statm_file < 0 || !read_footprint(statm_file, &f))
        return false;
    begun_bytes = f.own;
    return true;
}

para__limit para__limits_set(const para_processes *processes)
{
    if (!set_limit(RLIMIT_CORE, 0, 0))
        return PARA__LIMIT_CORE;
    const para__limit memory =
        processes->memory_bytes ? limit_memory(processes->memory_bytes) : PARA__LIMITS_HOLD;
    if (memory != PARA__LIMITS_HOLD)
        return memory;
    if (processes->cpu_seconds && !set_limit(RLIMIT_CPU, processes->cpu_seconds, 1))
        return PARA__LIMIT_CPU;
    if (processes->grown_bytes && !watch_growth())
        return PARA__LIMIT_GROWTH;
    if (processes->files && !set_limit(RLIMIT_NOFILE, processes->files + (statm_file >= 0), 0))
        return PARA__LIMIT_FILES;
    return PARA__LIMITS_HOLD;
}

para__limit para__limits_enclose(const para_processes *processes)
{
    const int error = processes->sandbox ? para__sandbox_enter(statm_file) : 0;
    if (error == 0)
        return PARA__LIMITS_HOLD;
    errno = error;
    return PARA__LIMIT_CALLS;
}

void para__limits_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

static bool is_outgrown(size_t most)
{
    footprint f;
    return read_footprint(statm_file, &f) && f.own > begun_bytes && f.own - begun_bytes > most;
}

bool para__limits_outgrown(const para_processes *processes)
{
    if (!processes->grown_bytes || !is_outgrown(processes->grown_bytes))
        return false;
    para__limits_trim();
    return is_outgrown(processes->grown_bytes);
}

const char *para__limit_text(para__limit limit)
{
    static const char *const texts[PARA__LIMITS] = {
        [PARA__LIMITS_HOLD] = "none",
        [PARA__LIMIT_CORE] = "the system does not let workers do without core dumps",
        [PARA__LIMIT_MEMORY] = "the system sets no limit of address space",
        [PARA__LIMIT_CPU] = "the system sets no limit of CPU time",
        [PARA__LIMIT_FILES] = "the system sets no limit of open files",
        [PARA__LIMIT_GROWTH] = "the system does not tell how much memory a worker has (/proc)",
        [PARA__LIMIT_CALLS] = "the system has no filter of system calls (seccomp)",
    };
    return texts[limit];
}

#include "process/limits.h"

#include "process/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
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

/* The address space that the process has; 0: not known. Nothing is allocated. */
static size_t address_space(void)
{
    char text[64] = "";
    const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    const ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    return n > 0 ? (size_t)strtoull(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

static bool limit_memory(size_t bytes)
{
    const size_t begun = address_space();
    return begun != 0 && set_limit(RLIMIT_AS, begun + bytes, 0);
}

para__limit para__limits_set(const para_processes *processes)
{
    if (!set_limit(RLIMIT_CORE, 0, 0))
        return PARA__LIMIT_CORE;
    if (processes->memory_bytes && !limit_memory(processes->memory_bytes))
        return PARA__LIMIT_MEMORY;
    if (processes->cpu_seconds && !set_limit(RLIMIT_CPU, processes->cpu_seconds, 1))
        return PARA__LIMIT_CPU;
    if (processes->files && !set_limit(RLIMIT_NOFILE, processes->files, 0))
        return PARA__LIMIT_FILES;
    return PARA__LIMITS_HOLD;
}

para__limit para__limits_enclose(const para_processes *processes)
{
    const int error = processes->sandbox ? para__sandbox_enter() : 0;
    if (error == 0)
        return PARA__LIMITS_HOLD;
    errno = error;
    return PARA__LIMIT_CALLS;
}

const char *para__limit_text(para__limit limit)
{
    static const char *const texts[PARA__LIMITS] = {
        [PARA__LIMITS_HOLD] = "none",
        [PARA__LIMIT_CORE] = "the system does not let workers do without core dumps",
        [PARA__LIMIT_MEMORY] = "the system sets no limit of address space",
        [PARA__LIMIT_CPU] = "the system sets no limit of CPU time",
        [PARA__LIMIT_FILES] = "the system sets no limit of open files",
        [PARA__LIMIT_CALLS] = "the system has no filter of system calls (seccomp)",
    };
    return texts[limit];
}

#include "process/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers mean other calls to a program for another processor, which some systems run too. */
#if defined(__x86_64__) && defined(__LP64__)
#define OWN_PROCESSOR AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define OWN_PROCESSOR AUDIT_ARCH_AARCH64
#endif

#ifdef OWN_PROCESSOR

/* Whatever their arguments are. The first are the most frequent. */
static const uint32_t harmless[] = {
    SYS_futex,
    SYS_sched_yield,
    SYS_madvise,
    SYS_munmap,
    SYS_brk,
    SYS_mremap,
    SYS_mprotect,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_clock_getres,
    SYS_gettimeofday,
#ifdef SYS_time
    SYS_time,
#endif
    SYS_restart_syscall,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_sigaltstack,
    SYS_exit,
    SYS_exit_group,
    SYS_getpid,
    SYS_gettid,
    SYS_getrusage,
    SYS_times,
    SYS_getcpu,
    SYS_sched_getaffinity,
    SYS_sysinfo,
    SYS_getrandom,
};

enum { HARMLESS = sizeof harmless / sizeof harmless[0], MOST_STEPS = 2 * HARMLESS + 64 };

typedef struct sandbox_program {
    struct sock_filter step[MOST_STEPS];
    unsigned short length;
} sandbox_program;

static void add_step(sandbox_program *p, struct sock_filter step)
{
    p->step[p->length++] = step;
}

static void load_word(sandbox_program *p, size_t offset)
{
    add_step(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* Goes on if the loaded word has that value, else skips so many steps. */
static void unless_skip(sandbox_program *p, uint32_t value, uint8_t steps)
{
    add_step(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, steps));
}

static void answer_with(sandbox_program *p, uint32_t what)
{
    add_step(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* Allows a call if the low half of an argument, and `mask`, is that value. All these arguments are
 * an int, or flags in that half. The word of the number is lost to those that come after. */
static void allow_if(sandbox_program *p, uint32_t call, unsigned argument, uint32_t mask,
                     uint32_t value)
{
    const size_t high_first = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0;
    unless_skip(p, call, 5);
    load_word(p, offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) + high_first);
    add_step(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
    unless_skip(p, value, 1);
    answer_with(p, SECCOMP_RET_ALLOW);
    answer_with(p, SECCOMP_RET_KILL_PROCESS);
}

static void write_program(sandbox_program *p, pid_t own, int readable)
{
    const uint32_t all = UINT32_MAX;
    load_word(p, offsetof(struct seccomp_data, arch));
    unless_skip(p, OWN_PROCESSOR, 1); /* another's word stays loaded, and is no call's number */
    load_word(p, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < HARMLESS; i++) {
        unless_skip(p, harmless[i], 1);
        answer_with(p, SECCOMP_RET_ALLOW);
    }
    allow_if(p, SYS_mmap, 3, MAP_ANONYMOUS, MAP_ANONYMOUS);
    allow_if(p, SYS_tgkill, 0, all, (uint32_t)own);
    allow_if(p, SYS_tkill, 0, all, (uint32_t)own);
    allow_if(p, SYS_kill, 0, all, (uint32_t)own);
    allow_if(p, SYS_write, 0, all, STDERR_FILENO);
    allow_if(p, SYS_writev, 0, all, STDERR_FILENO);
    if (readable >= 0)
        allow_if(p, SYS_pread64, 0, all, (uint32_t)readable);
    answer_with(p, SECCOMP_RET_KILL_PROCESS);
}

int para__sandbox_enter(int readable)
{
    sandbox_program p = {.length = 0};
    write_program(&p, getpid(), readable);
    const struct sock_fprog program = {.len = p.length, .filter = p.step};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return errno;
    return 0;
}

#else

int para__sandbox_enter(int readable)
{
    (void)readable;
    return ENOSYS;
}

#endif

#include "process/zygote.h"

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/tuning_processes.h"
#include "process/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

typedef enum errand_kind { BEAR, REAP } errand_kind;

typedef struct errand {
    errand_kind errand_kind;
    unsigned worker;
    pid_t process;
} errand;

typedef struct reply {
    int error;
    pid_t process;
    int status;
    para__limit limit;
} reply;

/* ---- In the zygote, and in workers ------------------------------------------------------- */

/* What a program has arranged for its own end does not happen in a worker that calls exit: this
 * was registered last, so it comes first. Neither is what the program had not written yet written
 * a second time. */
#ifdef __GLIBC__
static void leave_at_once(int status, void *unused)
{
    (void)unused;
    para__printing_write();
    _exit(status);
}

static void leave_before_handlers(void)
{
    on_exit(leave_at_once, NULL);
}
#else
static void leave_at_once(void)
{
    para__printing_write();
    _exit(EXIT_FAILURE); /* others do not say with what status exit was called */
}

static void leave_before_handlers(void)
{
    atexit(leave_at_once);
}
#endif

static void close_all_but(int kept)
{
    if (syscall(SYS_close_range, (unsigned)STDERR_FILENO + 1, (unsigned)kept - 1, 0) == 0 &&
        syscall(SYS_close_range, (unsigned)kept + 1, ~0u, 0) == 0)
        return;
    struct rlimit limit;
    const int most = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536
                         ? (int)limit.rlim_cur
                         : 65536;
    for (int fd = STDERR_FILENO + 1; fd < most; fd++)
        if (fd != kept)
            close(fd);
}

/* Standard input is nobody's: what a worker read would be lost to the program. */
static void drop_descriptors(int kept)
{
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0 && nothing != STDIN_FILENO) {
        dup2(nothing, STDIN_FILENO);
    }
    close_all_but(kept);
}

/* A program's handlers are not run here; a terminal's signals are for the program alone. */
static void reset_signals(void)
{
    static const int for_program[] = {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU};
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int s = 1; s < NSIG; s++)
        sigaction(s, &plain, NULL); /* not of SIGKILL and SIGSTOP */
    plain.sa_handler = SIG_IGN;
    for (size_t i = 0; i < sizeof for_program / sizeof for_program[0]; i++)
        sigaction(for_program[i], &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Ends with the parent, also if that has ended meanwhile. */
static void end_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
}

static pid_t bear_worker(const para__birth *birth, unsigned worker, int socket)
{
    const pid_t own = getpid();
    const pid_t child = fork();
    if (child != 0)
        return child;
    end_with(own);
    close(socket);
    if (para__limits_set(birth->processes) != PARA__LIMITS_HOLD)
        _exit(EXIT_FAILURE);
    birth->enter(birth->of, worker);
    if (para__limits_enclose(birth->processes) == PARA__LIMITS_HOLD)
        birth->run(birth->of, worker);
    _exit(EXIT_FAILURE);
}

/* Whether the system grants what workers are to be held to: a child tries, and ends. */
static reply try_limits(const para__birth *birth)
{
    reply a = {0};
    const pid_t child = fork();
    if (child == 0) {
        para__limit limit = para__limits_set(birth->processes);
        if (limit == PARA__LIMITS_HOLD)
            limit = para__limits_enclose(birth->processes);
        _exit((int)limit);
    }
    if (child < 0 || waitpid(child, &a.status, 0) < 0)
        a.error = errno;
    else if (!WIFEXITED(a.status))
        a.error = EAGAIN; /* somebody has killed it */
    else if ((a.limit = (para__limit)WEXITSTATUS(a.status)) != PARA__LIMITS_HOLD)
        a.error = ENOTSUP;
    return a;
}

static void answer_program(int socket, const reply *a)
{
    while (send(socket, a, sizeof *a, MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

static void serve_program(const para__birth *birth, int socket)
{
    errand r;
    ssize_t n;
    while ((n = recv(socket, &r, sizeof r, 0)) != 0) {
        reply a = {0};
        if (n != sizeof r)
            continue; /* a signal */
        if (r.errand_kind == BEAR) {
            a.process = bear_worker(birth, r.worker, socket);
            a.error = a.process < 0 ? errno : 0;
        } else {
            while ((a.process = waitpid(r.process, &a.status, 0)) < 0 && errno == EINTR)
                continue;
            a.error = a.process < 0 ? errno : 0;
        }
        answer_program(socket, &a);
    }
}

static void live_as_zygote(const para__birth *birth, int socket, pid_t parent)
{
    end_with(parent);
    setpgid(0, 0);
    reset_signals();
    drop_descriptors(socket);
    __fpurge(stdout);
    __fpurge(stderr);
    leave_before_handlers();
    prctl(PR_SET_NAME, "para zygote");
    const reply tried = try_limits(birth);
    answer_program(socket, &tried);
    serve_program(birth, socket);
    _exit(EXIT_SUCCESS);
}

/* ---- In the program ---------------------------------------------------------------------- */

static int open_life(pid_t process)
{
    return para__descriptor_keep((int)syscall(SYS_pidfd_open, process, 0));
}

/* Whether somebody has stopped it. */
static bool is_stopped(const para__zygote *zygote)
{
    siginfo_t state = {0};
    return waitid(P_PID, (id_t)zygote->process, &state, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           state.si_pid != 0;
}

/* Waits for a reply for as long as one may take; of a zygote that is stopped none comes. */
static int hear_zygote(const para__zygote *zygote, reply *a)
{
    struct pollfd answers = {.fd = zygote->socket, .events = POLLIN};
    const uint64_t end = para__now_ns() + (uint64_t)PARA__ZYGOTE_ANSWER_MS * PARA__NS_OF_MS;
    int n; /* < 0: a signal */
    while ((n = poll(&answers, 1, PARA__ZYGOTE_LOOK_MS)) <= 0)
        if (para__now_ns() >= end || (n == 0 && is_stopped(zygote)))
            return ETIMEDOUT;
    if (recv(zygote->socket, a, sizeof *a, MSG_DONTWAIT) != sizeof *a)
        return EPIPE;
    return a->error;
}

static int ask_zygote(const para__zygote *zygote, const errand *r, reply *a)
{
    if (send(zygote->socket, r, sizeof *r, MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof *r)
        return EPIPE;
    return hear_zygote(zygote, a);
}

int para__zygote_fork(para__zygote *zygote, const para__birth *birth, para__limit *limit)
{
    int ends[2];
    reply tried = {0};
    const pid_t own = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return errno;
    for (int i = 0; i < 2; i++)
        if ((ends[i] = para__descriptor_keep(ends[i])) < 0) {
            const int refused = errno;
            close(ends[!i]);
            return refused;
        }
    const pid_t child = fork();
    if (child == 0)
        live_as_zygote(birth, ends[1], own);
    int error = child < 0 ? errno : 0;
    close(ends[1]);
    const int life = error ? -1 : open_life(child);
    if (!error && life < 0)
        error = errno;
    if (error) {
        close(ends[0]);
        if (child > 0) {
            kill(child, SIGKILL);
            waitpid(child, NULL, 0);
        }
        return error;
    }
    *zygote = (para__zygote){.process = child, .socket = ends[0], .life = life};
    error = hear_zygote(zygote, &tried);
    if (error) {
        *limit = tried.limit;
        para__zygote_kill(zygote);
        para__zygote_leave(zygote, true);
    }
    return error;
}

int para__zygote_bear(const para__zygote *zygote, unsigned worker, pid_t *process, int *life)
{
    reply a;
    int error = ask_zygote(zygote, &(errand){.errand_kind = BEAR, .worker = worker}, &a);
    if (error)
        return error;
    *life = open_life(a.process); /* its number is its own, as nobody has waited for it */
    if (*life >= 0) {
        *process = a.process;
        return 0;
    }
    error = errno;
    kill(a.process, SIGKILL);
    const int reaped = ask_zygote(zygote, &(errand){.errand_kind = REAP, .process = a.process}, &a);
    return reaped == ETIMEDOUT || reaped == EPIPE ? reaped : error;
}

int para__zygote_reap(const para__zygote *zygote, pid_t process, para_death *death, int *number)
{
    reply a;
    const int error = ask_zygote(zygote, &(errand){.errand_kind = REAP, .process = process}, &a);
    if (error)
        return error;
    *death = WIFSIGNALED(a.status) ? PARA_DEATH_SIGNAL : PARA_DEATH_EXIT;
    *number = WIFSIGNALED(a.status) ? WTERMSIG(a.status) : WEXITSTATUS(a.status);
    return 0;
}

bool para__process_signal(int life, int signal)
{
    return syscall(SYS_pidfd_send_signal, life, signal, NULL, 0) == 0;
}

bool para__process_kill(int life)
{
    return para__process_signal(life, SIGKILL);
}

void para__zygote_kill(const para__zygote *zygote)
{
    shutdown(zygote->socket, SHUT_RDWR); /* who may not be killed ends so; copies do not matter */
    (void)para__process_kill(zygote->life);
}

void para__zygote_leave(para__zygote *zygote, bool has_ended)
{
    while (waitpid(zygote->process, NULL, has_ended ? 0 : WNOHANG) < 0 && errno == EINTR)
        continue; /* a program that waits for any child may have been first */
    close(zygote->life);
    close(zygote->socket);
    *zygote = (para__zygote){0};
}

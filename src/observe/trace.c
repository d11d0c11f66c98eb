/* Traces: a thread of para's own takes events out of all threads' rings, and writes them.
 *
 *              start                           stop
 *     OFF ---------------> ON (writer runs) ---------------> OFF
 *
 * Both are made under `tracing`. While a trace is on, its lines are the writer's alone. The writer
 * also writes the end, so that a program's thread gets no signal of a file that is too long. */
#include <para/trace.h>

#include "base/descriptor.h"
#include "base/fork.h"
#include "base/fpenv.h"
#include "base/futex.h"
#include "base/info.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/log.h"
#include "base/thread.h"
#include "base/tuning_observe.h"
#include "base/variable.h"
#include "observe/file.h"
#include "observe/look.h"
#include "observe/trace_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static para__guard tracing = PARA__GUARD_INIT;

/* Under `tracing`, but for what is the writer's. */
static struct {
    unsigned forks; /* the process that takes it; 0: none */
    pthread_t writer;
    para__atomic_u32 stops;           /* the writer is to end; joining it orders the rest */
    para__atomic_u64 events, dropped; /* for those who ask; values on their own */
    para__trace_lines *lines;         /* the writer's */
    unsigned life[PARA__TRACKS];      /* the writer's: of which thread the track's name is told */
    bool replaces;                    /* a file that had something in it */
    uint64_t homeless;                /* before it began */
    uint64_t busy, counted_at, queue; /* the writer's: what it has last counted, */
    uint64_t told_busy, told_queue;   /* and written */
} the_trace;

/* ---- The writer ----------------------------------------------------------------------- */

/* Who has a track now. */
typedef struct owner {
    pid_t pid, tid;
    unsigned life;
    char name[16];
} owner;

/* Takes what is in the thread's ring. The track's next owner waits for that: see base/trace.c. */
static void write_track(para__tracks *tracks, unsigned number)
{
    para__track *const track = &tracks->track[number];
    uint64_t word[PARA__RING_WORDS];
    uint64_t lost = 0;
    owner who;
    para__tracks_lock();
    uint64_t next = track->drained;
    const uint64_t end = para__ring_end(&track->ring);
    who = (owner){.pid = track->pid, .tid = track->tid, .life = track->life};
    memcpy(who.name, track->name, sizeof who.name);
    para__tracks_unlock();
    if (next == end || who.pid == 0) /* of a process whose number is not known yet */
        return;
    if (the_trace.life[number] != who.life)
        para__lines_thread(the_trace.lines, who.pid, who.tid, who.name, number);
    the_trace.life[number] = who.life;
    while (para__ring_take(&track->ring, end, &next, &lost, word))
        para__lines_event(the_trace.lines, who.pid, who.tid, word);
    para__tracks_lock();
    track->drained = next;
    track->lost += lost;
    para__tracks_unlock();
    para__add_relaxed(&the_trace.dropped, lost); /* see above */
    if (lost)
        para__log(PARA_LOG_EVENTS_LOST, lost, "%ju of thread %s", (uintmax_t)lost, who.name);
}

/* How many tasks wait, and how many threads are busy: the mean since the last look. */
static void write_counters(para__tracks *tracks, unsigned used)
{
    const uint64_t now = para__ticks();
    uint64_t sum[PARA__COUNTS];
    para__tracks_lock();
    memcpy(sum, tracks->past, sizeof sum);
    for (unsigned t = 0; t < used; t++)
        for (unsigned i = 0; i < PARA__COUNTS; i++)
            sum[i] += para__load_relaxed(&tracks->track[t].count[i]); /* see base/trace.h */
    para__tracks_unlock();
    const uint64_t over = sum[PARA__COUNT_BEGUN] + sum[PARA__COUNT_DROPPED];
    const uint64_t queue = sum[PARA__COUNT_QUEUED] > over ? sum[PARA__COUNT_QUEUED] - over : 0;
    const uint64_t length = now - the_trace.counted_at;
    const uint64_t busy =
        length
            ? (uint64_t)((double)(sum[PARA__COUNT_BUSY] - the_trace.busy) * 1000 / (double)length)
            : 0;
    const bool is_first = the_trace.counted_at == the_trace.lines->begun;
    if (queue != the_trace.told_queue)
        para__lines_counter(the_trace.lines, now, "queue", "tasks", 1000 * queue);
    if (busy != the_trace.told_busy && !is_first)
        para__lines_counter(the_trace.lines, the_trace.counted_at, "utilisation", "threads", busy);
    the_trace.busy = sum[PARA__COUNT_BUSY];
    the_trace.counted_at = now;
    the_trace.told_queue = queue;
    the_trace.told_busy = is_first ? 0 : busy;
}

static void write_all(para__tracks *tracks)
{
    const unsigned used = para__load_relaxed(&tracks->used); /* a hint */
    para__names_refresh(&the_trace.lines->names);
    for (unsigned t = 0; t < used; t++)
        write_track(tracks, t);
    write_counters(tracks, used);
    para__lines_flush(the_trace.lines);
    para__store_relaxed(&the_trace.events, the_trace.lines->events); /* see above */
}

static void *run_writer(void *arg)
{
    para__tracks *const tracks = arg;
    para__thread_name("para/trace");
    (void)para__fp_swap(PARA__FP_DEFAULT);
    bool stops = false;
    if (the_trace.replaces && ftruncate(the_trace.lines->fd, 0) != 0)
        the_trace.lines->error = errno;
    while (!stops) {
        const uint32_t news = para__load_relaxed(&tracks->news); /* before the look: see trace.h */
        stops =
            para__load_relaxed(&the_trace.stops); /* all that is written after it comes too late */
        write_all(tracks);
        if (!stops)
            para__futex_wait_for(&tracks->news, news, PARA__TRACE_LOOK_NS);
    }
    const uint64_t homeless =
        para__load_relaxed(&tracks->homeless) - the_trace.homeless; /* a count */
    para__add_relaxed(&the_trace.dropped, homeless);
    if (homeless)
        para__log(PARA_LOG_EVENTS_LOST, homeless, "%ju of threads without a track",
                  (uintmax_t)homeless);
    para__lines_end(the_trace.lines, para__load_relaxed(&the_trace.dropped)); /* its own */
    para__process_thread_ends();
    return NULL;
}

/* ---- Starting and stopping ------------------------------------------------------------ */

static bool is_on(void)
{
    return the_trace.forks == para__fork_count();
}

static para_status open_file(const char *path, int *fd)
{
    char full[4096];
    struct stat found;
    if (!para__file_name(full, sizeof full, path))
        return para__fail(PARA_ERR_FILE, "%.80s...: the path is too long", path);
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const int made = para__descriptor_keep(open(full, flags, 0666));
    if (made < 0)
        return para__fail(PARA_ERR_FILE, "%s: %s", full, strerror(errno));
    if (fstat(made, &found) != 0 || !(S_ISREG(found.st_mode) || S_ISCHR(found.st_mode))) {
        close(made);
        return para__fail(PARA_ERR_FILE, "%s: no file", full);
    }
    the_trace.replaces = S_ISREG(found.st_mode) && found.st_size > 0;
    *fd = made;
    return PARA_OK;
}

/* Events that are there already are not the trace's. */
static void skip_former(para__tracks *tracks)
{
    para__tracks_lock();
    for (unsigned t = 0; t < para__load_relaxed(&tracks->used); t++) /* under the guard */
        tracks->track[t].drained = para__ring_end(&tracks->track[t].ring);
    para__tracks_unlock();
}

static para_status start_writer(int fd)
{
    para__tracks *const tracks = para__tracks_get();
    if (!the_trace.lines)
        the_trace.lines = para__pages_map(sizeof *the_trace.lines);
    if (!the_trace.lines)
        return para__fail(PARA_ERR_MEMORY, "a trace's lines");
    skip_former(tracks);
    memset(the_trace.life, 0, sizeof the_trace.life);
    para__lines_begin(the_trace.lines, fd);
    the_trace.homeless =
        para__load_relaxed(&tracks->homeless); /* a count; the others: no writer yet */
    the_trace.counted_at = the_trace.lines->begun;
    the_trace.told_busy = the_trace.told_queue = 0;
    para__store_relaxed(&the_trace.stops, 0);
    para__store_relaxed(&the_trace.events, 0);
    para__store_relaxed(&the_trace.dropped, 0);
    if (!the_trace.replaces) { /* else what is there stays until the writer runs */
        const sigset_t before = para__file_signal_off();
        para__lines_flush(the_trace.lines);
        para__file_signal_restore(&before);
    }
    if (the_trace.lines->error)
        return para__fail(PARA_ERR_FILE, "the trace: %s", strerror(the_trace.lines->error));
    const int error = para__thread_start(&the_trace.writer, &(para__stack){0}, run_writer, tracks);
    return error ? para__fail(PARA_ERR_THREAD, "a trace's writer: %s", strerror(error)) : PARA_OK;
}

static para_status start_trace(const char *path)
{
    int fd = -1;
    if (is_on())
        return para__fail(PARA_ERR_BUSY, "a trace is being taken");
    para_status status = open_file(path, &fd);
    if (status)
        return status;
    status = para__look(PARA__LOOKS_EVENTS);
    if (!status) {
        status = start_writer(fd);
        if (status)
            para__look_away(PARA__LOOKS_EVENTS);
    }
    if (status) {
        close(fd);
        return status;
    }
    the_trace.forks = para__fork_count();
    return PARA_OK;
}

static para_status stop_trace(void)
{
    if (!is_on())
        return para__fail(PARA_ERR_ARGUMENT, "no trace is being taken");
    para__look_away(PARA__LOOKS_EVENTS);
    para__tracks *const tracks = para__tracks_get();
    para__store_relaxed(&the_trace.stops, 1); /* joined below; if the writer has not seen it, it */
    para__add_relaxed(&tracks->news, 1);      /* looks again after its sleep */
    para__futex_wake(&tracks->news, 1);
    pthread_join(the_trace.writer, NULL);
    the_trace.forks = 0;
    para__store_relaxed(&the_trace.events, the_trace.lines->events); /* see above */
    const int failed = close(the_trace.lines->fd) == 0 ? 0 : errno;
    const int error = the_trace.lines->error ? the_trace.lines->error : failed;
    return error ? para__fail(PARA_ERR_FILE, "the trace: %s", strerror(error)) : PARA_OK;
}

para_status para_trace_start(const char *path)
{
    if (!path || !*path)
        return para__fail(PARA_ERR_ARGUMENT, "no path");
    const int saved = errno;
    para__guard_enter(&tracing);
    const para__fp fp = para__fp_save();
    const para_status status = start_trace(path);
    para__fp_restore(fp, 0);
    para__guard_leave(&tracing);
    errno = saved;
    return status;
}

para_status para_trace_stop(void)
{
    const int saved = errno;
    para__guard_enter(&tracing);
    const para_status status = stop_trace();
    para__guard_leave(&tracing);
    errno = saved;
    return status;
}

para_status para_trace_get(para_trace_info *info)
{
    para_trace_info full = {.size = sizeof full};
    para__tracks *const tracks = para__tracks_get();
    para__guard_enter(&tracing);
    full.is_on = is_on();
    full.threads = tracks ? para__load_relaxed(&tracks->used) : 0; /* all: values on their own */
    full.events = para__load_relaxed(&the_trace.events);
    full.dropped = para__load_relaxed(&the_trace.dropped);
    para__guard_leave(&tracing);
    return para__info_fill(info, &full, sizeof full);
}

/* ---- PARA_TRACE ----------------------------------------------------------------------- */

/* The writer has not come along, and the file is the parent's. */
static void forget_trace(void)
{
    if (the_trace.forks && the_trace.lines)
        close(the_trace.lines->fd);
    the_trace.forks = 0;
}

__attribute__((constructor(102))) static void begin_tracing(void)
{
    const char *const path = para__file_variable("PARA_TRACE");
    para__fork_handle(PARA__FORK_TRACE, &tracing, forget_trace);
    if (path && para_trace_start(path))
        para__tell(PARA_LOG_FILE, "PARA_TRACE=%.200s: %s; no trace is taken", path,
                   para_status_detail());
}

__attribute__((destructor)) static void end_tracing(void)
{
    if (is_on() && para_trace_stop() == PARA_ERR_FILE)
        para__tell(PARA_LOG_FILE, "%s", para_status_detail());
}

/* A small server in production: `server SOCKET` answers requests on a Unix socket until SIGTERM.
 *
 * A request is a line, `ID NAME NUMBER`; the answer is one too: `ID ok RESULT`, or `ID` and why
 * not: `busy` (the queue is full), `late` (it has not begun in time), `unknown`, `failing` (the
 * name's breaker is open), `ending`, `error CODE`. Each line that is read is answered once, unless
 * its client has gone; at the end the server prints what it has answered.
 *
 * One thread has the sockets, an epoll loop. It dispatches requests by their names to a pool, and
 * each is a future with a descriptor in the same loop. Everything is bounded: clients, their
 * buffers, requests under way, the pool's queue, and how long a request may wait. */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <inttypes.h>
#include <para/para.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 128, REQUESTS = 256, QUEUED = 64, LINE = 128, REPLY = 64, OUT = 2048 };

static const uint64_t wait_ns = 250000000;   /* a request begins within this time, or not at all */
static const uint64_t grace_ns = 2000000000; /* and ends within this after SIGTERM, or is told to */

/* What an event of the loop is for. */
typedef struct watch {
    void (*ready)(struct watch *self, uint32_t events);
    int fd;
} watch;

typedef struct client {
    watch watch;                      /* the first member */
    bool is_used, has_ended, is_gone; /* has_ended: it sends no more; is_gone: nor does it read */
    unsigned inflight;
    size_t in_bytes, out_bytes;
    char in[LINE], out[OUT];
    para_cancel gone;
} client;

typedef struct request {
    watch watch; /* of its future's descriptor */
    para_request call;
    client *from;
    char id[16];
    uint64_t number, result;
    struct request *next; /* free */
} request;

static client clients[CLIENTS];
static request requests[REQUESTS], *free_requests;
static int poller;
static watch listener, signals;
static bool is_ending, is_listening;
static uint64_t ends_ns;
static para_pool *pool;
static para_cancel stop; /* above each client's */
static unsigned inflight;
static struct {
    unsigned long read, ok, failed, late, refused, dropped;
} counts;

/* ---- What it serves ------------------------------------------------------------------- */

enum { BAD_NUMBER = 1, ENDED = 2 };

static int answer(para_request *r, uint64_t value)
{
    memcpy(r->response, &value, sizeof value);
    r->response_bytes = sizeof value;
    return 0;
}

static uint64_t number_of(const para_request *r)
{
    uint64_t number;
    memcpy(&number, r->request, sizeof number);
    return number;
}

/* How many steps Collatz's sequence takes from the number to 1. */
static int steps(para_request *r, void *arg)
{
    uint64_t at = number_of(r), count = 0;
    (void)arg;
    if (at == 0 || at > 1000000)
        return BAD_NUMBER;
    for (; at > 1; count++)
        at = at % 2 ? 3 * at + 1 : at / 2;
    return answer(r, count);
}

PARA_SUM(count_primes, uint64_t, i)
{
    for (size_t d = 2; d * d <= i; d++)
        if (i % d == 0)
            return 0;
    return i >= 2;
}

/* How many primes there are below the number: a shared call within a task. */
static int primes(para_request *r, void *arg)
{
    const para_setup setup = {.pool = arg};
    const uint64_t below = number_of(r);
    uint64_t count = 0;
    if (below > 1000000)
        return BAD_NUMBER;
    const para_status status = para_reduce_with(&setup, &count, count_primes, below);
    return status ? status : answer(r, count);
}

/* Keeps a thread busy for so many microseconds, or until it is told to end. */
static int spin(para_request *r, void *arg)
{
    const uint64_t until_ns = para_deadline_after(number_of(r) * 1000);
    (void)arg;
    while (para_deadline_after(0) < until_ns)
        if (para_cancel_requested(r->task.cancel))
            return ENDED;
    return answer(r, number_of(r));
}

static bool is_failure(int result)
{
    return result != 0 && result != BAD_NUMBER; /* which is the client's fault */
}

static void serve(const char *name, int (*run)(para_request *, void *), void *arg)
{
    para_entry entry = PARA_ENTRY_INIT;
    entry.run = run;
    entry.arg = arg;
    entry.request_least = entry.request_most = entry.response_least = sizeof(uint64_t);
    entry.breaker.error_percent = 50;
    entry.breaker.is_failure = is_failure;
    para_must(para_register(pool, name, &entry));
}

/* ---- The loop ------------------------------------------------------------------------- */

static bool watch_for(watch *w, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = w};
    return epoll_ctl(poller, operation, w->fd, &event) == 0;
}

static bool has_room(const client *c)
{
    return ((size_t)c->inflight + 1) * REPLY + c->out_bytes <=
           OUT; /* for the answers to all, and one */
}

static void reply(client *c, const char *id, const char *format, uint64_t value)
{
    char text[REPLY];
    int n = snprintf(text, sizeof text, "%s ", id);
    n += snprintf(text + n, sizeof text - (size_t)n, format, value);
    text[n++] = '\n';
    memcpy(c->out + c->out_bytes, text, (size_t)n);
    c->out_bytes += (size_t)n;
}

/* The request's future is ready. */
static void finish(watch *w, uint32_t events)
{
    request *const r = (request *)w;
    client *const c = r->from;
    (void)events;
    switch (para_task_wait(&r->call.task)) { /* without delay */
    case PARA_OK:
        counts.ok++;
        reply(c, r->id, "ok %" PRIu64, r->result);
        break;
    case PARA_ERR_TASK:
        counts.failed++;
        reply(c, r->id, "error %" PRIu64, (uint64_t)r->call.task.result);
        break;
    case PARA_ERR_DEADLINE:
        counts.late++;
        reply(c, r->id, "late", 0);
        break;
    default: /* cancelled: the client has gone, or the server ends */
        counts.dropped++;
        reply(c, r->id, "ending", 0);
    }
    if (w->fd >= 0)
        close(w->fd); /* which ends the watch */
    c->inflight--;
    inflight--;
    r->next = free_requests;
    free_requests = r;
}

static const char *refusal(para_status status)
{
    switch (status) {
    case PARA_ERR_NAME:
        return "unknown";
    case PARA_ERR_OPEN:
        return "failing";
    case PARA_ERR_TIMEOUT:
        return "busy";
    default:
        return "ending";
    }
}

static void take_line(client *c, const char *line)
{
    char id[16] = "-", name[PARA_NAME_BYTES];
    uint64_t number;
    request *const r = free_requests;
    counts.read++;
    if (sscanf(line, "%15s %63s %" SCNu64, id, name, &number) != 3 || is_ending || !r) {
        counts.refused++;
        reply(c, id, is_ending ? "ending" : r ? "bad" : "busy", 0);
        return;
    }
    *r = (request){.watch = {finish, -1}, .from = c, .number = number, .next = r->next};
    r->call.task.deadline_ns = para_deadline_after(wait_ns);
    r->call.task.cancel = &c->gone;
    r->call.task.submitter = (uint32_t)(c - clients) + 1; /* clients take turns */
    memcpy(r->id, id, sizeof id);
    const para_status status = para_dispatch_until(pool, name, &r->number, sizeof r->number,
                                                   &r->result, sizeof r->result, &r->call, 0);
    if (status) {
        counts.refused++;
        reply(c, id, refusal(status), 0);
        return;
    }
    free_requests = r->next;
    c->inflight++;
    inflight++;
    if (para_task_fd(&r->call.task, &r->watch.fd) || !watch_for(&r->watch, EPOLL_CTL_ADD, EPOLLIN))
        finish(&r->watch, 0); /* there is no descriptor left: wait for it here */
}

/* Takes lines as long as there is room for their answers. */
static void take_lines(client *c)
{
    char *end;
    while (has_room(c) && (end = memchr(c->in, '\n', c->in_bytes))) {
        *end++ = 0;
        take_line(c, c->in);
        c->in_bytes -= (size_t)(end - c->in);
        memmove(c->in, end, c->in_bytes);
    }
}

static void lose(client *c)
{
    c->has_ended = c->is_gone = true;
    para_cancel_request(&c->gone); /* what has not begun, need not */
}

static void transfer(watch *w, uint32_t events)
{
    client *const c = (client *)w;
    if (events & EPOLLIN && !c->has_ended && c->in_bytes < LINE) {
        const ssize_t n = recv(w->fd, c->in + c->in_bytes, LINE - c->in_bytes, MSG_DONTWAIT);
        c->in_bytes += n > 0 ? (size_t)n : 0;
        if (n == 0)
            c->has_ended = true;
        else if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
                 (c->in_bytes == LINE && !memchr(c->in, '\n', LINE)))
            lose(c); /* also who sends lines that are too long */
    }
    if (events & (EPOLLERR | EPOLLHUP))
        lose(c); /* nobody would read an answer */
}

/* Writes what there is, and says what the loop is to watch. */
static void settle(client *c)
{
    take_lines(c);
    while (c->out_bytes && !c->is_gone) {
        const ssize_t n = send(c->watch.fd, c->out, c->out_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            lose(c);
        if (n <= 0)
            break;
        c->out_bytes -= (size_t)n;
        memmove(c->out, c->out + n, c->out_bytes);
        take_lines(c);
    }
    if (c->is_gone)
        c->in_bytes = c->out_bytes = 0;
    if (c->has_ended && c->inflight == 0 && c->out_bytes == 0) {
        close(c->watch.fd);
        c->is_used = false;
        return;
    }
    if (c->is_gone) { /* else the loop would be told of that again and again */
        (void)watch_for(&c->watch, EPOLL_CTL_DEL, 0);
        return;
    }
    const bool reads = !c->has_ended && c->in_bytes < LINE;
    (void)watch_for(&c->watch, EPOLL_CTL_MOD,
                    (reads ? EPOLLIN : 0u) | (c->out_bytes ? EPOLLOUT : 0u));
}

static client *free_client(void)
{
    for (client *c = clients; c < clients + CLIENTS; c++)
        if (!c->is_used)
            return c;
    return NULL;
}

static void accept_client(watch *w, uint32_t events)
{
    client *const c = free_client();
    (void)events;
    const int fd = c ? accept4(w->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
    if (fd < 0)
        return;
    *c = (client){.watch = {transfer, fd}, .is_used = true, .gone = {.parent = &stop}};
    if (!watch_for(&c->watch, EPOLL_CTL_ADD, EPOLLIN)) {
        close(fd);
        c->is_used = false;
    }
}

static void begin_ending(watch *w, uint32_t events)
{
    struct signalfd_siginfo info;
    (void)events;
    if (read(w->fd, &info, sizeof info) != sizeof info || is_ending)
        return;
    is_ending = true;
    ends_ns = para_deadline_after(grace_ns);
    close(listener.fd);
}

/* Clients wait in the listener's queue while there are too many. */
static void settle_all(void)
{
    for (client *c = clients; c < clients + CLIENTS; c++)
        if (c->is_used)
            settle(c);
    const bool listens = free_client() != NULL;
    if (!is_ending && listens != is_listening)
        (void)watch_for(&listener, EPOLL_CTL_MOD, listens ? EPOLLIN : 0);
    is_listening = listens;
}

static bool is_over(void)
{
    if (!is_ending)
        return false;
    if (para_deadline_after(0) >= ends_ns)
        para_cancel_request(&stop);
    if (inflight)
        return false;
    for (client *c = clients; c < clients + CLIENTS; c++)
        if (c->is_used && c->out_bytes && !para_cancel_requested(&stop))
            return false;
    return true;
}

static void loop(void)
{
    struct epoll_event event[64];
    while (!is_over()) {
        const int n = epoll_wait(poller, event, 64, is_ending ? 20 : -1);
        for (int i = 0; i < n; i++) {
            watch *const w = event[i].data.ptr;
            w->ready(w, event[i].events);
        }
        settle_all(); /* here alone clients are freed: no event of this round is of another one */
    }
}

static bool begin(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    sigset_t set;
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before the pool's threads, which inherit that */
    poller = epoll_create1(EPOLL_CLOEXEC);
    signals = (watch){begin_ending, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    listener = (watch){accept_client, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    is_listening = true;
    return bind(listener.fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           listen(listener.fd, CLIENTS) == 0 && watch_for(&signals, EPOLL_CTL_ADD, EPOLLIN) &&
           watch_for(&listener, EPOLL_CTL_ADD, EPOLLIN);
}

int main(int argc, char *argv[])
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    if (argc != 2 || !begin(argv[1])) {
        perror(argc == 2 ? argv[1] : "usage: server SOCKET");
        return 1;
    }
    config.task_capacity = QUEUED;
    config.task_order = PARA_TASKS_BY_TURNS;
    config.start = PARA_START_WAIT; /* else the first clients would be told busy */
    para_must(para_pool_create(&pool, &config));
    serve("steps", steps, NULL);
    serve("primes", primes, pool);
    serve("spin", spin, NULL);
    for (int i = 0; i < REQUESTS; i++) {
        requests[i].next = free_requests;
        free_requests = &requests[i];
    }
    printf("listening\n");
    fflush(stdout);
    loop();
    para_pool_destroy(pool);
    unlink(argv[1]);
    printf("%lu requests: %lu answered, %lu failed, %lu late, %lu refused, %lu dropped\n",
           counts.read, counts.ok, counts.failed, counts.late, counts.refused, counts.dropped);
    return counts.read != counts.ok + counts.failed + counts.late + counts.refused + counts.dropped;
}

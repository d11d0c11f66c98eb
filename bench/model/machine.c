/* The simulated machine: time, threads, and what the engine asks of the system. See machine.h. */
#include "thread.h"

#include "base/futex.h"
#include "base/process.h"
#include "base/thread.h"
#include "pool/novice.h"
#include "topology/topology.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK_BYTES = 64 << 10 };
static const double slice_ns = 3e6; /* see machine.h */
static const double doze_ns = 1000; /* a thread that spins looks at the clock this often at least */
static const double syscall_ns = 200;
static const double spawn_ns = 20000;

typedef struct event {
    double at;
    uint64_t number; /* also their order among equals */
    unsigned thread;
} event;

model_machine model_spec;
thread *model_threads;
static unsigned thread_count;
thread *model_self;
static event *heap;
static size_t heap_count, heap_room;
static double hog_phase[MODEL_CORES_MAX]; /* negative: no hog */
static ucontext_t scheduler;
static bool finished;
static para_cpu_info cpus[MODEL_CORES_MAX];
static para__machine described;
uint64_t model_events;

uint64_t model_random(uint64_t *state) /* Steele, Lea and Flood, "Fast Splittable PRNGs", 2014 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* ---- Events --------------------------------------------------------------------------- */

static bool before(const event *a, const event *b)
{
    return a->at < b->at || (a->at == b->at && a->number < b->number);
}

/* Has the thread go on then. */
void model_schedule(thread *t, double at)
{
    if (heap_count == heap_room) {
        heap_room = heap_room ? 2 * heap_room : 1024;
        heap = realloc(heap, heap_room * sizeof *heap);
        if (!heap)
            abort();
    }
    const event e = {.at = at, .number = ++model_events, .thread = (unsigned)(t - model_threads)};
    t->event = e.number;
    size_t i = heap_count++;
    for (; i > 0 && before(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = e;
}

static event next_event(void)
{
    const event first = heap[0];
    const event last = heap[--heap_count];
    size_t i = 0;
    for (size_t child = 1; child < heap_count; child = 2 * i + 1) {
        if (child + 1 < heap_count && before(&heap[child + 1], &heap[child]))
            child++;
        if (!before(&heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

static void leave(void)
{
    swapcontext(&model_self->context, &scheduler);
}

/* Lets all that happens before the calling thread's time happen. */
void model_catch_up(void)
{
    if (heap_count && heap[0].at < model_self->now) {
        model_schedule(model_self, model_self->now);
        leave();
    }
}

/* When a thread that is to run at that time does, seeing that its core may be another's. */
static double on_core(const thread *t, double at)
{
    if (at >= t->off_from && at < t->off_until)
        at = t->off_until;
    const double phase = hog_phase[t->core];
    if (phase >= 0) {
        const uint64_t slices = (uint64_t)((at + phase) / slice_ns);
        if (slices % 2)
            at = (double)(slices + 1) * slice_ns - phase;
    }
    return at;
}

/* The calling thread computes for so long. */
static void spend(double ns)
{
    for (;;) {
        const double start = on_core(model_self, model_self->now);
        double end = start + ns;
        if (model_self->off_from > start && model_self->off_from < end)
            end = model_self->off_from;
        if (hog_phase[model_self->core] >= 0) {
            const double phase = hog_phase[model_self->core];
            const double border = (double)((uint64_t)((start + phase) / slice_ns) + 1) * slice_ns;
            end = border - phase < end ? border - phase : end;
        }
        model_self->now = end;
        ns -= end - start;
        if (ns <= 1e-6)
            return;
    }
}

/* ---- What threads do ----------------------------------------------------------------- */

/* A thread that has all the lines it polls dozes until one is taken from it, or until it may want
 * to look at the clock. */
void model_pause(void)
{
    model_settle();
    const bool doze = !model_self->missed;
    spend(model_spec.pause_ns);
    model_self->round = model_self->now - model_self->paused_at;
    model_self->paused_at = model_self->now;
    model_self->missed = false;
    if (doze && model_self->round < doze_ns) {
        model_self->dozes_from = model_self->now;
        model_schedule(model_self, model_self->now + doze_ns);
        leave();
        model_self->dozes_from = 0;
        model_self->paused_at = model_self->now;
    }
    if (heap_count && heap[0].at < model_self->now)
        model_catch_up();
}

uint64_t model_ticks(void)
{
    model_settle();
    spend(model_spec.clock_ns);
    model_catch_up();
    return (uint64_t)model_self->now;
}

double model_now(void)
{
    return model_self->now;
}

void model_work(double ns)
{
    model_settle();
    spend(ns);
    model_catch_up();
}

void model_preempt(unsigned core, double ns)
{
    for (unsigned i = 0; i < thread_count; i++)
        if (model_threads[i].core == core) {
            model_threads[i].off_from = model_self->now;
            model_threads[i].off_until = model_self->now + ns;
        }
}

/* ---- What the engine asks of the system ----------------------------------------------- */

void para__futex_wait(para__atomic_u32 *word, uint32_t expected)
{
    model_settle();
    spend(syscall_ns);
    model_catch_up();
    if (atomic_load(&word->raw) != expected)
        return;
    model_self->sleeps_on = word;
    model_self->event = 0;
    leave();
    model_self->missed = true;
}

/* The limit of the wait is not modelled: only displaced workers ask for one. */
void para__futex_wait_for(para__atomic_u32 *word, uint32_t expected, uint64_t ns)
{
    (void)ns;
    para__futex_wait(word, expected);
}

/* Nor is that of one for a pool that starts. */
void para__futex_wait_until(para__atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    (void)deadline_ns;
    para__futex_wait(word, expected);
}

void para__futex_wake(para__atomic_u32 *word, int count)
{
    model_settle();
    model_catch_up();
    spend(syscall_ns);
    for (unsigned i = 0; i < thread_count && count > 0; i++)
        if (model_threads[i].sleeps_on == word) {
            model_threads[i].sleeps_on = NULL;
            spend(model_spec.wake_cost_ns);
            model_schedule(&model_threads[i], model_self->now + model_spec.wake_ns);
            count--;
        }
}

static void enter(void)
{
    model_self->run(model_self->arg);
    if (model_self == model_threads)
        finished = true;
    model_self->event = 0;
    leave();
}

void model_start(unsigned core, void *(*run)(void *), void *arg)
{
    if (thread_count == THREADS_MAX)
        abort();
    thread *t = &model_threads[thread_count++];
    t->core = core;
    t->run = run;
    t->arg = arg;
    t->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t->stack == MAP_FAILED || getcontext(&t->context) != 0)
        abort();
    t->context.uc_stack.ss_sp = t->stack;
    t->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&t->context, enter, 0);
    model_schedule(t, model_self ? model_self->now + spawn_ns : spawn_ns);
}

void para__thread_name(const char *name)
{
    (void)name;
}

int para__thread_start(pthread_t *handle, const para__stack *stack, void *(*run)(void *), void *arg)
{
    (void)handle;
    (void)stack;
    model_start((thread_count - 1) % model_spec.cores, run, arg);
    return 0;
}

unsigned para__threads_that_fit(const para__stack *stack, unsigned wanted)
{
    (void)stack;
    return wanted;
}

/* No worker sees that its CPU is contended. */
para__usage para__thread_usage(void)
{
    return (para__usage){0};
}

int para__current_cpu(void)
{
    return (int)model_self->core;
}

void para__process_thread_ends(void)
{
}

const volatile unsigned *para__fork_word = &(const unsigned){0};

unsigned para__count_fork(void)
{
    return 0;
}

void para__after_fork(para__atomic_u32 *known, void (*handle)(void))
{
    (void)known;
    (void)handle;
}

para_pool *para__novice(const para__executor *executor, bool at_any_rate)
{
    (void)executor;
    (void)at_any_rate;
    return NULL;
}

unsigned para__novice_bound(void)
{
    return 1;
}

void para__novice_teach(para_pool *pool)
{
    (void)pool;
}

void para__novice_renew(void)
{
}

para_status para__machine_get_current(const para__machine **m)
{
    *m = &described;
    return PARA_OK;
}

para_status para__machine_load_real(para__machine **m)
{
    (void)m;
    return PARA_ERR_TOPOLOGY;
}

void para__machine_free(para__machine *m)
{
    (void)m;
}

para_status para__places_make(para__places **places, const para__machine *m, const char *text,
                              para__places_fault *fault)
{
    (void)places;
    (void)m;
    (void)text;
    (void)fault;
    return PARA_OK;
}

unsigned para__places_workers(const para__places *places, unsigned used, const para__machine *m)
{
    (void)places;
    (void)used;
    (void)m;
    return 1;
}

para_status para__bind_thread(const para__machine *m, const para__cpus *to)
{
    (void)m;
    (void)to;
    return PARA_OK;
}

para__binding_state para__thread_binding(const para__machine *m, pthread_t worker,
                                         const para__cpus *to)
{
    (void)m;
    (void)worker;
    (void)to;
    return PARA__BOUND;
}

para_status para__place_memory(const para__machine *m, void *memory, size_t bytes,
                               unsigned numa_node, bool moves)
{
    (void)m;
    (void)memory;
    (void)bytes;
    (void)numa_node;
    (void)moves;
    return PARA_OK;
}

bool para__thread_stack(void **low, size_t *bytes)
{
    (void)low;
    (void)bytes;
    return false;
}

bool para__thread_is_narrow(const para__machine *machine)
{
    (void)machine;
    return false;
}

para_status para__unbind_thread(const para__machine *machine)
{
    (void)machine;
    return PARA_OK;
}

/* ---- Running -------------------------------------------------------------------------- */

/* Of the section that machine.h puts thread-local variables in; the linker's names for its ends. */
extern char __start_model_tls[], __stop_model_tls[];

static unsigned node_count(void)
{
    return model_spec.nodes ? model_spec.nodes : model_spec.sockets;
}

void para__machine_distances(const para__machine *m, unsigned from, const unsigned *node,
                             unsigned count, unsigned *distance)
{
    const unsigned nodes_a_socket = node_count() / model_spec.sockets;
    (void)m;
    for (unsigned i = 0; i < count; i++)
        distance[i] = node[i] == from                                     ? 10
                      : node[i] / nodes_a_socket == from / nodes_a_socket ? 12
                                                                          : 32;
}

static void describe(void)
{
    for (unsigned i = 0; i < model_spec.cores; i++)
        cpus[i] =
            (para_cpu_info){.os_index = i,
                            .core = i,
                            .kind = model_spec.slow > 0 && i < model_spec.cores - model_spec.slow,
                            .domain = model_part_of(i, model_spec.domains),
                            .numa_node = model_part_of(i, node_count())};
    described = (para__machine){.info = {.cpus = model_spec.cores,
                                         .cores = model_spec.cores,
                                         .domains = model_spec.domains,
                                         .numa_nodes = node_count(),
                                         .core_kinds = 1 + (model_spec.slow > 0),
                                         .budget = model_spec.cores,
                                         .this_system = true},
                                .cpu_count = model_spec.cores,
                                .cpu = cpus};
}

static void place_hogs(void)
{
    uint64_t random = model_spec.seed;
    for (unsigned i = 0; i < MODEL_CORES_MAX; i++)
        hog_phase[i] = -1;
    for (unsigned placed = 0; placed < model_spec.hogs && placed < model_spec.cores;) {
        const unsigned core = (unsigned)(model_random(&random) % model_spec.cores);
        if (hog_phase[core] >= 0)
            continue;
        hog_phase[core] = (double)(model_random(&random) % (uint64_t)(2 * slice_ns));
        placed++;
    }
}

void model_simulate(const model_machine *m, void (*run)(void *), void *arg)
{
    const size_t tls_bytes = (size_t)(__stop_model_tls - __start_model_tls);
    model_spec = *m;
    model_threads = calloc(THREADS_MAX, sizeof *model_threads);
    if (!model_threads || tls_bytes > TLS_BYTES || model_spec.cores > MODEL_CORES_MAX)
        abort();
    thread_count = 0;
    heap_count = 0;
    finished = false;
    model_events = 0;
    model_self = NULL;
    model_forget_lines();
    describe();
    place_hogs();
    model_start(0, (void *(*)(void *))(void (*)(void))run, arg);
    while (!finished) {
        if (heap_count == 0) {
            fprintf(stderr, "model: all model_threads wait for each other\n");
            abort();
        }
        const event e = next_event();
        thread *t = &model_threads[e.thread];
        if (t->event != e.number)
            continue;
        const double at = on_core(t, e.at);
        if (at > e.at) {
            model_schedule(t, at);
            continue;
        }
        model_self = t;
        model_self->now = e.at > model_self->now ? e.at : model_self->now;
        memcpy(__start_model_tls, model_self->tls, tls_bytes);
        swapcontext(&scheduler, &model_self->context);
        memcpy(model_self->tls, __start_model_tls, tls_bytes);
    }
    for (unsigned i = 0; i < thread_count; i++)
        munmap(model_threads[i].stack, STACK_BYTES);
    free(model_threads);
    model_threads = NULL;
    model_self = NULL;
}

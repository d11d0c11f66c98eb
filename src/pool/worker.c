#include "pool/worker.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/fpenv.h"
#include "base/thread.h"
#include "base/trace.h"
#include "base/tuning.h"
#include "plan/spin_budget.h"
#include "pool/binding.h"
#include "pool/self.h"
#include "pool/size.h"
#include "pool/tasks.h"
#include "share/visit.h"

/* Whether the worker is on its CPU, or its core if that is what it is bound to. */
static bool is_at_home(const para__worker *self)
{
    const para_pool *const pool = self->pool;
    const unsigned home = pool->machine->cpu[self->cpu_index].os_index;
    const unsigned now = (unsigned)para__current_cpu();
    return now == home || (pool->shares_cores && now < pool->cpu_limit &&
                           pool->worker_of_cpu[now] == pool->worker_of_cpu[home]);
}

/* Binds the worker anew if the system has widened its mask, as it does when the CPU is switched off
 * or the process's group gets other CPUs. A worker that is on its CPU asks now and then only. */
static void keep_place(para__worker *self)
{
    const para_pool *pool = self->pool;
    if (pool->binding == PARA_BIND_NONE || para__load_relaxed(&self->bind_status) || pool->shop)
        return;
    if (self->loosening.is_loose) {
        para__worker_looks_around(self, self->yield.begun_usage);
        return;
    }
    if (is_at_home(self) && ++self->wakes % PARA__WAKES_A_LOOK != 0)
        return;
    const para__cpus cpus = para__worker_cpus(self);
    if (para__thread_binding(pool->machine, pthread_self(), &cpus) == PARA__WIDER)
        (void)para__worker_bind(self); /* refused: tried again */
}

/* A source of work. All sources are in a constant table, so that the compiler makes direct calls of
 * them. */
typedef struct source {
    /* Whether there is work that the worker has not looked at. The worker looks once more before it
     * sleeps, so news is written and read with seq_cst [E5]. */
    bool (*has_news)(para_pool *pool, unsigned worker);
    bool (*has_old)(para_pool *pool, unsigned worker); /* for one that spins: see task/ingress.h */
    para__visit (*serve)(para_pool *pool, unsigned worker); /* looks at all of it, and works */
    unsigned rounds; /* that a spinning worker makes between two looks: each may take a line from
                        threads that write it */
} source;

static inline bool calls_have_news(para_pool *pool, unsigned worker)
{
    return para__lanes_have_news(&pool->lanes, worker);
}

static inline para__visit serve_calls(para_pool *pool, unsigned worker)
{
    para__worker *const self = &pool->worker[worker];
    if (self->looks_out && !calls_have_news(pool, worker))
        return PARA__VISIT_NOTHING; /* what comes now is seen in the next round */
    if (self->looks_out)
        para__worker_turn_away(self);
    return para__lanes_serve(&pool->lanes, worker);
}

static const source sources[] = {
    {calls_have_news, calls_have_news, serve_calls, 1},
    {para__tasks_have_news, para__tasks_have_old, para__tasks_serve, PARA__TASK_ROUNDS}};
enum { SOURCES = sizeof sources / sizeof sources[0], OF_CALLS = 1 };

/* Tasks are for the usual workers: two on a core might take longer than one after the other. */
static unsigned sources_of(const para__worker *self)
{
    return self->index < self->pool->usual ? (unsigned)SOURCES : (unsigned)OF_CALLS;
}

/* Whether tasks wait that are for this worker. */
static bool has_tasks(const para__worker *self)
{
    return sources_of(self) > OF_CALLS && para__tasks_have_news(self->pool, self->index);
}

/* In its nth round without work. */
static bool has_news(const para__worker *self, unsigned round)
{
    for (unsigned i = 0; i < sources_of(self); i++)
        if (round % sources[i].rounds == 0 &&
            (round ? sources[i].has_old : sources[i].has_news)(self->pool, self->index))
            return true;
    return false;
}

static para__visit go_round(const para__worker *self)
{
    para__visit outcome = PARA__VISIT_NOTHING;
    for (unsigned i = 0; i < sources_of(self); i++) {
        const para__visit visit = sources[i].serve(self->pool, self->index);
        outcome = visit > outcome ? visit : outcome;
    }
    return outcome;
}

/* Whether the pool has become smaller, and this is no worker of it at present. */
static bool is_left_out(const para__worker *self)
{
    return self->index >= para__pool_workers(self->pool);
}

/* Who was woken for tasks is counted as a lookout already. */
static void end_parking(para__worker *self)
{
    para__helper *helper = &self->pool->lanes.helper[self->index];
    self->looks_out |= para__event_end(&helper->event) == PARA__WORD;
}

/* Sleeps until there may be news, unless there is some already. Nobody tells a displaced worker
 * that its core is free again. It looks by itself after a millisecond, and while no task waits,
 * after twice as long, and so on, to disturb the caller on its core less and less. */
static void park(para__worker *self, bool displaced)
{
    para_pool *pool = self->pool;
    para__helper *helper = &pool->lanes.helper[self->index];
    para__event_prepare(&helper->event);
    para__add_seq_cst(E5, &pool->lanes.sleeping, 1); /* who submits a task looks at it after that */
    const bool was_last = para__worker_look_away(self);
    const bool news = has_news(self, 0);
    if (para__load_seq_cst(E5, &pool->stopping) || (news && !displaced) || is_left_out(self)) {
        para__add_relaxed(&pool->lanes.sleeping, -1u); /* too high for a moment: a look in vain */
        end_parking(self);
        self->away_ns = 0;
        return;
    }
    if (news && was_last)
        para__tasks_pass_on(pool);
    const para__mark since = para__trace_begin();
    if (news || para__load_relaxed(&helper->displaced)) { /* a hint: see lane.h */
        self->away_ns = self->away_ns ? 2 * self->away_ns : PARA__AWAY_LEAST_NS;
        self->away_ns =
            para__min(self->away_ns, has_tasks(self) ? PARA__AWAY_LEAST_NS : PARA__AWAY_MOST_NS);
        para__store_relaxed(&helper->naps, self->away_ns <= PARA__AWAY_LEAST_NS); /* see lane.h */
        para__event_wait_for(&helper->event, self->away_ns);
        para__store_relaxed(&helper->naps, false);
    } else {
        self->away_ns = 0;
        if (para__pool_may_shrink(pool))
            para__event_wait_for(&helper->event, PARA__SIZE_SLEEP_NS);
        else
            para__event_wait(&helper->event);
    }
    para__add_relaxed(&pool->lanes.sleeping, -1u);
    end_parking(self);
    para__trace_end(since, .kind = PARA__EVENT_PARK, .detail = news);
}

/* What such a worker has submitted lies in its deque, for others. */
static void sit_out(para__worker *self)
{
    (void)para__worker_look_away(self);
    if (para__tasks_have_news(self->pool, self->index))
        para__tasks_tell(self->pool);
    para__pool_sit_out(self);
}

/* Leaves its CPU to others for a while. Only the end of the pool wakes it meanwhile. */
static void rest(para__worker *self)
{
    para_pool *pool = self->pool;
    para__helper *helper = &pool->lanes.helper[self->index];
    para__worker_turn_away(self);
    para__event_prepare(&helper->event);
    if (!para__load_relaxed(&pool->stopping)) {             /* missed, it is seen after the rest */
        para__add_relaxed(&helper->displaced, PARA__RESTS); /* a hint: see lane.h */
        para__add_relaxed(&pool->lanes.sleeping, 1);        /* a count on its own */
        const para__mark since = para__trace_begin();
        para__event_wait_for(&helper->event, PARA__REST_NS);
        para__trace_end(since, .kind = PARA__EVENT_PARK, .detail = 1);
        para__add_relaxed(&pool->lanes.sleeping, -1u);
        para__add_relaxed(&helper->displaced, -(uint32_t)PARA__RESTS);
    }
    end_parking(self);
}

/* A worker's time between calls. */
typedef struct idling {
    para__spin_budget budget;
    uint64_t since;     /* when it found nothing to do; 0: it has just worked, or woken */
    uint64_t looked_at; /* the clock */
    bool spun;          /* before the work that it has just done */
    unsigned rounds;
} idling;

/* The worker finds nothing to do, after it has worked or woken. The time since it last read the
 * clock counts as work. */
static void begin_idling(para__worker *self, idling *idle, uint64_t now)
{
    const uint64_t spin_ticks = para__load_relaxed(&self->pool->lanes.spin_ticks); /* see lane.h */
    para__spin_budget_earn(&idle->budget, now - idle->looked_at, spin_ticks);
    if (idle->spun)
        para__spin_budget_earn(&idle->budget, spin_ticks / 2, spin_ticks); /* a wake-up */
    idle->spun = false;
    idle->since = now;
    idle->looked_at = now;
    if (sources_of(self) > OF_CALLS)
        para__worker_look_out(self);
}

/* The worker has worked. If it was spinning before, that is spent now. */
static void end_idling(idling *idle)
{
    if (idle->since)
        para__spin_budget_spend(&idle->budget, idle->looked_at - idle->since);
    idle->spun |= idle->since != 0;
    idle->since = 0;
    idle->rounds = 0;
}

/* Whether it has spun long enough. */
static bool is_over_budget(const para__worker *self, idling *idle, uint64_t now)
{
    if (!idle->since)
        return false;
    idle->looked_at = now;
    if (self->loosening.is_loose)
        return true;
    const uint64_t spin_ticks = para__load_relaxed(&self->pool->lanes.spin_ticks); /* see lane.h */
    return now - idle->since >= para__spin_budget_limit(&idle->budget, spin_ticks);
}

/* Back from sleep. Whoever woke it expects calls. */
static void wake_up(para__worker *self, idling *idle)
{
    const uint64_t spin_ticks = para__load_relaxed(&self->pool->lanes.spin_ticks); /* see lane.h */
    if (idle->since)
        para__spin_budget_spend(&idle->budget, idle->looked_at - idle->since);
    if (para__spin_budget_limit(&idle->budget, spin_ticks) < spin_ticks && !has_news(self, 0))
        para__spin_budget_earn(&idle->budget, spin_ticks, spin_ticks);
    *idle = (idling){.budget = idle->budget, .looked_at = para__ticks()};
    para__yield_restart(&self->yield);
    keep_place(self);
}

/* Looks for work until the pool ends. A worker that has helped looks again at once. One that finds
 * nothing spins for a while, measured in time and not in rounds, and then parks. On a contended CPU
 * it yields: see yield.h. */
void para__worker_live(para__worker *self)
{
    para_pool *pool = self->pool;
    self->looks_out = false;
    idling idle = {.budget.ticks = para__ns_to_ticks(PARA__FIRST_BUDGET_NS),
                   .looked_at = para__ticks()};
    para__yield_init(&self->yield);
    while (!para__load_relaxed(&pool->stopping)) { /* looked at again, in order, before parking */
        if (is_left_out(self)) {
            sit_out(self);
            wake_up(self, &idle);
            continue;
        }
        const uint64_t begun = pool->adapts ? para__ticks() : 0;
        const para__visit visit =
            has_news(self, idle.rounds) ? go_round(self) : PARA__VISIT_NOTHING;
        if (pool->adapts && visit == PARA__VISIT_WORKED)
            para__add_relaxed(&self->busy_ticks, para__ticks() - begun); /* see types.h */
        const bool displaced = visit == PARA__VISIT_DISPLACED;
        if (visit == PARA__VISIT_WORKED && para__pool_is_forked(pool))
            return; /* a kernel has forked: this is the child, and nobody waits here for it */
        if (visit == PARA__VISIT_WORKED) {
            end_idling(&idle);
        } else if (!displaced && idle.since && ++idle.rounds % PARA__ROUNDS_A_LOOK != 0) {
            para__pause();
            continue;
        }
        if (pool->adapts)
            para__pool_look(pool);
        const uint64_t now = para__ticks();
        if (para__yield_is_due(&self->yield, now)) {
            para__worker_is_contended(self, self->yield.failed);
            rest(self);
        } else if (displaced || is_over_budget(self, &idle, now))
            park(self, displaced);
        else {
            if (visit != PARA__VISIT_WORKED && idle.since == 0)
                begin_idling(self, &idle, now);
            continue;
        }
        wake_up(self, &idle);
    }
}

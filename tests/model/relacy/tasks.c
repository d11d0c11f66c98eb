#include "tasks.h"

#include "board.h"
#include "fixture.h"
#include "names.h"

#include "base/memory.h"
#include "base/stack.h"
#include "pool/tasks.h"
#include "pool/telling.h"
#include "pool/types.h"
#include "pool/visit.h"
#include "sync/queue.h"
#include "task/crew.h"
#include "task/state.h"

#include <para/task.h>
#include <stdlib.h>
#include <string.h>

static int (*run_task)(unsigned task);
static void (*task_is_done)(unsigned task);
static para_task tasks[TASKS];
static para_task_group group;
static para__deque deque;

static bool takes_all;

para_status __real_para__ingress_put(para__ingress *in, para_task *task, uint64_t deadline_ns);
unsigned __real_para__ingress_take(para__ingress *in, para_task **taken, para__deque *rest,
                                   unsigned most, unsigned part);

static unsigned number_of(const para_task *task)
{
    return task ? (unsigned)(task - tasks) : TASKS_NONE;
}

static int run(void *arg)
{
    return run_task(number_of(arg));
}

static void done(para_task *task)
{
    task_is_done(number_of(task));
}

void tasks_make(int (*run_one)(unsigned task), void (*done_one)(unsigned task))
{
    run_task = run_one;
    task_is_done = done_one;
    takes_all = false;
    memset(tasks, 0, sizeof tasks);
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i] = (para_task){.run = run, .arg = &tasks[i], .done = done_one ? done : NULL};
        (void)para__load_relaxed(para__task_word(&tasks[i]));
        (void)para__load_relaxed(para__task_waits(&tasks[i]));
    }
}

void tasks_detach(unsigned task)
{
    tasks[task].is_detached = true;
}

/* What is found there by who still thinks it a task is nonsense, and its word a fault. */
void tasks_reuse(unsigned task)
{
    model_forget(&tasks[task].word_);
    model_forget(&tasks[task].waits_);
    memset(&tasks[task], 0xff, sizeof tasks[task]);
    tasks[task] = (para_task){.run = run, .arg = &tasks[task]};
    model_renew(&tasks[task].word_, sizeof tasks[task].word_);
    model_renew(&tasks[task].waits_, sizeof tasks[task].waits_);
}

int tasks_fd(unsigned task)
{
    return para__task_fd(&tasks[task]);
}

/* ---- A group -------------------------------------------------------------------------- */

static void make_queue(const void *key)
{
    para__bucket *bucket = para__bucket_lock(key);
    bucket->first = bucket->last = NULL;
    para__bucket_unlock(bucket);
}

static void touch_group(void)
{
    make_queue((const char *)&group + 2); /* state.c */
    (void)para__load_relaxed(para__group_word(&group));
    (void)para__load_relaxed(para__group_pool(&group));
    (void)para__load_relaxed(para__group_forks(&group));
    (void)para__load_relaxed((para__atomic_u32 *)&group.status_);
}

void tasks_group_make(void)
{
    group = (para_task_group){0};
    touch_group();
}

void tasks_group(unsigned task)
{
    tasks[task].group = &group;
}

void tasks_group_enter(void)
{
    para__group_enter(&group);
}

bool tasks_group_sleep(uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.event = &event};
    if (para__group_await(&group, &waiter)) {
        (void)para__wait(&event, deadline_ns, NULL);
        para__task_await_end(&waiter);
    }
    return para__group_is_over(&group);
}

bool tasks_group_is_over(void)
{
    return para__group_is_over(&group);
}

void tasks_group_reuse(void)
{
    model_forget(&group.word_);
    memset(&group, 0xff, sizeof group);
    group = (para_task_group){0};
    model_renew(&group.word_, sizeof group.word_);
}

bool tasks_group_wait(void)
{
    return para_task_group_wait(&group) == PARA_OK;
}

/* ---- A deque -------------------------------------------------------------------------- */

static void touch_deque(const para__deque *d)
{
    (void)para__load_relaxed(&d->top);
    (void)para__load_relaxed(&d->bottom);
    for (unsigned i = 0; i < PARA__DEQUE_TASKS; i++) {
        (void)para__load_relaxed(&d->slot[i].task);
        (void)para__load_relaxed(&d->slot[i].group);
        (void)para__load_relaxed(&d->slot[i].kin);
    }
}

void tasks_deque_make(void)
{
    memset(&deque, 0, sizeof deque);
    touch_deque(&deque);
    model_chain(&deque.top);
}

bool tasks_push(unsigned task, unsigned depth)
{
    tasks[task].kin_ = para__kin_of(1, depth);
    return para__deque_push(&deque, &tasks[task]);
}

static para__kin least_kin(unsigned depth)
{
    return depth > 1 ? para__kin_of(1, depth) : 0;
}

unsigned tasks_take(unsigned least_depth)
{
    return number_of(para__deque_take(&deque, least_kin(least_depth)));
}

unsigned tasks_steal(unsigned least_depth)
{
    return number_of(para__deque_steal(&deque, least_kin(least_depth)));
}

/* ---- An ingress ----------------------------------------------------------------------- */

static void touch_ingress(const para__ingress *in)
{
    (void)para__load_relaxed(&in->latch.state);
    (void)para__load_relaxed(&in->news);
    (void)para__load_relaxed(&in->lookout.looking);
    (void)para__load_relaxed(&in->arrived);
}

/* The memory of crews: of two that are made at once, one is given back. */
enum { CREWS = 2, SEATS = 3 + TASKS_GUESTS };
static union {
    para__crew crew;
    char bytes[sizeof(para__crew) + SEATS * sizeof(para__seat)];
} crews[CREWS];
static unsigned crew_count;

static void touch_counts(const para__counts *counts)
{
    (void)para__load_relaxed(&counts->accepted);
    (void)para__load_relaxed(&counts->begun);
    for (unsigned i = 0; i < PARA__OUTCOMES; i++)
        (void)para__load_relaxed(&counts->over[i]);
}

static void touch_crew(const para__crew *crew, unsigned seats)
{
    touch_ingress(&crew->ingress);
    touch_counts(&crew->counts);
    for (unsigned i = 0; i < seats; i++) {
        (void)para__load_relaxed(&crew->seat[i].lease);
        touch_counts(&crew->seat[i].counts);
        touch_deque(&crew->seat[i].deque);
    }
}

/* An ingress alone: that of a crew with one seat, whose thread takes what there is. */
static para__crew *const alone = &crews[0].crew;

void tasks_ingress_make(unsigned capacity, bool by_turns)
{
    memset(crews, 0, sizeof crews);
    alone->ingress.takes_turns = by_turns;
    for (unsigned i = 0; i < TASKS; i++)
        tasks[i].submitter = 1 + i;
    alone->ingress.capacity = capacity;
    alone->seats = alone->workers = 1;
    touch_crew(alone, 1);
    make_queue(&alone->ingress.waiting);
}

bool tasks_put(unsigned task, uint64_t deadline_ns)
{
    tasks[task].kin_ = para__kin_of(0, 1);
    return __real_para__ingress_put(&alone->ingress, &tasks[task], deadline_ns) == PARA_OK;
}

unsigned tasks_get(unsigned found[], unsigned most)
{
    para_task *taken;
    unsigned n = 0;
    (void)__real_para__ingress_take(&alone->ingress, &taken, &alone->seat[0].deque, most, 1);
    while (taken) {
        found[n++] = number_of(taken);
        taken = para__deque_take(&alone->seat[0].deque, 0);
    }
    return n;
}

bool tasks_get_one(unsigned task)
{
    bool has_moved;
    return para__crew_take_out(alone, &tasks[task], NULL, &has_moved) != NULL;
}

bool tasks_nobody_waits(void)
{
    return alone->ingress.waiting == 0;
}

/* ---- A task --------------------------------------------------------------------------- */

static void make_queue_of(const para_task *task)
{
    make_queue((const char *)task + 2); /* state.c */
}

void tasks_queue(unsigned task)
{
    memset(crews, 0, sizeof crews);
    touch_crew(alone, SEATS);
    make_queue_of(&tasks[task]);
    para__store_relaxed(para__task_word(&tasks[task]), PARA_TASK_QUEUED);
}

void tasks_carry_out(unsigned task)
{
    const para__host host = para__crew_host(alone, NULL);
    para__task_carry_out(&tasks[task], &host);
}

/* ---- A pool that ends ----------------------------------------------------------------- */

static para__stay stay;

void tasks_stay_make(void)
{
    para__store_relaxed(&stay.pool, 0);
}

bool tasks_enter(void)
{
    para__stay_begin(&stay, fixture_pool());
    return !para__pool_has_ended(fixture_pool());
}

void tasks_enter_unseen(void)
{
    para__stay_begin(&stay, fixture_pool());
}

bool tasks_is_over_inside(unsigned task)
{
    return para__task_is_over_inside(&tasks[task]);
}

bool tasks_group_is_over_inside(void)
{
    return para__group_is_over_inside(&group);
}

static para__atomic_uptr shown;

void tasks_show_pool(void)
{
    para__store_relaxed(&shown, (uintptr_t)fixture_pool());
}

void tasks_hide_pool(void)
{
    para__pool_hide(&shown);
}

bool tasks_enter_shown(void)
{
    para__stay_begin(&stay, fixture_pool());
    return para__pool_is_shown(&shown, fixture_pool());
}

void tasks_leave(void)
{
    para__pool_leave(&stay);
}

void tasks_end_pool(void)
{
    para__intake_set(fixture_pool(), PARA__INTAKE_ENDED);
}

bool tasks_somebody_is_inside(void)
{
    return para__stay_is_in(&stay, fixture_pool());
}

void tasks_crew_make(void)
{
    memset(crews, 0, sizeof crews);
    alone->seats = 2;
    alone->workers = 2;
    touch_crew(alone, 2);
}

void tasks_accept(unsigned seat)
{
    const para__host host = para__crew_host(alone, &alone->seat[seat]);
    para__host_counts(&host, &host.counts->accepted);
}

void tasks_carry_out_in(unsigned task, unsigned seat)
{
    const para__host host = para__crew_host(alone, seat < 2 ? &alone->seat[seat] : NULL);
    para__task_carry_out(&tasks[task], &host);
}

bool tasks_none_is_left(void)
{
    const para__census census = para__crew_census(alone);
    return census.accepted && para__census_left(&census) == 0;
}

bool tasks_sleep(unsigned task, uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.event = &event};
    if (para__task_await(&tasks[task], &waiter)) {
        (void)para__wait(&event, deadline_ns, NULL);
        para__task_await_end(&waiter);
    }
    return para__task_is_over(&tasks[task]);
}

bool tasks_is_over(unsigned task)
{
    return para__task_is_over(&tasks[task]);
}

int tasks_result(unsigned task)
{
    return tasks[task].result;
}

/* ---- A pool --------------------------------------------------------------------------- */

void tasks_pool_make(unsigned threads)
{
    para_pool *pool = fixture_pool();
    const unsigned seats = pool->requested + TASKS_GUESTS;
    pool->has_threads = true;
    pool->task_capacity = 65536;
    para__store_relaxed(&pool->ready, 1);
    para__store_relaxed(&pool->lanes.sleeping, threads);
    memset(crews, 0, sizeof crews);
    crew_count = 0;
    for (unsigned i = 0; i < CREWS; i++)
        touch_crew(&crews[i].crew, seats);
    for (unsigned i = 0; i < TASKS; i++)
        make_queue_of(&tasks[i]);
}

void tasks_take_all(void)
{
    takes_all = true;
}

void tasks_submit(unsigned task)
{
    if (para_submit(fixture_pool(), &tasks[task]))
        abort();
}

int tasks_wait(unsigned task)
{
    return para_task_wait(&tasks[task]) ? -1 : tasks[task].result;
}

PARA__THREAD_LOCAL para__stays para__own_stays; /* listed nowhere */

/* In place of src/pool/inside.c and visit.c: no model but those of a pool that ends enters one. */
void para__pool_note_anew(const para_pool *pool, para__stay **of)
{
    (void)pool;
    *of = NULL;
}

para_status para__pool_visit(para_pool **pool, para__stay **of)
{
    (void)pool;
    *of = NULL;
    return PARA_OK;
}

void para__watches_tell_all(para_pool *pool)
{
    (void)pool;
}

para_status para__pool_refuses(para_pool *pool, bool of_tasks)
{
    (void)pool;
    (void)of_tasks;
    return PARA_OK;
}

/* Crews and seats are plain memory, which an edge publishes: what the linker lets in between shows
 * it to Relacy. */
void *__wrap_para__alloc(size_t bytes);
void __wrap_para__free(void *memory);
para_task *__real_para__crew_find(para__crew *crew, para__seat *seat, para__kin least);
para_task *__wrap_para__crew_find(para__crew *crew, para__seat *seat, para__kin least);
para_status __wrap_para__ingress_put(para__ingress *in, para_task *task, uint64_t deadline_ns);
unsigned __wrap_para__ingress_take(para__ingress *in, para_task **taken, para__deque *rest,
                                   unsigned most, unsigned part);
para__seat *__real_para__seat_lease(para__crew *crew);
para__seat *__wrap_para__seat_lease(para__crew *crew);
void __real_para__seat_release(para__seat *seat);
void __wrap_para__seat_release(para__seat *seat);

void *__wrap_para__alloc(size_t bytes)
{
    void *const region = board_alloc();
    void *const node = region ? region : names_alloc(bytes);
    if (node)
        return node;
    if (crew_count == CREWS || bytes > sizeof crews[0])
        abort();
    model_watch(&crews[crew_count]);
    return &crews[crew_count++];
}

void __wrap_para__free(void *memory)
{
    model_watch(memory);
}

para_task *__wrap_para__crew_find(para__crew *crew, para__seat *seat, para__kin least)
{
    model_see(crew);
    return __real_para__crew_find(crew, seat, least);
}

para_status __wrap_para__ingress_put(para__ingress *in, para_task *task, uint64_t deadline_ns)
{
    model_see(in); /* a crew's address is that of its first member */
    return __real_para__ingress_put(in, task, deadline_ns);
}

unsigned __wrap_para__ingress_take(para__ingress *in, para_task **taken, para__deque *rest,
                                   unsigned most, unsigned part)
{
    const unsigned n = __real_para__ingress_take(in, taken, rest, most, takes_all ? 1 : part);
    if (takes_all && n > 1)
        model_taken();
    return n;
}

para__seat *__wrap_para__seat_lease(para__crew *crew)
{
    para__seat *seat = __real_para__seat_lease(crew);
    if (seat)
        model_watch(seat);
    return seat;
}

void __wrap_para__seat_release(para__seat *seat)
{
    model_watch(seat);
    __real_para__seat_release(seat);
}

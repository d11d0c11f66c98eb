/* Tasks: submitted from outside, from many threads and from tasks, and waited for; alone, all
 * together, any of several, and in groups. On pools of one worker and of more. */
#include "../common/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic unsigned faults;
static para_pool *pool;

static void fault_unless(bool is_right)
{
    faults += !is_right;
}

static void each_pool(void (*check)(void))
{
    static const unsigned workers[] = {1, 2, 3, 8};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        pool = check_pool(workers[i]);
        check();
        para_pool_destroy(pool);
        assert_int_equal(faults, 0);
    }
}

/* ---- One after the other, and many ---------------------------------------------------- */

static int count_up(void *arg)
{
    ++*(_Atomic unsigned *)arg;
    return 0;
}

static int return_it(void *arg)
{
    return *(int *)arg;
}

static void check_one(void)
{
    _Atomic unsigned count = 0;
    para_task task = {.run = count_up, .arg = &count};
    for (unsigned i = 1; i <= 100; i++) { /* the same memory again and again */
        OK(para_submit(pool, &task));
        OK(para_task_wait(&task));
        OK(para_task_wait(&task));
        assert_true(para_task_is_over(&task));
        assert_int_equal(count, i);
    }
    int value = -7;
    para_task failing = {.run = return_it, .arg = &value};
    OK(para_submit(pool, &failing));
    FAILS(PARA_ERR_TASK, para_task_wait(&failing));
    assert_int_equal(failing.result, -7);
    assert_int_equal(failing.status, PARA_ERR_TASK);
    assert_non_null(strstr(para_status_detail(), "-7"));
}

TEST(a_task_runs_and_its_result_is_seen)
{
    each_pool(check_one);
}

enum { MANY = 5000, SUBMITTERS = 4 };

static void *submit_many(void *arg)
{
    para_task *tasks = calloc(MANY, sizeof *tasks);
    for (unsigned i = 0; i < MANY; i++) {
        tasks[i] = (para_task){.run = count_up, .arg = arg, .priority = i % 4};
        fault_unless(para_submit(pool, &tasks[i]) == PARA_OK);
    }
    for (unsigned i = 0; i < MANY; i++)
        fault_unless(para_task_wait(&tasks[i]) == PARA_OK);
    free(tasks);
    return NULL;
}

static void check_many(void)
{
    pthread_t thread[SUBMITTERS];
    _Atomic unsigned count = 0;
    for (unsigned i = 0; i < SUBMITTERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, submit_many, (void *)&count), 0);
    for (unsigned i = 0; i < SUBMITTERS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(count, SUBMITTERS * MANY);
}

TEST(many_threads_submit)
{
    each_pool(check_many);
}

TEST(the_default_pool_runs_tasks)
{
    pool = NULL;
    check_many();
}

/* ---- Recursion ------------------------------------------------------------------------ */

typedef struct fib {
    unsigned n;
    uint64_t value;
} fib;

static int run_fib(void *arg)
{
    fib *f = arg;
    if (f->n < 2) {
        f->value = f->n;
        return 0;
    }
    fib a = {.n = f->n - 1}, b = {.n = f->n - 2};
    para_task task = {.run = run_fib, .arg = &a};
    fault_unless(para_submit(pool, &task) == PARA_OK);
    (void)run_fib(&b);
    fault_unless(para_task_wait(&task) == PARA_OK);
    f->value = a.value + b.value;
    return 0;
}

static void check_fib(void)
{
    fib f = {.n = 19};
    para_task task = {.run = run_fib, .arg = &f};
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(f.value, 4181);
}

TEST(fibonacci)
{
    each_pool(check_fib);
}

typedef struct span {
    int *first;
    size_t count;
} span;

static int by_value(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static int quicksort(void *arg)
{
    const span s = *(span *)arg;
    if (s.count < 64) {
        qsort(s.first, s.count, sizeof *s.first, by_value);
        return 0;
    }
    const int pivot = s.first[s.count / 2];
    size_t below = 0, i = 0, above = s.count;
    while (i < above) {
        const int x = s.first[i];
        if (x < pivot) {
            s.first[i++] = s.first[below];
            s.first[below++] = x;
        } else if (x > pivot) {
            s.first[i] = s.first[--above];
            s.first[above] = x;
        } else {
            i++;
        }
    }
    span left = {s.first, below}, right = {s.first + above, s.count - above};
    para_task_group group = {0};
    para_task task = {.run = quicksort, .arg = &left, .group = &group};
    PARA_WITH_TASKS(&group)
    {
        fault_unless(para_submit(pool, &task) == PARA_OK);
        (void)quicksort(&right);
    }
    fault_unless(para_task_group_wait(&group) == PARA_OK);
    return 0;
}

static void check_quicksort(void)
{
    enum { N = 20000 };
    static int sorted[N], expected[N];
    uint64_t random = 7;
    for (unsigned i = 0; i < N; i++)
        sorted[i] = expected[i] = (int)check_below(&random, N);
    qsort(expected, N, sizeof expected[0], by_value);
    span all = {sorted, N};
    para_task task = {.run = quicksort, .arg = &all};
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_memory_equal(sorted, expected, sizeof sorted);
}

TEST(quicksort_in_groups)
{
    each_pool(check_quicksort);
}

/* A tree that grows as it is walked: tasks are detached, and free themselves. */
typedef struct node {
    para_task task;
    unsigned depth;
} node;

static _Atomic unsigned nodes_run, nodes_freed;

static void free_node(para_task *task)
{
    nodes_freed++;
    free(task);
}

static para_task_group *walk;

static int visit_node(void *arg)
{
    const node *self = arg;
    nodes_run++;
    for (unsigned i = 0; self->depth && i < 3; i++) {
        node *child = calloc(1, sizeof *child);
        child->depth = self->depth - 1;
        child->task = (para_task){
            .run = visit_node, .arg = child, .group = walk, .is_detached = true, .done = free_node};
        fault_unless(para_submit(pool, &child->task) == PARA_OK);
    }
    return 0;
}

static void check_walk(void)
{
    para_task_group group = {0};
    node *root = calloc(1, sizeof *root);
    walk = &group;
    nodes_run = nodes_freed = 0;
    root->depth = 6;
    root->task = (para_task){
        .run = visit_node, .arg = root, .group = &group, .is_detached = true, .done = free_node};
    OK(para_submit(pool, &root->task));
    OK(para_task_group_wait(&group));
    assert_int_equal(nodes_run, 1093); /* (3^7 - 1) / 2 */
    assert_int_equal(nodes_freed, 1093);
}

TEST(a_walk_of_detached_tasks_in_a_group)
{
    each_pool(check_walk);
}

enum { QUEENS = 8 };

typedef struct board {
    unsigned row;
    unsigned char column[QUEENS];
    unsigned found;
} board;

static bool is_safe(const board *b, unsigned column)
{
    for (unsigned r = 0; r < b->row; r++)
        if (b->column[r] == column || b->column[r] + (b->row - r) == column ||
            b->column[r] == column + (b->row - r))
            return false;
    return true;
}

static int place_queens(void *arg)
{
    board *b = arg, next[QUEENS];
    para_task task[QUEENS];
    para_task *all[QUEENS];
    unsigned n = 0;
    if (b->row == QUEENS) {
        b->found = 1;
        return 0;
    }
    for (unsigned column = 0; column < QUEENS; column++) {
        if (!is_safe(b, column))
            continue;
        next[n] = *b;
        next[n].column[next[n].row++] = (unsigned char)column;
        task[n] = (para_task){.run = place_queens, .arg = &next[n]};
        all[n] = &task[n];
        fault_unless(para_submit(pool, &task[n++]) == PARA_OK);
    }
    fault_unless(para_wait_all(all, n, PARA_DEADLINE_NEVER) == PARA_OK);
    for (unsigned i = 0; i < n; i++)
        b->found += next[i].found;
    return 0;
}

static void check_queens(void)
{
    board b = {.row = 0};
    para_task task = {.run = place_queens, .arg = &b};
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(b.found, 92);
}

TEST(queens)
{
    each_pool(check_queens);
}

/* A chain: each task submits the next, and nobody waits for one. No stack grows by it. */
static _Atomic unsigned chain_left;
static para_task chain[2];

static int run_link(void *arg)
{
    const unsigned left = --chain_left;
    para_task *next = arg == &chain[0] ? &chain[1] : &chain[0];
    if (left == 0)
        return 0;
    *next = (para_task){.run = run_link, .arg = next, .is_detached = true};
    fault_unless(para_submit(pool, next) == PARA_OK);
    return 0;
}

static void check_chain(void)
{
    chain_left = 200000;
    chain[0] = (para_task){.run = run_link, .arg = &chain[0], .is_detached = true};
    OK(para_submit(pool, &chain[0]));
    while (chain_left)
        sched_yield();
}

TEST(a_long_chain)
{
    each_pool(check_chain);
}

/* ---- Waiting -------------------------------------------------------------------------- */

static _Atomic bool is_open;
static _Atomic unsigned begun;

static int pass_gate(void *arg)
{
    begun++;
    while (!is_open)
        usleep(50);
    return count_up(arg);
}

/* Workers that wait for a task from outside which nobody has begun run it themselves. */
static para_task awaited_by_all;

static int wait_for_it(void *arg)
{
    (void)arg;
    while (!is_open)
        sched_yield();
    return para_task_wait(&awaited_by_all) ? 1 : 0;
}

TEST(workers_that_all_wait_for_a_queued_task_run_it)
{
    enum { WORKERS = 3 };
    pool = check_pool(WORKERS);
    for (unsigned round = 0; round < 50; round++) {
        _Atomic unsigned count = 0;
        para_task waiting[WORKERS + 1];
        is_open = false;
        for (unsigned i = 0; i <= WORKERS; i++) {
            waiting[i] = (para_task){.run = wait_for_it};
            OK(para_submit(pool, &waiting[i]));
        }
        awaited_by_all = (para_task){.run = count_up, .arg = (void *)&count};
        OK(para_submit(pool, &awaited_by_all));
        is_open = true;
        for (unsigned i = 0; i <= WORKERS; i++)
            OK(para_task_wait(&waiting[i]));
        OK(para_task_wait(&awaited_by_all));
        assert_int_equal(count, 1);
    }
    para_pool_destroy(pool);
}

/* As before, for a task that another task has submitted, and that lies in a deque behind others. */
typedef struct buried {
    para_task task[8], waiter[2];
    _Atomic unsigned ready, count;
} buried;

static int bury(void *arg)
{
    buried *b = arg;
    for (unsigned i = 0; i < COUNT_OF(b->task); i++) {
        b->task[i] = (para_task){.run = count_up, .arg = (void *)&b->count};
        fault_unless(para_submit(pool, &b->task[i]) == PARA_OK);
    }
    b->ready++;
    while (b->count == 0) /* this thread runs none of them */
        sched_yield();
    return 0;
}

static int dig_up(void *arg)
{
    buried *b = arg;
    while (b->ready == 0)
        sched_yield();
    return para_task_wait(&b->task[5]) ? 1 : 0;
}

TEST(a_task_in_the_middle_of_a_deque_is_found)
{
    pool = check_pool(2);
    for (unsigned round = 0; round < 50; round++) {
        buried b = {.ready = 0};
        para_task burying = {.run = bury, .arg = &b};
        para_task digging = {.run = dig_up, .arg = &b};
        OK(para_submit(pool, &burying));
        OK(para_submit(pool, &digging));
        OK(para_task_wait(&digging));
        OK(para_task_wait(&burying));
        for (unsigned i = 0; i < COUNT_OF(b.task); i++)
            OK(para_task_wait(&b.task[i]));
        assert_int_equal(b.count, COUNT_OF(b.task));
    }
    para_pool_destroy(pool);
}

/* A task waits for one of another pool, whose thread waits for a task of the first. */
static para_pool *other;
static para_task theirs, ours;

static int run_ours(void *arg)
{
    return count_up(arg);
}

static int wait_for_ours(void *arg)
{
    (void)arg;
    return para_task_wait(&ours) ? 1 : 0;
}

static int wait_for_theirs(void *arg)
{
    ours = (para_task){.run = run_ours, .arg = arg};
    theirs = (para_task){.run = wait_for_ours};
    fault_unless(para_submit(pool, &ours) == PARA_OK);
    fault_unless(para_submit(other, &theirs) == PARA_OK);
    fault_unless(para_task_wait(&theirs) == PARA_OK);
    return para_task_wait(&ours) ? 1 : 0;
}

TEST(tasks_of_two_pools_wait_for_each_others)
{
    pool = check_pool(2);
    other = check_pool(2);
    for (unsigned round = 0; round < 200; round++) {
        _Atomic unsigned count = 0;
        para_task task = {.run = wait_for_theirs, .arg = (void *)&count};
        OK(para_submit(pool, &task));
        OK(para_task_wait(&task));
        assert_int_equal(count, 1);
    }
    para_pool_destroy(other);
    para_pool_destroy(pool);
    assert_int_equal(faults, 0);
}

static _Atomic unsigned done_first;

static void wait_in_done(para_task *task)
{
    (void)task;
    fault_unless(para_task_wait(&awaited_by_all) == PARA_OK);
    fault_unless(para_task_wait(task) == PARA_ERR_DEADLOCK);
    done_first = 1;
}

static void check_waits_in_done(void)
{
    _Atomic unsigned count = 0;
    done_first = 0;
    awaited_by_all = (para_task){.run = count_up, .arg = (void *)&count};
    para_task task = {.run = count_up, .arg = (void *)&count, .done = wait_in_done};
    OK(para_submit(pool, &awaited_by_all));
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(done_first, 1);
    OK(para_task_wait(&awaited_by_all));
    assert_int_equal(count, 2);
}

TEST(done_may_wait_and_is_called_before_a_wait_returns)
{
    static const unsigned workers[] = {2, 3};
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        pool = check_pool(workers[i]);
        for (unsigned round = 0; round < 50; round++)
            check_waits_in_done();
        para_pool_destroy(pool);
    }
    assert_int_equal(faults, 0);
}

/* Within a kernel: submitted, and waited for. */
static int submit_in_kernel(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        _Atomic unsigned count = 0;
        para_task task = {.run = count_up, .arg = (void *)&count};
        fault_unless(para_submit(pool, &task) == PARA_OK);
        fault_unless(para_task_wait(&task) == PARA_OK);
        fault_unless(count == 1);
    }
    return 0;
}

static void check_kernels(void)
{
    OK(para_pmap(pool, &(para_map){.kernel = submit_in_kernel,
                                   .count = 500,
                                   .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}));
}

TEST(kernels_submit_and_wait)
{
    each_pool(check_kernels);
}

TEST(a_wait_gives_up)
{
    pool = check_pool(2);
    _Atomic unsigned count = 0;
    para_task task[4];
    para_task *all[4];
    size_t which = 99;
    para_task_group group = {0};
    is_open = false;
    for (unsigned i = 0; i < 4; i++) {
        task[i] = (para_task){.run = pass_gate, .arg = (void *)&count, .group = &group};
        all[i] = &task[i];
        OK(para_submit(pool, all[i]));
    }
    FAILS(PARA_ERR_TIMEOUT, para_task_wait_until(&task[0], 0));
    FAILS(PARA_ERR_TIMEOUT, para_wait_all(all, 4, 0));
    FAILS(PARA_ERR_TIMEOUT, para_wait_any(all, 4, 0, &which));
    FAILS(PARA_ERR_TIMEOUT, para_task_group_wait_until(&group, 0));
    assert_int_equal(which, 99);
    is_open = true;
    OK(para_task_group_wait(&group));
    OK(para_wait_all(all, 4, 0));
    OK(para_wait_any(all, 4, 0, &which));
    assert_int_equal(which, 0);
    para_pool_destroy(pool);
}

/* ---- Any, all, groups ----------------------------------------------------------------- */

static void check_any(void)
{
    enum { N = 100 };
    static int results[N];
    static para_task task[N];
    para_task *left[N];
    size_t n = N;
    for (unsigned i = 0; i < N; i++) {
        results[i] = i % 10 == 3;
        task[i] = (para_task){.run = return_it, .arg = &results[i]};
        left[i] = &task[i];
        OK(para_submit(pool, &task[i]));
    }
    unsigned failed = 0;
    while (n) {
        size_t which = n;
        const para_status status = para_wait_any(left, n, PARA_DEADLINE_NEVER, &which);
        assert_true(which < n);
        assert_int_equal(status, left[which]->result ? PARA_ERR_TASK : PARA_OK);
        failed += status != PARA_OK;
        left[which] = left[--n];
    }
    assert_int_equal(failed, N / 10);
    for (unsigned i = 0; i < N; i++)
        left[i] = &task[i];
    FAILS(PARA_ERR_TASK, para_wait_all(left, N, PARA_DEADLINE_NEVER));
    OK(para_wait_all(NULL, 0, 0));
}

TEST(any_and_all)
{
    each_pool(check_any);
}

TEST(any_is_over_with_the_first_that_ends)
{
    pool = check_pool(3);
    _Atomic unsigned count = 0;
    para_task task[2] = {{.run = pass_gate, .arg = (void *)&count},
                         {.run = count_up, .arg = (void *)&count}};
    para_task *both[2] = {&task[0], &task[1]};
    size_t which = 9;
    is_open = false;
    begun = 0;
    OK(para_submit(pool, &task[0]));
    while (begun == 0)
        sched_yield();
    OK(para_submit(pool, &task[1]));
    OK(para_wait_any(both, 2, PARA_DEADLINE_NEVER, &which));
    assert_int_equal(which, 1);
    is_open = true;
    OK(para_wait_all(both, 2, PARA_DEADLINE_NEVER));
    assert_int_equal(count, 2);
    para_pool_destroy(pool);
}

static void check_groups(void)
{
    enum { N = 300 };
    static para_task task[N];
    static int results[N];
    para_task_group group = {0};
    OK(para_task_group_wait(&group)); /* of nothing */
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < N; i++) {
            results[i] = round == 1 && i == 200 ? 5 : 0;
            task[i] = (para_task){.run = return_it, .arg = &results[i], .group = &group};
            OK(para_submit(pool, &task[i]));
        }
        if (round == 1)
            FAILS(PARA_ERR_TASK, para_task_group_wait(&group));
        else
            OK(para_task_group_wait(&group));
        for (unsigned i = 0; i < N; i++)
            assert_true(para_task_is_over(&task[i]));
        group = (para_task_group){0};
    }
}

TEST(groups)
{
    each_pool(check_groups);
}

/* Threads sleep until a group is over while a task of it submits another, and then waits for that
 * in a way that para does not see. */
static _Atomic unsigned late_count;
static para_task late;

static int submit_late(void *arg)
{
    usleep(2000); /* most likely the others sleep by then */
    late = (para_task){.run = count_up, .arg = (void *)&late_count, .group = arg};
    fault_unless(para_submit(pool, &late) == PARA_OK);
    while (late_count == 0)
        usleep(100);
    return 0;
}

static int occupy(void *arg)
{
    (void)arg;
    while (!is_open)
        usleep(100);
    return 0;
}

TEST(a_task_that_joins_a_group_late_is_run_by_who_waits)
{
    pool = check_pool(2);
    for (unsigned round = 0; round < 10; round++) {
        para_task_group group = {0};
        para_task busy = {.run = occupy};
        para_task first = {.run = submit_late, .arg = &group, .group = &group};
        is_open = false;
        late_count = 0;
        OK(para_submit(pool, &busy));
        OK(para_submit(pool, &first));
        usleep(1000);
        OK(para_task_group_wait(&group));
        is_open = true;
        OK(para_task_wait(&busy));
        assert_int_equal(late_count, 1);
    }
    para_pool_destroy(pool);
    assert_int_equal(faults, 0);
}

/* ---- Tasks and shared calls ----------------------------------------------------------- */

enum { ITEMS = 3000 };

static int double_it(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    const double *in = chunk->in[0];
    double *out = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = 2 * in[i];
    return 0;
}

static int call_map(void *arg)
{
    double in[ITEMS], out[ITEMS];
    (void)arg;
    for (unsigned i = 0; i < ITEMS; i++)
        in[i] = i;
    const para_map map = {.kernel = double_it,
                          .count = ITEMS,
                          .in = {PARA_IN(in)},
                          .out = {PARA_OUT(out)},
                          .options = {.executor = PARA_EXECUTOR_THREADS}};
    fault_unless(para_pmap(pool, &map) == PARA_OK);
    for (unsigned i = 0; i < ITEMS; i++)
        fault_unless(out[i] == 2 * i);
    return 0;
}

static void check_calls_beside(void)
{
    enum { N = 60 };
    para_task task[N];
    para_task *all[N];
    for (unsigned i = 0; i < N; i++) {
        task[i] = (para_task){.run = call_map};
        all[i] = &task[i];
        OK(para_submit(pool, all[i]));
    }
    for (unsigned i = 0; i < 20; i++)
        (void)call_map(NULL);
    OK(para_wait_all(all, N, PARA_DEADLINE_NEVER));
}

TEST(calls_within_tasks_and_beside_them)
{
    each_pool(check_calls_beside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_and_its_result_is_seen),
        cmocka_unit_test(many_threads_submit),
        cmocka_unit_test(the_default_pool_runs_tasks),
        cmocka_unit_test(fibonacci),
        cmocka_unit_test(quicksort_in_groups),
        cmocka_unit_test(a_walk_of_detached_tasks_in_a_group),
        cmocka_unit_test(queens),
        cmocka_unit_test(a_long_chain),
        cmocka_unit_test(workers_that_all_wait_for_a_queued_task_run_it),
        cmocka_unit_test(a_task_in_the_middle_of_a_deque_is_found),
        cmocka_unit_test(tasks_of_two_pools_wait_for_each_others),
        cmocka_unit_test(done_may_wait_and_is_called_before_a_wait_returns),
        cmocka_unit_test(kernels_submit_and_wait),
        cmocka_unit_test(a_wait_gives_up),
        cmocka_unit_test(any_and_all),
        cmocka_unit_test(any_is_over_with_the_first_that_ends),
        cmocka_unit_test(groups),
        cmocka_unit_test(a_task_that_joins_a_group_late_is_run_by_who_waits),
        cmocka_unit_test(calls_within_tasks_and_beside_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

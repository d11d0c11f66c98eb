/* Groups of tasks, and blocks that wait for one: in recursion, of tasks that free themselves, again
 * and again. */
#include "../common/tasks.h"

#include <stdlib.h>

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

TEST(a_task_that_joins_a_group_late_is_run_by_who_waits)
{
    pool = check_pool(2);
    for (unsigned round = 0; round < 10; round++) {
        para_task_group group = {0};
        para_task busy = {.run = hold};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),
        cmocka_unit_test(quicksort_in_groups),
        cmocka_unit_test(a_walk_of_detached_tasks_in_a_group),
        cmocka_unit_test(a_task_that_joins_a_group_late_is_run_by_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tasks that submit tasks and wait for those: as deep as they like, on bounded stacks. */
#include "../common/tasks.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fibonacci),
        cmocka_unit_test(queens),
        cmocka_unit_test(a_long_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

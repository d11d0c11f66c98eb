/* Tasks need memory once for each pool, with its first task: what happens when there is none. */
#include "scenario.h"

#include "../common/tasks.h"

#include <string.h>

static _Atomic unsigned ran;

/* ---- The first task of a pool --------------------------------------------------------- */

static para_status first_task(void)
{
    para_task_group group = {0};
    para_task task = {.run = count_up, .arg = (void *)&ran, .group = &group};
    para_status status = make_pool(2, &pool);
    if (status)
        return status;
    ran = 0;
    status = para_submit(pool, &task);
    OK(para_task_group_wait(&group));
    assert_int_equal(ran, status ? 0 : 1);
    assert_int_equal(para_task_wait(&task), status ? PARA_ERR_ARGUMENT : PARA_OK);
    para_pool_destroy(pool);
    return status;
}

SCENARIO_TEST(first_task)

TEST(a_task_without_memory_is_not_submitted)
{
    para_pool *other = NULL;
    para_task_group group = {0};
    para_task task = {.run = count_up, .arg = (void *)&ran, .group = &group};
    OK(make_pool(2, &pool));
    OK(make_pool(2, &other));
    ran = 0;
    fault_arm(FAULT_MEMORY, 1, ENOMEM, false);
    FAILS(PARA_ERR_MEMORY, para_submit(pool, &task));
    fault_arm(FAULT_ANY, 0, 0, false);
    assert_non_null(strstr(para_status_detail(), "tasks"));
    FAILS(PARA_ERR_ARGUMENT, para_task_wait(&task)); /* as if never submitted */
    OK(para_task_group_wait_until(&group, 0));
    OK(para_pmap(
        pool,
        &(para_map){.kernel = count, .count = 1000, .options.executor = PARA_EXECUTOR_THREADS}));
    OK(para_submit(other, &task)); /* the group has no pool yet */
    OK(para_task_group_wait(&group));
    task.group = NULL;
    OK(para_submit(pool, &task));
    OK(para_task_wait(&task));
    assert_int_equal(ran, 2);
    para_pool_destroy(other);
    para_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_in_first_task),
        cmocka_unit_test(a_task_without_memory_is_not_submitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

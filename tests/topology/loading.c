/* Two threads read the machine first at the same time, one of them in a constructor within dlopen,
 * and libgomp has to be asked: neither holds what the other waits for. */
#include "../common/check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_barrier_t loading;
static _Atomic unsigned wrong;

static void look(void)
{
    para_topology_info info = {.size = sizeof info};
    wrong += para_topology_get_info(&info) != PARA_OK || info.cpus == 0;
    wrong += para_default_pool() == NULL;
}

/* Called by the constructor. The other thread has begun by then, or will soon: if not, the test has
 * less to find. */
void loading_hook(void);
void loading_hook(void)
{
    pthread_barrier_wait(&loading);
    usleep(100000);
    look();
}

static void *look_meanwhile(void *unused)
{
    pthread_barrier_wait(&loading);
    look();
    return unused;
}

TEST(nobody_waits_for_ever)
{
    pthread_t thread;
    setenv("OMP_PROC_BIND", "true", 1); /* after libgomp has looked */
    alarm(50);
    assert_int_equal(pthread_barrier_init(&loading, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, look_meanwhile, NULL), 0);
    assert_non_null(dlopen(LOADING_HOOK, RTLD_NOW));
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_waits_for_ever)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

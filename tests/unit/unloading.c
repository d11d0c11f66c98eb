/* A program that loads libpara, gives it tasks, and closes it while they run. Its threads go on,
 * since the library stays. */
#include <para/para.h>

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { TASKS = 20 };

static _Atomic unsigned ran;

static int work(void *arg)
{
    (void)arg;
    usleep(500);
    ran++;
    return 0;
}

/* A function of the library, by its name. */
#define FIND(library, name) ((__typeof__(&name))dlsym((library), #name))

int main(int argc, char **argv)
{
    static para_task task[TASKS];
    void *const library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library)
        return 1;
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = 2;
    const __typeof__(&para_submit) submit = FIND(library, para_submit);
    const __typeof__(&para_pool_destroy) destroy = FIND(library, para_pool_destroy);
    if (FIND(library, para_pool_create)(&pool, &config))
        return 2;
    for (unsigned i = 0; i < TASKS; i++) {
        task[i] = (para_task){.run = work, .is_detached = i >= TASKS / 2};
        if (submit(i % 2 ? pool : NULL, &task[i]))
            return 3;
    }
    if (dlclose(library))
        return 4;
    while (ran < TASKS)
        usleep(100);
    return destroy(pool) != PARA_OK;
}

/* Who takes too long: a watchdog tells of a task that does not end, and where it is. */
#include <para/para.h>
#include <execinfo.h>
#include <stdio.h>

static void tell(const para_late *late, void *log)
{
    void *frames[32];
    unsigned count = 0;
    fprintf(log, "worker %d: %.1f s\n", late->worker, 1e-9 * (double)late->elapsed_ns);
    if (para_late_backtrace(late, frames, 32, &count) == PARA_OK)
        backtrace_symbols_fd(frames, (int)count, 2);
}

/* Takes a fifth of a second, which is too long here. */
static int stay(void *unused)
{
    const uint64_t end = para_deadline_after(200000000);
    (void)unused;
    while (para_deadline_after(0) < end)
        continue;
    return 0;
}

int main(void)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool;
    config.workers = 2;
    para_must(para_pool_create(&pool, &config));

    para_watchdog dog = PARA_WATCHDOG_INIT;
    dog.late_ns = 20000000;
    dog.late = tell;
    dog.late_arg = stderr;
    dog.backtraces = true;
    para_must(para_watchdog_begin(pool, &dog));

    para_task task = {.run = stay};
    para_must(para_submit(pool, &task));
    para_must(para_task_wait(&task));
    para_must(para_watchdog_end(&dog));
    para_must(para_pool_destroy(pool));
    return 0;
}

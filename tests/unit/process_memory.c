/* Shared memory that calls on worker processes have needed once is not kept for ever. */
#include "../common/processes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2 };
static const size_t MIB = (size_t)1 << 20;

/* What the pools' shared memory takes, which is in a file without a name. */
static size_t shared_bytes(void)
{
    size_t bytes = 0;
    for (int fd = 3; fd < 256; fd++) {
        char link[64], target[64] = "";
        struct stat facts;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, target, sizeof target - 1) > 0 && strstr(target, "memfd:para") &&
            fstat(fd, &facts) == 0)
            bytes += (size_t)facts.st_blocks * 512;
    }
    return bytes;
}

static int fill_scratch(const para_chunk *c, const void *arg)
{
    int *const out = c->out[0];
    memset(c->scratch, 1, *(const size_t *)arg);
    for (size_t i = 0; i < c->count; i++)
        out[i] = 1;
    return 0;
}

TEST(large_scratch_is_given_back)
{
    const para_processes processes = PARA_PROCESSES_INIT;
    para_pool *const pool = process_pool(WORKERS, &processes);
    para_buffer *buffer;
    OK(para_buffer_create(&buffer, pool, 64, sizeof(int), NULL));
    size_t scratch = 32 * MIB;
    para_map map = {.kernel = fill_scratch,
                    .arg = &scratch,
                    .arg_bytes = sizeof scratch,
                    .count = 64,
                    .out = {PARA_OUT((int *)para_buffer_data(buffer))},
                    .scratch_bytes = scratch};
    OK(para_pmap(pool, &map));
    assert_true(shared_bytes() > 16 * MIB);
    scratch = 1024;
    map.scratch_bytes = scratch;
    OK(para_pmap(pool, &map));
    size_t kept = shared_bytes();
    for (int i = 0; i < 20000 && (kept = shared_bytes()) > 16 * MIB; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (i % 100 == 0) /* also while small calls come */
            OK(para_pmap(pool, &map));
    }
    assert_true(kept <= 16 * MIB);
    para_buffer_destroy(buffer);
    OK(para_pool_destroy(pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(large_scratch_is_given_back)};
    if (UNDER_QEMU) /* see process_deaths.c */
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

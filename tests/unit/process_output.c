/* What kernels print on worker processes is written once, before their call returns, also to a pipe
 * or a file; and what the program has not written yet is not written by its workers. */
#include "../common/child.h"
#include "../common/processes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 64, CALLS = 3, MOST = 1 << 16 };

static int prints(const para_chunk *c, const void *arg)
{
    for (size_t i = 0; i < c->count; i++) {
        printf("element %zu of call %d\n", c->first + i, *(const int *)arg);
        ((double *)c->out[0])[i] = 1;
    }
    return 0;
}

static int prints_and_exits(const para_chunk *c, const void *arg)
{
    (void)arg;
    (void)c;
    printf("last words\n");
    exit(1);
}

/* Its standard output is a pipe. */
static void print_on_processes(void)
{
    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    const para_processes processes = PARA_PROCESSES_INIT;
    config.workers = 2;
    config.processes = &processes;
    printf("the program's, held back\n");
    CHECK(para_pool_create(&pool, &config) == PARA_OK);
    para_buffer *buffer;
    CHECK(para_buffer_create(&buffer, pool, LENGTH, sizeof(double), NULL) == PARA_OK);
    para_map map = {.kernel = prints,
                    .count = LENGTH,
                    .out = {PARA_OUT((double *)para_buffer_data(buffer))},
                    .options = {.survival = &(para_survival){.attempts = 1}}};
    for (int call = 0; call < CALLS; call++) {
        map.arg = &call;
        map.arg_bytes = sizeof call;
        CHECK(para_pmap(pool, &map) == PARA_OK);
    }
    map.arg = NULL;
    map.arg_bytes = 0;
    map.kernel = prints_and_exits;
    map.count = 1;
    CHECK(para_pmap(pool, &map) == PARA_ERR_WORKER_DIED);
    para_buffer_destroy(buffer);
    CHECK(para_pool_destroy(pool) == PARA_OK);
    fflush(stdout);
}

static unsigned times_in(const char *text, const char *words)
{
    unsigned times = 0;
    while ((text = strstr(text, words))) {
        text += strlen(words);
        times++;
    }
    return times;
}

TEST(output_is_written_once)
{
    static char text[MOST];
    size_t length = 0;
    ssize_t n;
    int ends[2];
    OK(para_pool_destroy(process_pool(1, NULL))); /* skipped where there are none */
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        dup2(ends[1], STDOUT_FILENO);
        setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
        print_on_processes();
        _exit(0);
    }
    close(ends[1]);
    while (length < MOST - 1 && (n = read(ends[0], text + length, MOST - 1 - length)) > 0)
        length += (size_t)n;
    close(ends[0]);
    await_success(child);
    assert_int_equal(times_in(text, "the program's, held back\n"), 1);
    assert_int_equal(times_in(text, "last words\n"), 1);
    for (int call = 0; call < CALLS; call++)
        for (int i = 0; i < LENGTH; i++) {
            char line[64];
            snprintf(line, sizeof line, "element %d of call %d\n", i, call);
            assert_int_equal(times_in(text, line), 1);
        }
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* see process_deaths.c */
    const struct CMUnitTest tests[] = {cmocka_unit_test(output_is_written_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

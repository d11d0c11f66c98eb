/* What worker processes are held to, and that their memory stays flat. */
#include "../common/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 64, WORKERS = 2, MIB = 1 << 20 };

static para_pool *limited(para_processes processes)
{
    return process_pool(WORKERS, &processes);
}

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void take_damage(const para_damage *damage, void *of)
{
    *(para_damage *)of = *damage;
}

/* A call of which each chunk is tried once, on shared memory for what its kernel tells. */
static para_status run_once(para_pool *pool, para_map_fn *kernel, int *shared, para_damage *damage)
{
    const para_survival once = {.attempts = 1, .damaged = take_damage, .damaged_arg = damage};
    return para_pmap(pool, &(para_map){.kernel = kernel,
                                       .count = LENGTH,
                                       .out = {PARA_OUT(shared)},
                                       .options = {.survival = &once}});
}

typedef struct place {
    para_pool *pool;
    para_buffer *buffer;
    int *shared; /* LENGTH of them */
    para_damage damage;
} place;

static place make_place(para_processes processes)
{
    place p = {.pool = limited(processes)};
    OK(para_buffer_create(&p.buffer, p.pool, LENGTH, sizeof(int), NULL));
    p.shared = para_buffer_data(p.buffer);
    return p;
}

static void end_place(place *p)
{
    para_buffer_destroy(p->buffer);
    OK(para_pool_destroy(p->pool));
}

/* ---- Each limit ------------------------------------------------------------------------- */

/* By pages: the heap of a sanitizer takes another view of what there is. */
static int take_memory(const para_chunk *c, const void *arg)
{
    int *out = c->out[0];
    (void)arg;
    for (size_t i = 0; i < c->count; i++) {
        void *const small =
            mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        void *const large = mmap(NULL, (size_t)256 * MIB, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        out[i] = (small != MAP_FAILED) + (large != MAP_FAILED ? 2 : 0);
        if (small != MAP_FAILED)
            munmap(small, MIB);
        if (large != MAP_FAILED)
            munmap(large, (size_t)256 * MIB);
    }
    return 0;
}

TEST(address_space)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.memory_bytes = (size_t)64 * MIB;
    place p = make_place(processes);
    OK(run_once(p.pool, take_memory, p.shared, &p.damage));
    for (int i = 0; i < LENGTH; i++)
        assert_int_equal(p.shared[i], 1);
    end_place(&p);
}

static int use_cpu(const para_chunk *c, const void *arg)
{
    volatile unsigned rounds = 0;
    (void)arg;
    while (c->first == 0)
        rounds++;
    return 0;
}

TEST(cpu_time)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.cpu_seconds = 1;
    place p = make_place(processes);
    FAILS(PARA_ERR_WORKER_DIED, run_once(p.pool, use_cpu, p.shared, &p.damage));
    assert_int_equal(p.damage.death, PARA_DEATH_SIGNAL);
    assert_true(p.damage.number == SIGXCPU || p.damage.number == SIGKILL);
    end_place(&p);
}

static int open_many(const para_chunk *c, const void *arg)
{
    int *out = c->out[0];
    (void)arg;
    for (size_t i = 0; i < c->count; i++) {
        int files[16], count = 0;
        while (count < 16 && (files[count] = open("/dev/null", O_RDONLY)) >= 0)
            count++;
        out[i] = errno == EMFILE ? count : -1;
        while (count > 0)
            close(files[--count]);
    }
    return 0;
}

/* Also where para has a descriptor of its own in a worker. */
TEST(open_files)
{
    for (int grows = 0; grows < 2; grows++) {
        para_processes processes = PARA_PROCESSES_INIT;
        processes.files = 8;
        processes.grown_bytes = grows ? SIZE_MAX / 2 : 0;
        place p = make_place(processes);
        OK(run_once(p.pool, open_many, p.shared, &p.damage));
        for (int i = 0; i < LENGTH; i++)
            assert_int_equal(p.shared[i], 5); /* and three standard streams */
        end_place(&p);
    }
}

static int tell_core_limit(const para_chunk *c, const void *arg)
{
    struct rlimit limit = {1, 1};
    int *out = c->out[0];
    (void)arg;
    for (size_t i = 0; i < c->count; i++)
        out[i] = getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
    return 0;
}

TEST(core_dumps)
{
    para_processes processes = PARA_PROCESSES_INIT;
    place p = make_place(processes);
    OK(run_once(p.pool, tell_core_limit, p.shared, &p.damage));
    for (int i = 0; i < LENGTH; i++)
        assert_int_equal(p.shared[i], 1);
    end_place(&p);
}

static int take_time(const para_chunk *c, const void *arg)
{
    (void)arg;
    while (c->first == 0)
        pause_a_moment();
    return 0;
}

TEST(time_of_a_chunk)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.chunk_ns = 200000000;
    place p = make_place(processes);
    FAILS(PARA_ERR_WORKER_DIED, run_once(p.pool, take_time, p.shared, &p.damage));
    assert_int_equal(p.damage.death, PARA_DEATH_OVERRUN);
    end_place(&p);
}

/* ---- Members out of range ---------------------------------------------------------------- */

static void refuses(para_processes processes)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool *pool = NULL;
    config.workers = WORKERS;
    config.processes = &processes;
    FAILS(PARA_ERR_ARGUMENT, para_pool_create(&pool, &config));
    assert_null(pool);
    assert_true(para_status_detail()[0] != '\0');
}

TEST(members_out_of_range)
{
    const para_processes good = PARA_PROCESSES_INIT;
    para_processes p = good;
    p.size++;
    refuses(p);
    p = good;
    p.size = 0;
    refuses(p);
    p = good;
    p.files = 1;
    refuses(p);
    p = good;
    p.memory_bytes = SIZE_MAX;
    refuses(p);
    p = good;
    p.grown_bytes = SIZE_MAX;
    refuses(p);
    p = good;
    p.survival.attempts = 256;
    refuses(p);
    p = good;
    p.survival.on_crash = (para_on_crash)-1;
    refuses(p);
    p = good;
    p.survival.fill = "a";
    refuses(p);
    p = good;
    p.survival.fill_bytes = 1;
    refuses(p);
    /* The largest that there are. */
    p = good;
    p.chunk_ns = UINT64_MAX;
    p.cpu_seconds = UINT32_MAX;
    p.files = UINT32_MAX;
    p.worker_chunks = UINT64_MAX;
    p.survival.attempts = 255;
    place at = make_place(p);
    OK(run_once(at.pool, tell_core_limit, at.shared, &at.damage));
    end_place(&at);
}

/* ---- A flat footprint --------------------------------------------------------------------- */

static int process_of(para_pool *pool, unsigned worker)
{
    para_worker_info info = {.size = sizeof info};
    OK(para_pool_get_worker(pool, worker, &info));
    return info.process;
}

/* Bytes that are a process's own; 0: it has ended. */
static size_t own_memory(int process)
{
    char path[64];
    size_t all = 0, resident = 0, shared = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", process);
    FILE *const file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%zu %zu %zu", &all, &resident, &shared) != 3)
        resident = shared;
    fclose(file);
    return (resident - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t largest_worker(para_pool *pool)
{
    size_t most = 0;
    for (unsigned w = 0; w < WORKERS; w++) {
        const int process = process_of(pool, w);
        const size_t own = process ? own_memory(process) : 0;
        most = own > most ? own : most;
    }
    return most;
}

static void check_alive_only(para_pool *pool)
{
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    assert_int_equal(info.deaths, 0);
}

static int tell_process(const para_chunk *c, const void *arg)
{
    int *out = c->out[0];
    (void)arg;
    for (size_t i = 0; i < c->count; i++)
        out[i] = getpid();
    return 0;
}

/* After each chunk another process: nothing is lost, nobody has died. */
TEST(replaced_after_chunks)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.worker_chunks = 1;
    place p = make_place(processes);
    unsigned others = 0;
    int last = 0;
    for (int call = 0; call < 50; call++) {
        memset(p.shared, 0, LENGTH * sizeof *p.shared);
        OK(run_once(p.pool, tell_process, p.shared, &p.damage));
        for (int i = 0; i < LENGTH; i++)
            assert_true(p.shared[i] != 0);
        others += p.shared[0] != last;
        last = p.shared[0];
    }
    assert_true(others >= 10); /* the other worker may take some chunks of a place */
    check_alive_only(p.pool);
    end_place(&p);
}

enum { LEAKED = 1 << 18 };

static int leak(const para_chunk *c, const void *arg)
{
    int *out = c->out[0];
    (void)arg;
    for (size_t i = 0; i < c->count; i++) {
        char *const lost =
            mmap(NULL, LEAKED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        out[i] = lost != MAP_FAILED;
        if (lost != MAP_FAILED)
            memset(lost, 1, LEAKED);
    }
    return 0;
}

/* 16 MiB are lost with each call, and a worker may have 24. */
TEST(leaks_do_not_add_up)
{
    for (int encloses = 0; encloses < 2; encloses++) {
        para_processes processes = PARA_PROCESSES_INIT;
        processes.grown_bytes = (size_t)24 * MIB;
        processes.sandbox = encloses;
        place p = make_place(processes);
        size_t most = 0;
        OK(run_once(p.pool, tell_process, p.shared, &p.damage));
        const size_t begun = largest_worker(p.pool);
        for (int call = 0; call < 40; call++) {
            memset(p.shared, 0, LENGTH * sizeof *p.shared);
            OK(run_once(p.pool, leak, p.shared, &p.damage));
            for (int i = 0; i < LENGTH; i++)
                assert_int_equal(p.shared[i], 1);
            const size_t own = largest_worker(p.pool);
            most = own > most ? own : most;
        }
        /* What it may have, and one call that it has not been looked at after. */
        assert_true(most <= begun + (size_t)(24 + 2 * 16 + 8) * MIB);
        check_alive_only(p.pool);
        end_place(&p);
    }
}

enum { BLOCKS = 2000, BLOCK = 10000 };

/* The heap is free but for its last block, so the C library gives nothing back by itself. */
static int fragment(const para_chunk *c, const void *arg)
{
    static char *pin;
    char *blocks[BLOCKS];
    (void)arg;
    if (c->first > 0)
        return 0;
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        if (!blocks[i])
            return 1;
        memset(blocks[i], 1, BLOCK);
    }
    free(pin);
    pin = blocks[BLOCKS - 1];
    for (int i = 0; i < BLOCKS - 1; i++)
        free(blocks[i]);
    *(int *)c->out[0] = getpid();
    return 0;
}

TEST(heaps_are_trimmed)
{
    para_processes processes = PARA_PROCESSES_INIT;
    place p = make_place(processes);
    OK(run_once(p.pool, tell_process, p.shared, &p.damage));
    const size_t begun = largest_worker(p.pool);
    for (int call = 0; call < 20; call++)
        OK(run_once(p.pool, fragment, p.shared, &p.damage));
    const size_t used = (size_t)BLOCKS * BLOCK;
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    for (int i = 0; i < 10000 && largest_worker(p.pool) > begun + used / 2; i++)
        pause_a_moment();
    assert_true(largest_worker(p.pool) <= begun + used / 2);
#else
    assert_true(largest_worker(p.pool) <= begun + 40 * used);
#endif
    end_place(&p);
}

/* ---- A mutex in shared memory -------------------------------------------------------------- */

typedef struct guarded {
    para_shared_mutex mutex;
    unsigned deaths; /* still to come */
    unsigned sum, recovered;
} guarded;

static int add_guarded(const para_chunk *c, const void *arg)
{
    guarded *const g = *(guarded *const *)arg;
    int *out = c->out[0];
    const para_status status = para_shared_mutex_lock(&g->mutex);
    if (status == PARA_ERR_OWNER_DIED) {
        g->recovered++;
        if (para_shared_mutex_recover(&g->mutex))
            return 2;
    } else if (status) {
        return 1;
    }
    if (g->deaths > 0) {
        g->deaths--;
        raise(SIGKILL); /* as it holds the mutex */
    }
    for (size_t i = 0; i < c->count; i++)
        out[i] = 1;
    g->sum += (unsigned)c->count;
    para_shared_mutex_unlock(&g->mutex);
    return 0;
}

TEST(a_mutex_is_recovered)
{
    para_processes processes = PARA_PROCESSES_INIT;
    processes.survival.attempts = 20;
    place p = make_place(processes);
    para_buffer *buffer;
    OK(para_buffer_create(&buffer, p.pool, 1, sizeof(guarded), NULL));
    guarded *const g = para_buffer_data(buffer);
    OK(para_shared_mutex_init(&g->mutex));
    g->deaths = 5;
    para_report report;
    OK(para_pmap(p.pool, &(para_map){.kernel = add_guarded,
                                     .arg = &g,
                                     .arg_bytes = sizeof g,
                                     .count = LENGTH,
                                     .out = {PARA_OUT(p.shared)},
                                     .report = &report}));
    assert_int_equal(g->sum, LENGTH);
    assert_int_equal(g->recovered, 5);
    assert_int_equal(report.deaths, 5);
    para_buffer_destroy(buffer);
    end_place(&p);
}

/* ---- Nothing is allocated for a warm call --------------------------------------------------- */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 1
static _Atomic bool counts;
static _Atomic unsigned allocations;
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);

void *malloc(size_t bytes)
{
    allocations += counts;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    allocations += counts;
    return __libc_calloc(count, bytes);
}

void *realloc(void *block, size_t bytes)
{
    allocations += counts;
    return __libc_realloc(block, bytes);
}
#endif

static int fold_count(const para_chunk *c, void *acc, const void *arg)
{
    (void)arg;
    *(unsigned *)acc += (unsigned)c->count;
    return 0;
}

static void add_counts(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(unsigned *)acc += *(const unsigned *)rhs;
}

TEST(warm_calls_allocate_nothing)
{
    para_processes processes = PARA_PROCESSES_INIT;
    place p = make_place(processes);
    for (int call = 0; call < 200; call++) {
        unsigned sum = 0;
        int own[LENGTH];
        const int arg = 3;
        const para_survival copies = {.copies = true};
#ifdef COUNTS_ALLOCATIONS
        counts = call >= 20;
#endif
        OK(run_once(p.pool, tell_process, p.shared, &p.damage));
        OK(para_pmap(p.pool, &(para_map){.kernel = tell_process,
                                         .arg = &arg,
                                         .arg_bytes = sizeof arg,
                                         .count = LENGTH,
                                         .out = {PARA_OUT(own)},
                                         .scratch_bytes = 100,
                                         .options = {.survival = &copies}}));
        OK(para_preduce(p.pool, &(para_reduce){.kernel = fold_count,
                                               .combine = add_counts,
                                               .count = LENGTH,
                                               .in = {PARA_IN(p.shared)},
                                               .result = &sum,
                                               .result_bytes = sizeof sum}));
#ifdef COUNTS_ALLOCATIONS
        counts = false;
#endif
        assert_int_equal(sum, LENGTH);
    }
#ifdef COUNTS_ALLOCATIONS
    assert_int_equal(allocations, 0);
#endif
    end_place(&p);
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* it keeps a note for each page of a region, far more than there is memory */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_space),
        cmocka_unit_test(cpu_time),
        cmocka_unit_test(open_files),
        cmocka_unit_test(core_dumps),
        cmocka_unit_test(time_of_a_chunk),
        cmocka_unit_test(members_out_of_range),
        cmocka_unit_test(replaced_after_chunks),
        cmocka_unit_test(leaks_do_not_add_up),
        cmocka_unit_test(heaps_are_trimmed),
        cmocka_unit_test(a_mutex_is_recovered),
        cmocka_unit_test(warm_calls_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

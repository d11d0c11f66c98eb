/* Kernels that write over the words by which their call is handed out, and live on: the call ends
 * with the right bits or a status, and the next one is like any. */
#include "../common/processes.h"

#include "base/futex.h"
#include "base/tuning_processes.h"
#include "pool/types.h"
#include "process/desk.h"

#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 3000, WORKERS = 3, SECONDS = 100, ATTEMPTS = 4 };

typedef enum spoiling {
    WORDS_OF_RUBBISH,
    WORDS_OF_ZERO, /* as if no ticket had been claimed */
    WORDS_OF_ONES,
    TOLD_ALL, /* as if all were done */
    TOLD_NOTHING,
    TOLD_RUBBISH,
    PARTS,
    SETTLED,
    JOINS,
    CALL,
    TICKETS, /* more than the job has */
    JOB,
    STOP,
    NEWS,
    BOARDS,
    PRESENCE,
    ALL,
    SPOILINGS
} spoiling;

typedef struct deed {
    para__hall *hall;
    para__board *board;
    spoiling what;
    unsigned worker_count;
    _Atomic unsigned *times;
} deed;

static void write_rubbish(void *memory, size_t bytes, uint64_t *seed)
{
    for (size_t i = 0; i + sizeof *seed <= bytes; i += sizeof *seed) {
        const uint64_t rubbish = check_random(seed);
        memcpy((char *)memory + i, &rubbish, sizeof rubbish);
    }
}

static void spoil_told(const deed *d, uint64_t *seed)
{
    para__board *const b = d->board;
    const para__board_call c = para__board_read(para__load_relaxed(&b->call));
    for (unsigned w = 0; w < d->worker_count; w++) {
        uint64_t told = 0;
        if (d->what == TOLD_ALL && w == 0)
            told = (uint64_t)c.epoch << 32 | c.tickets;
        if (d->what == TOLD_RUBBISH)
            told = check_random(seed);
        para__store_relaxed(&b->record[w].told, told);
    }
}

static void spoil_presence(const deed *d, uint64_t *seed)
{
    for (unsigned w = 0; w < d->worker_count; w++) {
        para__presence *const p = &d->hall->worker[w];
        write_rubbish(&p->since_ticks, sizeof p->since_ticks, seed);
        para__store_relaxed(&p->board, UINT32_MAX);
        para__store_relaxed(&p->asleep, 0);
        para__store_relaxed(&p->process, 1);
        para__store_relaxed(&p->retires, 1);
    }
}

/* Workers come and look. */
static void spoil_tickets(const deed *d)
{
    para__board_call c = para__board_read(para__load_relaxed(&d->board->call));
    c.epoch++;
    c.tickets = PARA__BOARD_TICKETS;
    para__store_relaxed(&d->board->call, para__board_word(c));
    para__add_relaxed(&d->hall->news, 1);
    para__futex_wake_shared(&d->hall->news, INT_MAX);
}

static void spoil(const deed *d)
{
    uint64_t seed = (uint64_t)getpid() << 8 | d->what;
    para__board *const b = d->board;
    switch (d->what) {
    case WORDS_OF_RUBBISH:
        write_rubbish(b->word, sizeof b->word, &seed);
        break;
    case WORDS_OF_ZERO:
        memset(b->word, 0, sizeof b->word);
        break;
    case WORDS_OF_ONES:
        memset(b->word, -1, sizeof b->word);
        break;
    case TOLD_ALL:
    case TOLD_NOTHING:
    case TOLD_RUBBISH:
        spoil_told(d, &seed);
        break;
    case PARTS:
        for (unsigned w = 0; w < d->worker_count; w++)
            write_rubbish(b->record[w].part, sizeof b->record[w].part, &seed);
        break;
    case SETTLED:
        para__store_relaxed(&b->settled, 1000);
        break;
    case JOINS:
        para__store_relaxed(&b->joins, 0);
        break;
    case CALL:
        para__store_relaxed(&b->call, check_random(&seed));
        break;
    case TICKETS:
        spoil_tickets(d);
        break;
    case JOB:
        write_rubbish(b->payload, sizeof b->payload, &seed);
        b->run = NULL;
        break;
    case STOP:
        para__store_relaxed(&b->stop, 0);
        break;
    case NEWS:
        para__store_relaxed(&d->hall->news, (uint32_t)seed);
        break;
    case BOARDS:
        para__store_relaxed(&d->hall->boards, seed & 1 ? 0 : UINT32_MAX);
        break;
    case PRESENCE:
        spoil_presence(d, &seed);
        break;
    default:
        write_rubbish(d->hall, sizeof *d->hall, &seed);
        write_rubbish(b, sizeof *b, &seed);
    }
}

static int spoils_and_numbers(const para_chunk *c, const void *arg)
{
    const deed *const d = arg;
    if (takes_one(d->times))
        spoil(d);
    nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    for (size_t i = 0; i < c->count; i++)
        ((double *)c->out[0])[i] = 1.0 + (double)(c->first + i);
    return 0;
}

typedef struct scene {
    para_pool *pool;
    para_buffer *buffers[2];
    double *y;
    deed deed;
} scene;

static scene make_scene(void)
{
    scene s = {.pool = process_pool(WORKERS, NULL)};
    s.y = shared_array(s.pool, &s.buffers[0], LENGTH);
    s.deed = (deed){.hall = s.pool->shop->hall,
                    .board = s.pool->shop->desk[0].post.board,
                    .worker_count = WORKERS,
                    .times = (_Atomic unsigned *)shared_array(s.pool, &s.buffers[1], 1)};
    return s;
}

static void end_scene(scene *s)
{
    para_buffer_destroy(s->buffers[0]);
    para_buffer_destroy(s->buffers[1]);
    OK(para_pool_destroy(s->pool));
}

/* A call whose kernels spoil so often. What it says to have done it has done. */
static para_status call_scene(const scene *s, spoiling what, unsigned times)
{
    const para_survival survival = {.attempts = ATTEMPTS};
    deed d = s->deed;
    size_t wrong = 0;
    d.what = what;
    atomic_store(d.times, times);
    memset(s->y, 0, LENGTH * sizeof *s->y);
    const para_status status = para_pmap(s->pool, &(para_map){.kernel = spoils_and_numbers,
                                                              .arg = &d,
                                                              .arg_bytes = sizeof d,
                                                              .count = LENGTH,
                                                              .out = {PARA_OUT(s->y)},
                                                              .options = {.survival = &survival}});
    assert_true(status == PARA_OK || status == PARA_ERR_WORKER_DIED);
    for (size_t i = 0; status == PARA_OK && i < LENGTH; i++)
        wrong += s->y[i] != 1.0 + (double)i;
    assert_int_equal(wrong, 0);
    return status;
}

/* The pool goes on, once its breaker has closed. */
static void goes_on(const scene *s)
{
    while (call_scene(s, SPOILINGS, 0) == PARA_ERR_WORKER_DIED)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

TEST(kernel_that_spoils_once)
{
    alarm(SECONDS);
    for (int what = 0; what < SPOILINGS; what++) {
        scene s = make_scene();
        if (call_scene(&s, (spoiling)what, 1) != PARA_OK)
            fail_msg("spoiling %d: %s", what, para_status_detail());
        goes_on(&s);
        end_scene(&s);
    }
    alarm(0);
}

TEST(kernel_that_spoils_always)
{
    alarm(SECONDS);
    for (int what = 0; what < SPOILINGS; what++) {
        scene s = make_scene();
        const para_status status = call_scene(&s, (spoiling)what, UINT_MAX);
        /* Of the others some may be put right. */
        if (what == CALL || what == TICKETS || what == JOB || what == STOP)
            assert_int_equal(status, PARA_ERR_WORKER_DIED);
        goes_on(&s);
        end_scene(&s);
    }
    alarm(0);
}

/* What is tried once fails, and nothing of it is run again. */
TEST(spoilt_call_in_place)
{
    alarm(SECONDS);
    scene s = make_scene();
    deed d = s.deed;
    d.what = CALL;
    atomic_store(d.times, 1);
    para_report report;
    FAILS(PARA_ERR_WORKER_DIED, para_pmap(s.pool, &(para_map){.kernel = spoils_and_numbers,
                                                              .arg = &d,
                                                              .arg_bytes = sizeof d,
                                                              .count = LENGTH,
                                                              .out = {PARA_OUT(s.y)},
                                                              .once = 1,
                                                              .report = &report}));
    assert_true(report.deaths > 0);
    assert_non_null(strstr(para_status_detail(), "written over"));
    goes_on(&s);
    end_scene(&s);
    alarm(0);
}

/* After a death the words that a call uses are renewed, and no others. */
TEST(words_of_one_call_alone_are_renewed)
{
    alarm(SECONDS);
    scene s = make_scene();
    para__post *const post = &s.pool->shop->desk[0].post;
    (void)call_scene(&s, WORDS_OF_RUBBISH, 1);
    goes_on(&s);
    /* As many as calls have used since, and not all of them. */
    assert_true(post->sound <= WORKERS * PARA__PROCESS_TICKETS);
    end_scene(&s);
    alarm(0);
}

int main(void)
{
    if (UNDER_QEMU)
        return 0; /* it keeps a note for each page of a region, far more than there is memory */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernel_that_spoils_once),
        cmocka_unit_test(kernel_that_spoils_always),
        cmocka_unit_test(spoilt_call_in_place),
        cmocka_unit_test(words_of_one_call_alone_are_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

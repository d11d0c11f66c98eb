#include "data/purity.h"

#include "base/memory.h"
#include "base/module.h"
#include "base/symbol.h"
#include "base/log.h"
#include "base/variable.h"
#include "data/neutral.h"
#include "data/shadows.h"
#include "pool/default_pool.h"
#include "schedule/observer.h"

#include <errno.h>
#include <para/map.h>
#include <para/mutex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Behind scratch and accumulators: at least so much is watched. */
enum { GUARD = PARA__LINE };

struct para__purity {
    para__subject of;
    bool runs_again;
    para__shadows arrays;
    unsigned char *result, *first, *second; /* if it has one: before the call, and of each run */
    para__neutral neutral;                  /* if it has an identity */
    unsigned workers; /* of the second run, at most 64; they have numbers below this */
    para_mutex numbers;
    uint64_t taken;      /* numbers that are in use, under the mutex */
    size_t block;        /* elements of a kernel call, where a reduction is run again */
    size_t acc_at, room; /* bytes of a participant: scratch, a guard, accumulator, a guard */
    size_t bytes;        /* of this block */
    para__atomic_u32 is_faulty;
    para__finding fault; /* the first that a participant has seen; written by who sets is_faulty */
};

/* The thread's kernel whose next call is not checked. A key: a module's thread-local memory is
 * scarce where it is loaded late. */
static para__key skipped;

/* ---- What is said --------------------------------------------------------------------- */

static para__symbol subject_name(const para__subject *of)
{
    para__symbol symbol;
    const int saved = errno;
    para__symbol_find(of->reduce  ? (uintptr_t)of->reduce->kernel
                      : of->again ? of->kernel
                                  : (uintptr_t)of->map,
                      &symbol);
    errno = saved;
    return symbol;
}

static para_status impure(const para__purity *p, const para__finding *found)
{
    const para__symbol symbol = subject_name(&p->of);
    para__log(PARA_LOG_IMPURE, p->of.options->site, "%.50s (%.60s): %s", symbol.name, symbol.place,
              found->text);
    return para__fail(PARA_ERR_IMPURE, "%.50s (%.60s): %s", symbol.name, symbol.place, found->text);
}

/* Once in a process: of such kernels there may be many. */
static void tell_unchecked(const para__subject *of)
{
    static para__atomic_bool is_told;
    if (para__swap_relaxed(&is_told, true)) /* no order: it guards nothing */
        return;
    const para__symbol symbol = subject_name(of);
    para__tell(
        PARA_LOG_UNCHECKED,
        "PARA_CHECK_KERNELS: %s (%s) and others like it are not run a second time: para does "
        "not know what they write",
        symbol.name, symbol.place);
}

/* By a participant. Of several faults one is told. */
__attribute__((format(printf, 2, 3))) static void note(para__purity *p, const char *format, ...)
{
    uint32_t none = 0;
    if (!para__cas_relaxed(&p->is_faulty, &none, 1)) /* no order: it is read after the call */
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->fault.text, sizeof p->fault.text, format, arguments);
    va_end(arguments);
}

/* ---- The kernel in the second run ------------------------------------------------------- */

/* A number for the participant that has this chunk: from chunk to chunk another one, also where one
 * thread runs them all. No two have the same at a time. */
static unsigned take_worker(para__purity *p, size_t chunk)
{
    unsigned number = (unsigned)((chunk + 1) % p->workers);
    para_mutex_lock(&p->numbers);
    if (p->taken >> number & 1)
        number = (unsigned)__builtin_ctzll(~p->taken);
    p->taken |= (uint64_t)1 << number;
    para_mutex_unlock(&p->numbers);
    return number;
}

static void give_worker(para__purity *p, unsigned number)
{
    para_mutex_lock(&p->numbers);
    p->taken &= ~((uint64_t)1 << number);
    para_mutex_unlock(&p->numbers);
}

/* Calls the kernel for the chunk of that number, which points where it should; acc is NULL in a
 * map. Kernels get scratch of other contents each time, and an accumulator with a guard behind
 * it. */
static int call_kernel(para__purity *p, const para_chunk *chunk, size_t number, void *memory,
                       void *acc)
{
    const para__subject *const of = &p->of;
    const size_t scratch_bytes = of->scratch_bytes;
    const size_t acc_bytes = acc ? of->reduce->result_bytes : 0;
    unsigned char *const scratch = memory, *const own = scratch + p->acc_at;
    para_chunk given = *chunk;
    given.worker = take_worker(p, number);
    given.scratch = scratch_bytes ? scratch : NULL;
    memset(scratch, (int)(0x55 + chunk->first % 7 * 0x11), scratch_bytes);
    memset(scratch + scratch_bytes, PARA__UNTOUCHED, p->room - scratch_bytes);
    if (acc)
        memcpy(own, acc, acc_bytes);
    const int error = of->map ? of->map(&given, of->arg) : of->reduce->kernel(&given, own, of->arg);
    if (acc)
        memcpy(acc, own, acc_bytes);
    give_worker(p, given.worker);
    const size_t end = chunk->first + chunk->count;
    if (error)
        note(p, "returns %d for elements [%zu, %zu) in another run", error, chunk->first, end);
    if (!para__is_untouched(scratch + scratch_bytes, p->acc_at - scratch_bytes))
        note(p, "writes beyond its scratch, for elements [%zu, %zu)", chunk->first, end);
    if (!para__is_untouched(own + acc_bytes, p->room - p->acc_at - acc_bytes))
        note(p, "writes beyond its accumulator, for elements [%zu, %zu)", chunk->first, end);
    return error;
}

/* The last piece comes first. */
static int run_piece(const para_chunk *chunk, const void *arg)
{
    para__purity *const p = *(para__purity *const *)arg;
    const para__shadows *const s = &p->arrays;
    const size_t k = s->pieces - 1 - chunk->first;
    const size_t first = para__shadows_piece(s, k);
    const size_t count = para__shadows_piece(s, k + 1) - first;
    const void *in[PARA_IN_MAX] = {NULL};
    void *out[PARA_OUT_MAX] = {NULL};
    void *acc = NULL;
    if (count == 0)
        return 0;
    for (unsigned o = 0; o < s->out_count; o++)
        out[o] = s->out[o].shadow[k & 1] + first * s->out[o].step;
    for (unsigned i = 0; i < s->in_count; i++) {
        const para__likeness *const l = &s->in[i];
        in[i] = l->output < PARA_OUT_MAX ? out[l->output] : l->data + first * l->step;
    }
    if (p->of.reduce) { /* of which outputs alone are looked at */
        const size_t bytes = p->of.reduce->result_bytes;
        acc = (unsigned char *)chunk->scratch + p->room;
        if (p->of.reduce->identity)
            memcpy(acc, p->of.reduce->identity, bytes);
        else
            memset(acc, 0, bytes);
    }
    const para_chunk own = {
        .first = first, .count = count, .in = in, .out = out, .kind = chunk->kind};
    (void)call_kernel(p, &own, k, chunk->scratch, acc);
    return 0;
}

static int run_block(const para_chunk *chunk, void *acc, const void *arg)
{
    para__purity *const p = *(para__purity *const *)arg;
    return call_kernel(p, chunk, chunk->first / p->block, chunk->scratch, acc);
}

static void combine_again(void *acc, const void *rhs, const void *arg)
{
    const para__subject *const of = &(*(para__purity *const *)arg)->of;
    of->reduce->combine(acc, rhs, of->arg);
}

/* ---- Before the first run --------------------------------------------------------------- */

/* Places all copies in a block that begins there; returns its size. */
static size_t place_all(para__purity *p, uintptr_t block)
{
    uintptr_t at = block + para__round_up(sizeof *p, PARA__LINE);
    p->result = para__take_bytes(&at, p->of.result_bytes);
    p->first = para__take_bytes(&at, p->of.result_bytes);
    p->second = para__take_bytes(&at, p->of.result_bytes);
    if (p->of.combine)
        para__neutral_place(&p->neutral, &at, p->of.result_bytes);
    para__shadows_place(&p->arrays, &at);
    return at - block;
}

bool para__purity_skip(uintptr_t kernel)
{
    return para__key_set(&skipped, (void *)kernel);
}

bool para__purity_skips(uintptr_t kernel)
{
    return para__load_relaxed(&para__watched) & PARA__WATCH_PURITY && /* see observer.h */
           (uintptr_t)para__key_value(&skipped) == kernel;
}

/* Whether it is a second run, or para's own. */
static bool is_own(const para__subject *subject)
{
    if (subject->map)
        return subject->map == run_piece;
    if (subject->reduce)
        return subject->reduce->kernel == run_block;
    const bool skips = para__purity_skips(subject->kernel);
    if (skips)
        (void)para__purity_skip(0);
    return skips;
}

para_status para__purity_begin(para__purity **purity, const para__subject *subject)
{
    *purity = NULL;
    if (is_own(subject) ||
        !(para__load_relaxed(&para__watched) & PARA__WATCH_PURITY)) /* see observer.h */
        return PARA_OK;
    const bool runs_again = !subject->once && (!subject->map || subject->views->out_count);
    if (!runs_again)
        tell_unchecked(subject);
    if (!runs_again && subject->views->in_count == 0 && !subject->combine)
        return PARA_OK;
    para__purity plan = {.of = *subject,
                         .runs_again = runs_again,
                         .arrays = {.count = subject->count, .has_shadows = runs_again}};
    para__shadows_describe(&plan.arrays, subject->in, subject->out, subject->views);
    plan.bytes = place_all(&plan, 0) + (size_t)PARA__MARGIN * 2 * plan.arrays.out_count;
    para__purity *const p = para__block_alloc(plan.bytes);
    if (!p) {
        const para__symbol symbol = subject_name(subject);
        return para__fail(PARA_ERR_MEMORY, "PARA_CHECK_KERNELS: copies of %zu bytes for %s (%s)",
                          plan.bytes, symbol.name, symbol.place);
    }
    memcpy(p, &plan, sizeof plan);
    (void)place_all(p, (uintptr_t)p);
    para__shadows_keep(&p->arrays);
    if (subject->result)
        memcpy(p->result, subject->result, subject->result_bytes);
    *purity = p;
    return PARA_OK;
}

/* ---- The second run --------------------------------------------------------------------- */

/* How many participants the call may have in its pool, which is made if need be. */
static unsigned most_workers(const para__subject *of, para_pool *pool)
{
    const unsigned asked = of->options->workers;
    if (of->options->executor == PARA_EXECUTOR_SERIAL ||
        (!pool && !para__default_pool_offer(&pool)))
        return 1;
    const unsigned workers = para__min(pool->executor->width(pool), 64);
    return asked ? para__min(asked, workers) : workers;
}

/* Shared, if it may be. */
static para_options options_again(const para__purity *p)
{
    return (para_options){.workers = p->workers,
                          .executor =
                              p->workers == 1 ? PARA_EXECUTOR_SERIAL : PARA_EXECUTOR_THREADS};
}

/* A second run of a call with blocks: on fewer workers than before, or on all. */
static para_options options_narrower(const para__purity *p, unsigned width)
{
    para_options options = options_again(p);
    if (width == 2)
        options.executor = PARA_EXECUTOR_SERIAL;
    else if (width > 2)
        options.workers = width - 1;
    return options;
}

/* Runs the kernel in other chunks, into the shadows. They are no longer than the call allows. */
static para_status run_pieces(para__purity *p, para_pool *pool)
{
    const para__subject *const of = &p->of;
    const size_t most = para__min(of->most ? of->most : of->count, of->count);
    const size_t fits = most > 1 ? most - (most - 1) / 3 - 1 : 1; /* and half as many more */
    const size_t wanted = para__max(of->count / (8 * (size_t)p->workers + 3), 1);
    para__shadows_prepare(&p->arrays, para__min(wanted, fits));
    para_map again = {.kernel = run_piece,
                      .arg = &p,
                      .count = p->arrays.pieces,
                      .scratch_bytes = p->room + (of->reduce ? of->reduce->result_bytes : 0),
                      .options = options_again(p)};
    again.options.chunk = 1;
    return para_pmap(pool, &again);
}

/* The reduction once more: in the same blocks, which are a part of what it computes, or where they
 * are not, in others; on fewer workers than before, or on all. */
static para_status run_blocks(para__purity *p, para_pool *pool, unsigned width)
{
    const para_reduce *const reduce = p->of.reduce;
    para__shadows *const s = &p->arrays;
    const size_t block =
        reduce->block ? reduce->block : para_reduce_block(reduce->count, reduce->result_bytes);
    para_reduce again = *reduce;
    again.kernel = run_block;
    again.combine = combine_again;
    again.arg = &p;
    again.result = p->second;
    p->block = reduce->exact == 1 ? block - block / 3 : block;
    again.block = p->block;
    again.exact = 0;
    again.report = NULL;
    again.scratch_bytes = p->room;
    again.options = options_narrower(p, width);
    para__shadows_prepare(s, s->count);
    for (unsigned o = 0; o < s->out_count; o++)
        again.out[o].data = s->out[o].shadow[0];
    for (unsigned k = 0; k < s->in_count; k++)
        if (s->in[k].output < PARA_OUT_MAX)
            again.in[k].data = again.out[s->in[k].output].data;
    memcpy(p->second, p->result, reduce->result_bytes);
    const para_status status = para_preduce(pool, &again);
    return status == PARA_ERR_KERNEL ? PARA_OK : status; /* it was noted */
}

/* The whole call once more. */
static para_status run_call(para__purity *p, para_pool *pool, unsigned width)
{
    const para__subject *const of = &p->of;
    para__shadows *const s = &p->arrays;
    para__again with = {
        .call = of->call, .pool = pool, .options = options_narrower(p, width), .result = p->second};
    para__shadows_prepare(s, s->count);
    for (unsigned o = 0; o < s->out_count; o++)
        with.out[o] = (para_out){s->out[o].shadow[0], of->out[o].element_bytes};
    for (unsigned k = 0; k < s->in_count; k++) {
        with.in[k] = of->in[k];
        if (s->in[k].output < PARA_OUT_MAX)
            with.in[k].data = with.out[s->in[k].output].data;
    }
    if (of->result)
        memcpy(p->second, p->result, of->result_bytes);
    if (!para__purity_skip(of->kernel))
        return para__fail(PARA_ERR_MEMORY, "PARA_CHECK_KERNELS: no value of a thread");
    const para_status status = of->again(&with);
    (void)para__purity_skip(0);
    if (status == PARA_ERR_KERNEL)
        note(p, "returns an error in another run");
    return status == PARA_ERR_KERNEL ? PARA_OK : status;
}

/* What a second run has shown. */
static para_status compare_runs(const para__purity *p)
{
    para__finding found;
    if (p->fault.text[0])
        return impure(p, &p->fault);
    const bool agree = para__shadows_inputs_are_kept(&p->arrays, &found) &&
                       para__shadows_agree(&p->arrays, &found);
    return agree ? PARA_OK : impure(p, &found);
}

static para_status compare_results(const para__purity *p)
{
    const size_t bytes = p->of.result_bytes;
    para__finding found;
    for (size_t b = 0; b < bytes; b++)
        if (p->first[b] != p->second[b]) {
            para__finding_of(&found, "the result", p->first, p->second, bytes, b);
            return impure(p, &found);
        }
    return PARA_OK;
}

static para_status check_again(para__purity *p, para_pool *pool, unsigned width)
{
    const para__subject *const of = &p->of;
    para_status status = PARA_OK;
    p->workers = most_workers(of, pool);
    p->acc_at = para__round_up(of->scratch_bytes, PARA__LINE) + GUARD;
    p->room = p->acc_at;
    if (of->reduce)
        p->room += para__round_up(of->reduce->result_bytes, PARA__LINE) + GUARD;
    if (p->arrays.out_count && !of->again) {
        status = run_pieces(p, pool);
        if (!status)
            status = compare_runs(p);
    }
    if (!status && of->again)
        status = run_call(p, pool, width);
    else if (!status && of->reduce)
        status = run_blocks(p, pool, width);
    if (!status && !of->map)
        status = compare_runs(p);
    if (!status && !of->map)
        status = compare_results(p);
    return status;
}

static para_status check_identity(const para__purity *p)
{
    static const para__finding found = {"the identity changes a result"};
    const para__monoid monoid = {.combine = p->of.combine,
                                 .arg = p->of.arg,
                                 .identity = p->of.identity,
                                 .bytes = p->of.result_bytes};
    return para__is_neutral(&monoid, &p->neutral, p->first) ? PARA_OK : impure(p, &found);
}

/* While it checks, the result is what it was before the call: it may be a part of an input. */
para_status para__purity_end(para__purity *p, para_pool *pool, unsigned width, para_status status)
{
    para__finding found;
    void *const result = p->of.result;
    const size_t result_bytes = p->of.result_bytes;
    if (!status && result) {
        memcpy(p->first, result, result_bytes);
        memcpy(result, p->result, result_bytes);
    }
    const bool is_done = status == PARA_OK;
    if (is_done && !para__shadows_inputs_are_kept(&p->arrays, &found))
        status = impure(p, &found);
    else if (is_done && p->runs_again)
        status = check_again(p, pool, width);
    if (is_done && !status && p->of.combine)
        status = check_identity(p);
    if (!status && result)
        memcpy(result, p->first, result_bytes);
    para__block_free(p, p->bytes);
    return status;
}

/* ---- Whether calls are checked ---------------------------------------------------------- */

bool para_check_kernels(bool checks)
{
    const uint32_t before = checks
                                ? para__or_relaxed(&para__watched, PARA__WATCH_PURITY)
                                : para__and_relaxed(&para__watched, ~(uint32_t)PARA__WATCH_PURITY);
    return before & PARA__WATCH_PURITY; /* no order: see observer.h */
}

__attribute__((constructor(101))) static void begin_checks(void)
{
    const char *const value = para__variable("PARA_CHECK_KERNELS");
    para__key_make(&skipped, NULL);
    bool checks = false;
    if (!value)
        return;
    if (!para__truth(value, &checks))
        para__tell(PARA_LOG_VARIABLE,
                   "PARA_CHECK_KERNELS=%.80s: expected " PARA__TRUTHS "; ignored", value);
    else if (checks)
        (void)para_check_kernels(true);
}

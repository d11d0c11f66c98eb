/* para_psort: parts, sorted by one participant each; then rounds, in which pairs of runs are merged
 * from one array to the other, each pair in pieces.
 *
 * Where pieces begin is found by co-ranking, by the caller, between rounds. It keeps them in order
 * whatever a compare function returns, so that every element goes to exactly one place. A round
 * that has begun is finished also when the call is cancelled, for the same reason. */
#include "base/bounds.h"
#include "base/status.h"
#include "base/tuning_data.h"
#include "base/tuning_memory.h"
#include "data/aim.h"
#include "data/call.h"
#include "data/isolated.h"
#include "data/order.h"
#include "data/purity.h"
#include "plan/divide.h"
#include "pool/default_pool.h"

#include <para/find.h>
#include <para/sort.h>
#include <string.h>

typedef struct sort_job {
    para__order order;
    char *data, *other;
    const char *given; /* on worker processes: what data is a copy of, which nobody changes */
    size_t count;
    size_t part;     /* elements of a part */
    bool into_other; /* parts, so that the last round ends in data */
    const para_cancel *cancel;
    /* Of a round: */
    char *from, *to;
    size_t run;     /* elements of a run that is merged; the last may have fewer */
    size_t cuts;    /* pieces of a pair */
    size_t *splits; /* [pairs][cuts + 1]: elements of the first run before each piece. Before the
                       first round [parts]: whether it is sorted */
} sort_job;

_Static_assert(sizeof(sort_job) <= PARA__PAYLOAD_BYTES, "a job has room in a job descriptor");

static void run_parts(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const sort_job *job = payload;
    const size_t bytes = job->order.bytes;
    for (size_t p = first; p < first + count; p++) {
        const size_t begin = p * job->part;
        const size_t n = para__min(job->part, job->count - begin);
        char *const data = job->data + begin * bytes, *const other = job->other + begin * bytes;
        if (para__runner_stops(runner, begin) || para__runner_is_cancelled(runner, job->cancel)) {
            const size_t end = para__block_end(first + count, job->part, job->count);
            para__runner_leave_out(runner, end - begin);
            return;
        }
        if (job->given)
            memcpy(data, job->given + begin * bytes, n * bytes);
        para__order_sort(&job->order, data, other, n, job->into_other);
        para__runner_record(runner, begin, n, 0);
        job->splits[p] = 1; /* it is where it belongs */
    }
}

/* Parts that a cancelled call has not sorted go with the others. */
static void move_unsorted(const sort_job *job)
{
    const size_t bytes = job->order.bytes;
    for (size_t p = 0; p * job->part < job->count; p++)
        if (!job->splits[p] && job->into_other) {
            const size_t begin = p * job->part, n = para__min(job->part, job->count - begin);
            memcpy(job->other + begin * bytes, job->data + begin * bytes, n * bytes);
        }
}

static void run_merges(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const sort_job *job = payload;
    const size_t bytes = job->order.bytes;
    for (size_t u = first; u < first + count; u++) {
        const size_t pair = u / job->cuts, cut = u % job->cuts;
        const size_t begin = pair * 2 * job->run;
        const size_t x_all = para__min(job->run, job->count - begin);
        const size_t y_all = para__min(job->run, job->count - begin - x_all);
        const size_t *const split = &job->splits[pair * (job->cuts + 1) + cut];
        const size_t k = para__share(x_all + y_all, job->cuts, cut);
        const size_t end = para__share(x_all + y_all, job->cuts, cut + 1);
        if (para__runner_stops(runner, begin + k)) /* a worker process has died too often */
            return;
        const size_t y = k - split[0], y_end = end - split[1];
        char *const to = job->to + (begin + k) * bytes;
        const char *const from = job->from + begin * bytes;
        para__order_merge(&job->order, to, from + split[0] * bytes, split[1] - split[0],
                          from + (x_all + y) * bytes, y_end - y);
        para__runner_record(runner, begin + k, end - k, 0);
    }
}

/* Of runs that are merged in a round. */
static size_t pairs_of(const sort_job *job)
{
    return (job->count - 1) / (2 * job->run) + 1;
}

/* Cuts all pairs of a round into pieces. */
static void cut_pairs(const sort_job *job, size_t pairs)
{
    const size_t bytes = job->order.bytes;
    size_t *split = job->splits;
    for (size_t pair = 0; pair < pairs; pair++) {
        const size_t begin = pair * 2 * job->run;
        const size_t x_count = para__min(job->run, job->count - begin);
        const size_t y_count = para__min(job->run, job->count - begin - x_count);
        const char *const x = job->from + begin * bytes, *const y = x + x_count * bytes;
        size_t k = 0, low = 0;
        *split++ = 0;
        for (size_t cut = 1; cut <= job->cuts; cut++) {
            const size_t last = k;
            k = para__share(x_count + y_count, job->cuts, cut);
            const size_t rank = cut == job->cuts
                                    ? x_count
                                    : para__order_co_rank(&job->order, k, x, x_count, y, y_count);
            low = para__clamp(rank, low, low + (k - last));
            *split++ = low;
        }
    }
}

/* A round is over: the next one merges from where it has merged to. */
static void take_merged(sort_job *job)
{
    char *const merged = job->to;
    job->to = job->from;
    job->from = merged;
}

static void merge_rounds(para__schedule *s, void *state, para__outcome *outcome)
{
    sort_job *job = state;
    const size_t pieces = (size_t)PARA__SORT_PIECES * para__schedule_width_most(s);
    if (outcome->tally.ending != PARA__ENDED_FORKED)
        move_unsorted(job);
    job->from = job->into_other ? job->other : job->data;
    job->to = job->into_other ? job->data : job->other;
    for (job->run = job->part; job->run < job->count; job->run *= 2) {
        if (outcome->tally.ending == PARA__ENDED_FORKED)
            return;
        if (job->cancel && para__cancel_is_requested(job->cancel)) {
            outcome->tally.ending = PARA__ENDED_CANCELLED;
            break;
        }
        const size_t pairs = pairs_of(job);
        job->cuts = para__max(pieces / pairs, 1);
        cut_pairs(job, pairs);
        const size_t units = pairs * job->cuts;
        para__schedule_more(
            s,
            &(para__job){
                .run = run_merges, .payload = job, .payload_bytes = sizeof *job, .units = units},
            (para__range){0, units}, outcome);
        take_merged(job);
    }
    if (job->from != job->data)
        memcpy(job->data, job->from, job->count * job->order.bytes);
}

/* ---- On worker processes: from copy to copy, so that each step may be tried again ----------- */

/* `compare` is the program's, so pairs are cut there as well. */
static void run_cuts(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const sort_job *job = payload;
    (void)first;
    (void)count;
    (void)runner;
    cut_pairs(job, pairs_of(job));
}

static void merge_apart(para__schedule *s, void *state, para__outcome *outcome)
{
    para__call *const call = para__call_of(s);
    sort_job *const job = state;
    const size_t pieces = (size_t)PARA__SORT_PIECES * s->plan.width;
    job->from = job->into_other ? job->other : job->data;
    job->to = job->into_other ? job->data : job->other;
    for (job->run = job->part; job->run < job->count; job->run *= 2) {
        const size_t pairs = pairs_of(job);
        job->cuts = para__max(pieces / pairs, 1);
        if (job->cancel && para_cancel_requested(s->options->cancel))
            outcome->tally.ending = PARA__ENDED_CANCELLED;
        para__job more = {
            .run = run_cuts, .payload = job, .payload_bytes = sizeof *job, .units = 1};
        if (!para__isolated_more(call, &more, 0, false, outcome))
            return;
        more.run = run_merges;
        more.units = pairs * job->cuts;
        if (!para__isolated_more(call, &more, 0, false, outcome))
            return;
        take_merged(job);
    }
}

static bool lay_out_sort(sort_job *job, para__call *call, size_t parts, char *small,
                         size_t small_bytes);

/* By key the caller looks, since para compares keys. */
static bool is_in_order(const para_sort *sort, const sort_job *job)
{
    const para_cancel *const cancel = sort->options.cancel;
    return !sort->compare && !(cancel && para_cancel_requested(cancel)) &&
           !para__order_descends(&job->order, job->given, job->count - 1);
}

static para_status sort_apart(para__call *call, const para_sort *sort, sort_job *job, size_t parts)
{
    para__isolated isolated;
    const para_in in[PARA_IN_MAX] = {{sort->data.data, job->order.bytes}};
    static const para_out none[PARA_OUT_MAX] = {{NULL, 0}};
    para__views views;
    para_status status = para__views_check(in, none, NULL, job->count, &views);
    if (!status)
        status = para__isolated_begin(&isolated, call,
                                      &(para__isolable){.views = &views,
                                                        .in = in,
                                                        .out = none,
                                                        .count = job->count,
                                                        .arg = &job->order.arg,
                                                        .arg_bytes = sort->arg_bytes,
                                                        .cancel = &job->cancel,
                                                        .is_one = true,
                                                        .name = "data"});
    if (!status && !lay_out_sort(job, call, parts, NULL, 0))
        status =
            para__fail(PARA_ERR_MEMORY, "%zu elements of %zu bytes", job->count, job->order.bytes);
    if (status)
        return para__call_give_up(call, status);
    job->given = views.view[0].data;
    if (is_in_order(sort, job)) {
        para__schedule_release_fp(&call->schedule, 0);
        if (sort->report)
            sort->report->done = job->count;
        return PARA_OK;
    }
    para__job shared = {.run = run_parts,
                        .payload = job,
                        .payload_bytes = sizeof *job,
                        .units = (job->count - 1) / job->part + 1};
    para__isolated_describe(call, &shared, job->part);
    status = para__call_run_phases(call, &shared, merge_apart, job);
    if (!status)
        memcpy(sort->data.data, job->from, job->count * job->order.bytes);
    return status;
}

/* ---- Whether there is anything to sort -------------------------------------------------- */

typedef struct descent {
    para__order order;
    const char *data;
} descent;

static int find_descent(const para_chunk *chunk, size_t *found, const void *arg)
{
    const descent *d = arg;
    if (para__order_descends(&d->order, d->data + chunk->first * d->order.bytes, chunk->count))
        *found = 0;
    return 0;
}

/* Looks at the first pairs here: where there is something to sort, these show it mostly. */
static para_status look_through(para_pool *pool, const para_sort *sort, const para__order *order,
                                bool *is_sorted)
{
    const size_t pairs = sort->count - 1, few = para__min(pairs, PARA__SORT_LOOK);
    const descent arg = {*order, sort->data.data};
    *is_sorted = false;
    if (para__order_descends(order, sort->data.data, few))
        return PARA_OK;
    size_t found = pairs;
    (void)para__purity_skip((uintptr_t)find_descent); /* else it is checked as well */
    const para_status status = para_pfind(
        pool,
        &(para_find){.kernel = find_descent,
                     .arg = &arg,
                     .count = pairs,
                     .found = &found,
                     .options = {.workers = sort->options.workers,
                                 .executor = sort->options.executor,
                                 .cancel = sort->options.cancel,
                                 .site = (uintptr_t)sort->compare + sort->key + sort->options.site},
                     .report = sort->report});
    *is_sorted = found == pairs;
    return status;
}

/* ---- The call --------------------------------------------------------------------------- */

static para_status check_sort(const para_sort *sort)
{
    const size_t bytes = sort->data.element_bytes;
    size_t all;
    if ((unsigned)sort->key > PARA_KEY_F64)
        return para__fail(PARA_ERR_ARGUMENT, "unknown key %d", (int)sort->key);
    if (!sort->compare == !sort->key)
        return para__fail(PARA_ERR_ARGUMENT, "%s of compare and key is given",
                          sort->key ? "each" : "none");
    const para_status status = para__options_check(&sort->options, sort->reserved[0]);
    if (status)
        return status;
    if (bytes == 0)
        return sort->data.data ? para__fail(PARA_ERR_ELEMENT_SIZE, "data")
                               : para__fail(PARA_ERR_NULL_VIEW, "data");
    if (!sort->data.data && sort->count)
        return para__fail(PARA_ERR_NULL_VIEW, "data of %zu elements", sort->count);
    if (sort->count > PTRDIFF_MAX)
        return para__fail(PARA_ERR_OVERFLOW, "the count is negative: %td", (ptrdiff_t)sort->count);
    if (__builtin_mul_overflow(sort->count, bytes, &all) || all > SIZE_MAX / 4)
        return para__fail(PARA_ERR_OVERFLOW, "%zu elements of %zu bytes", sort->count, bytes);
    if (sort->key) {
        const size_t key_bytes = para__order_of(sort).key_bytes;
        if (bytes < key_bytes || sort->key_offset > bytes - key_bytes)
            return para__fail(PARA_ERR_ARGUMENT, "a key of %zu bytes at %zu in an element of %zu",
                              key_bytes, sort->key_offset, bytes);
    }
    return PARA_OK;
}

/* How many parts the call may be divided into, with so many participants. */
static size_t most_parts(const sort_job *job, unsigned workers)
{
    const bool by_key = !job->order.compare;
    const size_t parts = by_key ? workers : (size_t)workers * PARA__SORT_PARTS;
    const size_t fit =
        job->count / (by_key ? PARA__SORT_LEAST_BY_KEY : PARA__SORT_LEAST_BY_COMPARE);
    const size_t most = para__max(para__min(parts, fit), 1);
    const size_t part = (job->count - 1) / most + 1;
    return (job->count - 1) / part + 1;
}

/* As much as the array, then the splits of a round. */
static bool lay_out_sort(sort_job *job, para__call *call, size_t parts, char *small,
                         size_t small_bytes)
{
    const unsigned width = para__schedule_width_most(&call->schedule);
    const bool is_apart = call->isolated != NULL;
    parts = para__schedule_is_alone(&call->schedule) && !is_apart ? 1 : parts;
    job->part = (job->count - 1) / parts + 1;
    job->into_other = false;
    for (size_t run = job->part; run < job->count; run *= 2)
        job->into_other = !job->into_other;
    const size_t bytes = para__round_up(job->count * job->order.bytes, sizeof *job->splits);
    const size_t splits = 2 * parts + (size_t)2 * PARA__SORT_PIECES * width;
    const size_t all = (is_apart ? 2 : 1) * bytes + splits * sizeof *job->splits;
    job->other = all <= small_bytes ? small : para__call_memory(call, all);
    if (!job->other)
        return false;
    job->splits = (size_t *)(void *)(job->other + bytes);
    if (is_apart) {
        job->data = job->other + bytes;
        job->splits = (size_t *)(void *)(job->data + bytes);
    }
    return true;
}

/* *width: the participants that it had. */
static para_status sort_all(para_pool *pool, const para_sort *sort, unsigned *width)
{
    para_status status = PARA_OK;
    sort_job job = {.order = para__order_of(sort),
                    .data = sort->data.data,
                    .count = sort->count,
                    .cancel = sort->options.cancel};
    bool is_sorted = sort->count < 2;
    if (!is_sorted && !(pool && pool->shop)) /* that one looks by itself */
        status = look_through(pool, sort, &job.order, &is_sorted);
    if (status || is_sorted)
        return status;
    if (sort->report)
        *sort->report = (para_report){0};
    size_t parts = 1;
    if (most_parts(&job, 2) > 1) { /* else the call needs no pool */
        if (!pool && !para__default_pool_offer(&pool))
            pool = para__default_pool_begin();
        const unsigned workers = pool->is_novice ? 1 : para__workers_for(pool, &sort->options);
        const unsigned asked = sort->options.workers;
        parts = most_parts(&job, asked ? para__min(workers, asked) : workers);
    }

    /* Calls are alike that have the same compare function, or the same kind of key. */
    const uintptr_t alike =
        sort->compare ? (uintptr_t)sort->compare : (uintptr_t)para_psort + (unsigned)sort->key;
    para__call call;
    para__schedule_describe(&call.schedule, (void (*)(void))alike, job.count, parts,
                            &sort->options);
    para__call_begin(&call, pool, sort->report);
    if (call.schedule.isolated) {
        status = sort_apart(&call, sort, &job, parts);
        para__call_end(&call);
        return status;
    }
    _Alignas(PARA__LINE) char small[PARA__SMALL_SORT_BYTES];
    while (!status && !lay_out_sort(&job, &call, parts, small, sizeof small))
        if (!para__schedule_lacks_memory(&call.schedule))
            status = para__fail(PARA_ERR_MEMORY, "%zu elements of %zu bytes", job.count,
                                job.order.bytes);
    if (status) {
        para__call_give_up(&call, status);
    } else {
        const size_t units = (job.count - 1) / job.part + 1;
        memset(job.splits, 0, units * sizeof *job.splits);
        status = para__call_run_phases(
            &call,
            &(para__job){
                .run = run_parts, .payload = &job, .payload_bytes = sizeof job, .units = units},
            merge_rounds, &job);
    }
    para__call_end(&call);
    *width = call.schedule.plan.width;
    return status;
}

static para_status sort_again(const para__again *with)
{
    para_sort sort = *(const para_sort *)with->call;
    sort.data = with->out[0];
    sort.options = with->options;
    sort.report = NULL;
    return para_psort(with->pool, &sort);
}

/* What a check looks at: the array, in place. */
typedef struct checked_sort {
    para_in in[PARA_IN_MAX];
    para_out out[PARA_OUT_MAX];
    para__views views;
    para__purity *purity;
} checked_sort;

/* Where calls are checked: the compare function; keys are compared by para. */
static para_status begin_sort_check(checked_sort *check, const para_sort *sort)
{
    *check =
        (checked_sort){.in = {{sort->data.data, sort->data.element_bytes}}, .out = {sort->data}};
    const para_status status =
        para__views_check(check->in, check->out, NULL, sort->count, &check->views);
    return status ? status
                  : para__purity_begin(&check->purity,
                                       &(para__subject){.again = sort_again,
                                                        .call = sort,
                                                        .kernel = (uintptr_t)sort->compare,
                                                        .count = sort->count,
                                                        .in = check->in,
                                                        .out = check->out,
                                                        .views = &check->views,
                                                        .options = &sort->options});
}

para_status para_psort(para_pool *pool, const para_sort *sort)
{
    unsigned width = 1;
    checked_sort check;
    if (!sort)
        return para__call_missing();
    para__call_clear(sort->report);
    para_status status = check_sort(sort);
    if (!status)
        status = para__call_check_pool(pool, &sort->options);
    if (status || sort->count == 0)
        return status;
    check.purity = NULL;
    if (sort->compare && !(pool && pool->shop))
        status = begin_sort_check(&check, sort);
    if (!status)
        status = sort_all(pool, sort, &width);
    return check.purity ? para__purity_end(check.purity, pool, width, status) : status;
}

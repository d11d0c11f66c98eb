/* para_pfind. A unit is an element, as in a map. What was found is recorded as a chunk that fails
 * is: it sets the same bound, beyond which no chunk begins, and of two the lower one remains. */
#include "base/bounds.h"
#include "base/status.h"
#include "base/tuning_data.h"
#include "data/aim.h"
#include "data/call.h"
#include "data/isolated.h"
#include "data/purity.h"
#include "data/views.h"

#include <para/find.h>
#include <string.h>

/* In the tally: not a chunk that failed, but the element that is sought. */
static const size_t found_here = SIZE_MAX;

typedef struct find_job {
    para_find_fn *kernel;
    const void *arg;
    size_t piece;
    const para_cancel *cancel;
    para__views views;
} find_job;

_Static_assert(sizeof(find_job) <= PARA__PAYLOAD_BYTES, "a job has room in a job descriptor");

static void run_find(const void *payload, size_t first, size_t count, para__runner *runner)
{
    const find_job *job = payload;
    para__aim aim;
    const size_t end = first + count;
    para__aim_begin(&aim, runner, NULL, job->cancel, first);
    while (count && !para__runner_stops(runner, first) &&
           !para__runner_is_cancelled(runner, job->cancel)) {
        const size_t n = para__min(count, job->piece);
        size_t found = n;
        para__aim_at(&aim, &job->views, first, n);
        if (para__aim_record(&aim, runner, job->kernel(&aim.chunk, &found, job->arg)))
            break;
        if (found < n) {
            para__runner_fail(runner, first + found, found_here, 1);
            break;
        }
        first += n;
        count -= n;
    }
    para__aim_end(&aim, runner, end);
}

static para_status isolate_find(para__isolated *isolated, para__call *call, const para_find *find,
                                find_job *job)
{
    static const para_out none[PARA_OUT_MAX] = {{NULL, 0}};
    return para__isolated_begin(isolated, call,
                                &(para__isolable){.views = &job->views,
                                                  .in = find->in,
                                                  .out = none,
                                                  .count = find->count,
                                                  .arg = &job->arg,
                                                  .arg_bytes = find->arg_bytes,
                                                  .cancel = &job->cancel});
}

/* What was found does not fail the call. */
static void take_found(para__schedule *s, void *state, para__outcome *outcome)
{
    size_t *found = state;
    para__tally *tally = &outcome->tally;
    if (tally->ending == PARA__ENDED_FAILED && tally->failed_count == found_here) {
        *found = para__min(tally->failed_first, *found); /* a worker process may tell anything */
        tally->ending = PARA__ENDED_WHOLE;
        s->timed = false; /* it tells nothing of what all elements cost */
    }
}

static para_status check_find(const para_find *find, find_job *job)
{
    if (!find->kernel)
        return para__fail(PARA_ERR_NULL_KERNEL, NULL);
    if (!find->found)
        return para__fail(PARA_ERR_NULL_RESULT, "found is NULL");
    static const para_out none[PARA_OUT_MAX] = {{NULL, 0}};
    const para_status status = para__options_check(&find->options, find->reserved[0]);
    return status ? status : para__views_check(find->in, none, NULL, find->count, &job->views);
}

static para_status find_again(const para__again *with)
{
    para_find find = *(const para_find *)with->call;
    const size_t asked = find.options.chunk ? find.options.chunk : PARA__FIND_PIECE;
    memcpy(find.in, with->in, sizeof find.in);
    find.found = with->result;
    find.options = with->options;
    find.options.chunk = asked - asked / 3;
    find.report = NULL;
    return para_pfind(with->pool, &find);
}

/* Where calls are checked. */
__attribute__((cold)) static para_status
begin_find_check(para__purity **purity, const para_find *find, const find_job *job)
{
    return para__purity_begin(purity, &(para__subject){.again = find_again,
                                                       .call = find,
                                                       .kernel = (uintptr_t)find->kernel,
                                                       .result = find->found,
                                                       .result_bytes = sizeof *find->found,
                                                       .count = find->count,
                                                       .in = find->in,
                                                       .views = &job->views,
                                                       .options = &find->options});
}

para_status para_pfind(para_pool *pool, const para_find *find)
{
    find_job job;
    if (!find)
        return para__call_missing();
    para__call_clear(find->report);
    para_status status = check_find(find, &job);
    if (!status)
        status = para__call_check_pool(pool, &find->options);
    if (status)
        return status;
    size_t found = find->count;
    unsigned width = 1;
    para__purity *purity = NULL;
    if (find->count) {
        para__call call;
        para__schedule_describe(&call.schedule, (void (*)(void))find->kernel, find->count,
                                find->count, &find->options);
        call.schedule.form = PARA__FORM_REDUCE;
        para__call_begin(&call, pool, find->report);
        const size_t asked = find->options.chunk ? find->options.chunk : PARA__FIND_PIECE;
        const bool is_whole = para__schedule_is_alone(&call.schedule) && !find->options.cancel;
        job.kernel = find->kernel;
        job.arg = find->arg;
        job.piece = is_whole || call.schedule.isolated
                        ? asked
                        : para__min(asked, para__schedule_piece(&call.schedule));
        job.cancel = find->options.cancel;
        para__isolated isolated;
        if (call.schedule.isolated)
            status = isolate_find(&isolated, &call, find, &job);
        else if (call.schedule.since_ns)
            status = begin_find_check(&purity, find, &job);
        para__job shared = {.run = run_find,
                            .payload = &job,
                            .payload_bytes = PARA__USED_BYTES(find_job, job.views),
                            .units = find->count};
        para__isolated_describe(&call, &shared, 1);
        status = status ? para__call_give_up(&call, status)
                        : para__call_run_phases(&call, &shared, take_found, &found);
        para__call_end(&call);
        width = call.schedule.plan.width;
    }
    if (!status)
        *find->found = found;
    return purity ? para__purity_end(purity, pool, width, status) : status;
}

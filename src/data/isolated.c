#include "data/isolated.h"

#include "base/bounds.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/module.h"
#include "base/status.h"
#include "data/aim.h"

#include <string.h>

/* ---- Before it runs ------------------------------------------------------------------------ */

static size_t element_bytes(const para__isolable *of, uint32_t v)
{
    const uint32_t n = of->views->in_count;
    return v < n ? of->in[v].element_bytes : of->out[v - n].element_bytes;
}

/* From a view's first byte to its last. Not more than the address space: views are checked. */
static size_t extent_of(const para__isolable *of, uint32_t v)
{
    return (of->count - 1) * of->views->view[v].bytes + element_bytes(of, v);
}

static para__region *region_of(const para__call *call)
{
    return para__workshop_region(call->schedule.pool->shop);
}

static bool works_in_place(const para__views *views)
{
    for (uint32_t o = views->in_count; o < views->in_count + views->out_count; o++)
        for (uint32_t i = 0; i < views->in_count; i++)
            if (views->view[o].data == views->view[i].data)
                return true;
    return false;
}

static para_status check_fill(const para_survival *s, const para__isolable *of)
{
    para_status status = PARA_OK;
    for (uint32_t o = 0; !status && s->fill && o < of->views->out_count; o++)
        if (of->out[o].element_bytes % s->fill_bytes)
            status = para__fail(PARA_ERR_ARGUMENT,
                                "survival.fill of %zu bytes: out[%u] has elements of %zu",
                                s->fill_bytes, o, of->out[o].element_bytes);
    return status;
}

/* The view that has the same memory as v and comes before it; v if there is none. */
static uint32_t same_view(const para__isolable *of, const para__views *given, uint32_t v)
{
    for (uint32_t u = 0; u < v; u++)
        if (given->view[u].data == given->view[v].data &&
            given->view[u].bytes == given->view[v].bytes &&
            element_bytes(of, u) == element_bytes(of, v))
            return u;
    return v;
}

/* Views that workers do not see get copies in one block. Those that are one stay one, so that a
 * call in place is one. */
static para_status bounce_views(para__isolated *is, para__call *call)
{
    const para__isolable *const of = &is->of;
    const uint32_t all = of->views->in_count + of->views->out_count;
    const para__views given = *of->views;
    size_t bytes = 0, at[PARA_IN_MAX + PARA_OUT_MAX];
    for (uint32_t v = 0; v < all; v++) {
        const uint32_t same = same_view(of, &given, v);
        const bool is_seen =
            para__workshop_sees(call->schedule.pool->shop, given.view[v].data, extent_of(of, v));
        const bool is_in = v < of->views->in_count;
        at[v] = SIZE_MAX;
        if (is_seen)
            continue;
        if (!is->survival->copies)
            return para__fail(
                PARA_ERR_NOT_SHARED,
                "%s[%u] is not in a buffer of the pool: make it by "
                "para_buffer_create with that pool, or by para_buffer_map_file, or set "
                "survival.copies",
                of->name ? of->name
                : is_in  ? "in"
                         : "out",
                is_in ? v : v - of->views->in_count);
        at[v] = bytes;
        if (same != v)
            at[v] = at[same];
        else if (para__round_up(extent_of(of, v), PARA__LINE) > SIZE_MAX / 2 - bytes)
            return para__fail(PARA_ERR_MEMORY, "copies of views");
        else
            bytes += para__round_up(extent_of(of, v), PARA__LINE);
    }
    if (bytes == 0)
        return PARA_OK;
    char *const block = para__desk_arena(call->schedule.desk, 1, bytes);
    if (!block)
        return para__fail(PARA_ERR_MEMORY, "copies of %zu bytes for worker processes", bytes);
    for (uint32_t v = 0; v < all; v++) {
        if (at[v] == SIZE_MAX)
            continue;
        is->bounced[v] = (para__bounced){.copy = block + at[v], .original = given.view[v].data};
        of->views->view[v].data = block + at[v];
        if (same_view(of, &given, v) == v)
            memcpy(block + at[v], given.view[v].data, extent_of(of, v));
    }
    return PARA_OK;
}

/* Arguments of a macro are copied as they are. What they point at is not: nobody says how long it
 * is. So it has to lie where workers see it. Sets *bytes to the size of their structure. */
static para_status check_parameters(const para__isolated *is, para__call *call, size_t *bytes)
{
    const char *const arguments = *is->of.arg;
    const para_parameter_ *p = is->of.parameters;
    for (; p->name; p++) {
        const void *to = NULL;
        if (p->kind == PARA_IS_OBJECT_)
            return para__fail(PARA_ERR_NOT_SHARED,
                              "argument %s is an object that copies itself, which no worker gets: "
                              "pass what it holds",
                              p->name);
        if (p->kind == PARA_IS_ADDRESS_)
            memcpy(&to, arguments + p->place, sizeof to);
        if (to && !para__workshop_sees(call->schedule.pool->shop, to, 1) &&
            !para__module_keeps((uintptr_t)to))
            return para__fail(PARA_ERR_NOT_SHARED,
                              "argument %s does not point into a buffer of the pool: make that by "
                              "para_buffer_create with that pool, or by para_buffer_map_file%s",
                              p->name,
                              is->survival->copies ? "; survival.copies copies views alone" : "");
    }
    *bytes = p->place;
    return PARA_OK;
}

/* What kernels read besides views. */
static para_status bounce_arguments(para__isolated *is, para__call *call)
{
    para__isolable *const of = &is->of;
    const para_status status =
        of->parameters ? check_parameters(is, call, &of->arg_bytes) : PARA_OK;
    if (status)
        return status;
    const bool has_arg = *of->arg && of->arg_bytes;
    const bool has_identity = of->identity && *of->identity;
    if (*of->arg && !has_arg && !para__region_has(region_of(call), *of->arg, 1))
        return para__fail(
            PARA_ERR_NOT_SHARED,
            "arg is not in a buffer of the pool: set arg_bytes, so that it is copied");
    const size_t arg_bytes = has_arg ? para__round_up(of->arg_bytes, PARA__LINE) : 0;
    const size_t bytes = has_identity ? of->identity_bytes : 0;
    if (arg_bytes > SIZE_MAX / 2 || bytes > SIZE_MAX / 2)
        return para__fail(PARA_ERR_ARGUMENT, "arg_bytes is %zu", of->arg_bytes);
    if (arg_bytes + bytes == 0)
        return PARA_OK;
    char *const block = para__desk_arena(call->schedule.desk, 2, arg_bytes + bytes);
    if (!block)
        return para__fail(PARA_ERR_MEMORY, "an argument of %zu bytes", of->arg_bytes);
    if (has_arg)
        *of->arg = memcpy(block, *of->arg, of->arg_bytes);
    if (has_identity)
        *of->identity = memcpy(block + arg_bytes, *of->identity, bytes);
    return PARA_OK;
}

/* ---- After it has run ------------------------------------------------------------------------ */

static void fill_elements(const para__isolated *is, size_t first, size_t count)
{
    const para__isolable *const of = &is->of;
    const para_survival *const s = is->survival;
    for (uint32_t o = 0; o < of->views->out_count; o++) {
        const size_t bytes = of->out[o].element_bytes;
        const size_t step = of->views->view[of->views->in_count + o].bytes;
        char *const data = of->views->view[of->views->in_count + o].data;
        for (size_t e = first; e < first + count; e++) {
            memset(data + e * step, 0, bytes);
            for (size_t b = 0; s->fill && b < bytes; b += s->fill_bytes)
                memcpy(data + e * step + b, s->fill, s->fill_bytes);
        }
    }
}

/* An output's elements, and nothing between them: that may be another's, and have changed. */
static void bring_back(const para__isolated *is)
{
    const para__isolable *const of = &is->of;
    const uint32_t n = of->views->in_count;
    for (uint32_t v = n; v < n + of->views->out_count; v++) {
        const para__bounced *const b = &is->bounced[v];
        const size_t bytes = element_bytes(of, v), step = of->views->view[v].bytes;
        if (!b->copy)
            continue;
        if (bytes == step) {
            memcpy(b->original, b->copy, of->count * bytes);
            continue;
        }
        for (size_t e = 0; e < of->count; e++)
            memcpy(b->original + e * step, b->copy + e * step, bytes);
    }
}

static para_status fail_died(const para_damage *d)
{
    char how[PARA_DEATH_TEXT];
    return para__fail(PARA_ERR_WORKER_DIED, "elements [%zu, %zu): %u worker%s died, the last %s",
                      d->first, d->first + d->count, d->attempts, d->attempts == 1 ? "" : "s",
                      para_death_text(d->death, d->number, how, sizeof how));
}

/* The elements of units that were lost. */
static void find_lost(const para__isolated *is, const para__lost *lost, para_damage *damage)
{
    const size_t count = is->of.count, end = lost->first + lost->count;
    damage->first = is->unit ? para__block_end(lost->first, is->unit, count) : 0;
    damage->count = (is->unit ? para__block_end(end, is->unit, count) : count) - damage->first;
}

static para_status settle_lost(para__call *call, const para__job *job, para__outcome *outcome)
{
    para__isolated *const is = call->isolated;
    const para_survival *const s = is->survival;
    const bool fills = s->on_crash == PARA_CRASH_FILLS && outcome->status == PARA_OK;
    para__lost lost;
    unsigned index = 0;
    while (para__desk_next_lost(call->schedule.desk, &index, &lost)) {
        para_damage d = {.attempts = lost.attempts, .death = lost.death, .number = lost.number};
        find_lost(is, &lost, &d);
        if (is->first.count == 0 || d.first < is->first.first)
            is->first = d;
        if (!is->is_later)
            outcome->left_out += d.count;
        if (fills) {
            fill_elements(is, d.first, d.count);
            outcome->filled += d.count;
            if (is->forget)
                is->forget(job->payload, lost.first, lost.count);
        }
        if (s->damaged && lost.attempts)
            s->damaged(&d, s->damaged_arg);
    }
    if (outcome->filled)
        para__log(PARA_LOG_ELEMENTS_LOST, outcome->filled, "%zu, the first of them %zu",
                  outcome->filled, is->first.first);
    if (outcome->status)
        return outcome->status;
    if (is->first.count && !fills)
        return fail_died(&is->first);
    if (outcome->tally.ending == PARA__ENDED_WHOLE)
        bring_back(is);
    return PARA_OK;
}

/* Whether all of the last job is done. */
static bool is_whole(const para__call *call, const para__outcome *outcome)
{
    para__lost lost;
    unsigned index = 0;
    return outcome->status == PARA_OK && outcome->tally.ending == PARA__ENDED_WHOLE &&
           !para__desk_next_lost(call->schedule.desk, &index, &lost);
}

bool para__isolated_more(para__call *call, para__job *job, size_t unit, bool once,
                         para__outcome *outcome)
{
    para_pool *const pool = call->schedule.pool;
    para__outcome more = {.workers = 0};
    if (!is_whole(call, outcome))
        return false;
    call->isolated->is_later = true;
    para__isolated_describe(call, job, unit);
    job->is_tried_once = once;
    job->kernel = call->schedule.kernel;
    pool->executor->run(pool, NULL, job, &call->schedule.plan, &more);
    para__tally_add(&outcome->tally, &more.tally);
    outcome->left_out += more.left_out;
    outcome->workers = para__max(outcome->workers, more.workers);
    outcome->deaths += more.deaths;
    outcome->status = more.status;
    return is_whole(call, outcome);
}

para_status para__isolated_finish(para__call *call, para__job *job)
{
    const para__isolated *const is = call->isolated;
    para_survival survival = *is->survival;
    para__outcome outcome = {0};
    para__lost lost;
    unsigned index = 0;
    survival.on_crash = PARA_CRASH_FAILS;
    para__plan one = call->schedule.plan;
    one.width = 1;
    job->survival = &survival;
    job->desk = call->schedule.desk;
    para_pool *const pool = call->schedule.pool;
    pool->executor->run(pool, NULL, job, &one, &outcome);
    if (outcome.status)
        return outcome.status;
    if (para__desk_next_lost(job->desk, &index, &lost))
        return fail_died(&(para_damage){.count = is->of.count,
                                        .attempts = lost.attempts,
                                        .death = lost.death,
                                        .number = lost.number});
    return PARA_OK;
}

static void tell_deaths(const para__call *call, const para__outcome *outcome)
{
    const para__isolated *const is = call->isolated;
    para_report *const report = call->report;
    report->deaths = outcome->deaths;
    report->filled = outcome->filled;
    if (is->first.count && outcome->filled == 0) {
        report->failed_first = is->first.first;
        report->failed_count = is->first.count;
    }
}

para_status para__isolated_begin(para__isolated *isolated, para__call *call,
                                 const para__isolable *of)
{
    if (!call->schedule.desk)
        return para__fail(PARA_ERR_ENDING, "the pool is being destroyed");
    para__workshop *const shop = call->schedule.pool->shop;
    const para_survival *const own = call->schedule.options->survival;
    *isolated = (para__isolated){.of = *of};
    isolated->survival = own ? own : para__workshop_survival(shop);
    para_status status = para__survival_check(isolated->survival);
    if (of->is_one) {
        isolated->own = *isolated->survival;
        isolated->own.on_crash = PARA_CRASH_FAILS;
        isolated->own.fill = NULL;
        isolated->own.fill_bytes = 0;
        isolated->survival = &isolated->own;
    }
    const bool repeats = isolated->survival->repeats && !of->is_one;
    isolated->once = !repeats && (of->once || works_in_place(of->views));
    call->isolated = isolated;
    call->settle = settle_lost;
    call->tell = tell_deaths;
    if (!status)
        status = check_fill(isolated->survival, of);
    if (!status)
        status = bounce_views(isolated, call);
    if (!status)
        status = bounce_arguments(isolated, call);
    if (*of->cancel)
        *of->cancel = para__desk_token(call->schedule.desk);
    return status;
}

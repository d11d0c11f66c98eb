/* Dispatch by name: a request is a task that carries its function's place in the table of names.
 * It uses that from its submission to its end, also if it is dropped: para's own `done` of the
 * task, which calls the caller's, tells. */
#include "base/clock.h"
#include "base/info.h"
#include "base/log.h"
#include "base/status.h"
#include "pool/carry.h"
#include "pool/self.h"
#include "pool/tasks.h"
#include "pool/visit.h"
#include "task/names.h"

#include <ctype.h>
#include <string.h>

/* ---- The table ------------------------------------------------------------------------ */

/* para__pool_visit; not a pool of the parent process's, whose table another thread may have been
 * writing. */
static para_status visit_own(para_pool **pool, para__stay **stay)
{
    const para_status status = para__pool_visit(pool, stay);
    if (!status && para__pool_is_forked(*pool))
        return para__pool_fail_forked();
    return status;
}

static para_status check_name(const char *name)
{
    const size_t bytes = name ? strnlen(name, PARA_NAME_BYTES) : 0;
    if (bytes == 0 || bytes == PARA_NAME_BYTES)
        return para__fail(PARA_ERR_ARGUMENT, "%s",
                          bytes  ? "a name of more than 63 bytes"
                          : name ? "a name of no bytes"
                                 : "no name");
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 127)
            return para__fail(PARA_ERR_ARGUMENT, "a name with the byte %d", (int)(unsigned char)*c);
    return PARA_OK;
}

static para_status check_entry(const para_entry *entry)
{
    if (!entry || entry->size != sizeof *entry)
        return para__fail(PARA_ERR_ARGUMENT, "%s",
                          entry ? "entry.size: use PARA_ENTRY_INIT" : "no entry");
    if (!entry->run)
        return para__fail(PARA_ERR_ARGUMENT, "entry.run is NULL");
    if (entry->oldest_version > entry->version)
        return para__fail(PARA_ERR_ARGUMENT, "entry.oldest_version is %u, above its version %u",
                          entry->oldest_version, entry->version);
    if (entry->request_most && entry->request_least > entry->request_most)
        return para__fail(PARA_ERR_ARGUMENT, "entry.request_least is %zu, above request_most %zu",
                          entry->request_least, entry->request_most);
    if (entry->breaker.error_percent > 100)
        return para__fail(PARA_ERR_ARGUMENT, "entry.breaker.error_percent is %u",
                          entry->breaker.error_percent);
    return PARA_OK;
}

para_status para_register(para_pool *pool, const char *name, const para_entry *entry)
{
    para__stay *stay = NULL;
    para_status status = check_name(name);
    if (!status)
        status = check_entry(entry);
    if (!status)
        status = visit_own(&pool, &stay);
    if (!status && pool->shop && !para__workshop_sees(pool->shop, entry->arg, 1) && entry->arg)
        status = para__fail(PARA_ERR_NOT_SHARED, "entry.arg is not in a buffer of the pool");
    if (!status)
        status = para__names_put(&pool->names, name, entry);
    para__pool_leave(stay);
    return status;
}

static para_status fail_unknown(const char *name)
{
    return para__fail(PARA_ERR_NAME, "'%.63s'", name);
}

/* Visits the pool, and finds the name's place in it, if it was ever registered. */
static para_status find_named(para_pool **pool, const char *name, para__stay **stay,
                              para__named **named)
{
    *stay = NULL;
    if (!name)
        return para__fail(PARA_ERR_ARGUMENT, "no name");
    const para_status status = visit_own(pool, stay);
    if (status)
        return status;
    *named = para__names_find(&(*pool)->names, name);
    return *named ? PARA_OK : fail_unknown(name);
}

static para_status unregister_inside(para_pool *pool, para__named *named, const char *name,
                                     uint64_t deadline_ns)
{
    if (!para__named_close(named) && para__named_is_free(named))
        return fail_unknown(name);
    while (!para__named_is_over(named)) {
        if (para__pool_needs_caller(pool))
            return para__fail(PARA_ERR_BUSY, "requests of '%s' are not over", name);
        if (para__has_passed(deadline_ns))
            return para__fail(PARA_ERR_TIMEOUT, "requests of '%s' are not over", name);
        para__named_await(named, deadline_ns);
    }
    return PARA_OK;
}

para_status para_unregister_until(para_pool *pool, const char *name, uint64_t deadline_ns)
{
    para__stay *stay;
    para__named *named;
    para_status status = find_named(&pool, name, &stay, &named);
    if (!status)
        status = unregister_inside(pool, named, name, deadline_ns);
    para__pool_leave(stay);
    return status;
}

para_status para_unregister(para_pool *pool, const char *name)
{
    return para_unregister_until(pool, name, PARA_DEADLINE_NEVER);
}

/* ---- Breakers ------------------------------------------------------------------------- */

static uint64_t now_of_breaker(const para_breaker *config)
{
    return config->now_ns ? config->now_ns() : para__now_ns();
}

/* Without the latch: the breaker's state has changed, or not. */
static void tell_change(const char *name, para_breaker_state before, const para__breaker *now)
{
    if (before != now->state && now->state == PARA_BREAKER_OPEN)
        para__log(PARA_LOG_BREAKER_OPEN, now->period, "'%s': %s", name,
                  before == PARA_BREAKER_PROBING ? "its probe has failed"
                                                 : "too many of its requests have failed");
    else if (before != now->state && now->state == PARA_BREAKER_CLOSED)
        para__log(PARA_LOG_BREAKER_CLOSED, now->period, "'%s': its probes have succeeded", name);
}

/* PARA_OK: the request is let through, in that period. */
static para_status admit_request(para__named *named, uint32_t *period)
{
    const para_breaker *const config = &named->entry.breaker;
    const uint32_t closed =
        para__load_relaxed(&named->closed); /* late news: as if it came before */
    *period = closed / 2;
    if (!config->error_percent || closed % 2)
        return PARA_OK;
    const uint64_t now_ns = now_of_breaker(config);
    para__latch_lock(&named->latch);
    const bool is_admitted = para__breaker_admit(&named->breaker, config, now_ns);
    const para__breaker breaker = named->breaker;
    para__named_publish_breaker(named);
    para__latch_unlock(&named->latch);
    *period = breaker.period;
    if (is_admitted)
        return PARA_OK;
    if (breaker.state == PARA_BREAKER_PROBING)
        return para__fail(PARA_ERR_OPEN, "'%s': its probes are not over", named->name);
    return para__fail(PARA_ERR_OPEN, "'%s': it lets a probe through in %.3f s", named->name,
                      1e-9 * (double)(breaker.opened_ns + config->pause_ns - now_ns));
}

/* How a request went that was let through: begun and failed, or not. */
static void settle_request(para__named *named, uint32_t period, bool has_begun, bool has_died,
                           int result)
{
    const para_breaker *const config = &named->entry.breaker;
    if (!config->error_percent)
        return;
    const bool has_failed =
        has_died || (has_begun && (config->is_failure ? config->is_failure(result) : result != 0));
    const uint64_t now_ns = now_of_breaker(config);
    para__latch_lock(&named->latch);
    const para_breaker_state before = named->breaker.state;
    if (has_begun)
        para__breaker_tell(&named->breaker, config, now_ns, period, has_failed);
    else
        para__breaker_take_back(&named->breaker, period);
    const para__breaker now = named->breaker;
    para__named_publish_breaker(named);
    para__latch_unlock(&named->latch);
    tell_change(named->name, before, &now); /* the request still uses the name */
}

/* ---- Requests ------------------------------------------------------------------------- */

int para__request_result(para_request *r, int result)
{
    if (result || r->response_bytes <= r->response_room)
        return result;
    r->response_bytes = 0;
    return PARA_ERR_LENGTH;
}

int para__request_run(void *arg)
{
    para_request *const r = arg;
    const para_entry *const entry = &r->named_->entry;
    return para__request_result(r, entry->run(r, entry->arg));
}

/* The task is over, or as good as that: gives it back its own `done`, and its name. */
static void end_request(para_task *task)
{
    para_request *const r = (para_request *)task;
    const bool has_died = task->status == PARA_ERR_WORKER_DIED;
    const bool has_begun = task->status == PARA_OK || task->status == PARA_ERR_TASK || has_died;
    task->done = r->done_;
    settle_request(r->named_, r->period_, has_begun, has_died, task->result);
    para__named_leave(r->named_);
    if (task->done)
        task->done(task);
}

static para_status check_request(const para_entry *entry, const char *name, const para_request *r,
                                 size_t request_bytes, size_t response_room)
{
    const uint32_t oldest = entry->oldest_version ? entry->oldest_version : entry->version;
    if (r->version && (r->version > entry->version || r->version < oldest))
        return para__fail(PARA_ERR_VERSION, "'%s' has the versions %u to %u, not %u", name, oldest,
                          entry->version, r->version);
    if (request_bytes < entry->request_least)
        return para__fail(PARA_ERR_LENGTH, "a request of '%s' has at least %zu bytes, not %zu",
                          name, entry->request_least, request_bytes);
    if (entry->request_most && request_bytes > entry->request_most)
        return para__fail(PARA_ERR_LENGTH, "a request of '%s' has at most %zu bytes, not %zu", name,
                          entry->request_most, request_bytes);
    if (response_room < entry->response_least)
        return para__fail(PARA_ERR_LENGTH, "a response of '%s' has at least %zu bytes, not %zu",
                          name, entry->response_least, response_room);
    return PARA_OK;
}

/* Of a name that the request has entered. */
static para_status submit_request(para_pool *pool, para__named *named, para_request *r,
                                  uint64_t deadline_ns)
{
    const para__work work = {.run = para__request_run, .arg = r};
    uint32_t period;
    para_status status = admit_request(named, &period);
    if (status)
        return status;
    r->named_ = named;
    r->period_ = period;
    r->done_ = r->task.done;
    r->task.done = end_request;
    status = para__submit(pool, &r->task, &work, deadline_ns);
    if (status) { /* else the request may be over, and gone */
        r->task.done = r->done_;
        settle_request(named, period, false, false, 0);
    }
    return status;
}

/* para_dispatch_until in a pool that the calling thread has entered. */
static para_status dispatch_inside(para_pool *pool, const char *name, const void *request,
                                   size_t request_bytes, void *response, size_t response_bytes,
                                   para_request *r, uint64_t deadline_ns)
{
    para_status status = para__task_check(pool, &r->task);
    if (status)
        return status;
    para__named *const named = para__names_find(&pool->names, name);
    if (!named || !para__named_enter(named))
        return fail_unknown(name);
    status = check_request(&named->entry, named->name, r, request_bytes, response_bytes);
    if (!status) {
        const para_request former = *r;
        r->request = request;
        r->request_bytes = request_bytes;
        r->response = response;
        r->response_room = response_bytes;
        r->response_bytes = 0;
        status = submit_request(pool, named, r, deadline_ns);
        if (status) {
            r->request = former.request;
            r->request_bytes = former.request_bytes;
            r->response = former.response;
            r->response_room = former.response_room;
            r->response_bytes = former.response_bytes;
        }
    }
    if (status)
        para__named_leave(named);
    return status;
}

para_status para_dispatch_until(para_pool *pool, const char *name, const void *request,
                                size_t request_bytes, void *response, size_t response_bytes,
                                para_request *r, uint64_t deadline_ns)
{
    para__stay *stay;
    if (!r || !name)
        return para__fail(PARA_ERR_ARGUMENT, "%s", r ? "no name" : "no request");
    if ((!request && request_bytes) || (!response && response_bytes))
        return para__fail(PARA_ERR_ARGUMENT, "%s has bytes, but is NULL",
                          !request && request_bytes ? "the request" : "the response");
    para_status status = visit_own(&pool, &stay);
    if (!status)
        status = dispatch_inside(pool, name, request, request_bytes, response, response_bytes, r,
                                 deadline_ns);
    para__pool_leave(stay);
    return status;
}

para_status para_dispatch(para_pool *pool, const char *name, const void *request,
                          size_t request_bytes, void *response, size_t response_bytes,
                          para_request *r)
{
    return para_dispatch_until(pool, name, request, request_bytes, response, response_bytes, r,
                               PARA_DEADLINE_NEVER);
}

/* ---- The listing ---------------------------------------------------------------------- */

/* Calls in the window of a breaker that is in use: its clock may be the program's. */
static void tell_breaker(para__named *named, const para_breaker *config, para_entry_info *full)
{
    const uint64_t now_ns = now_of_breaker(config);
    para__latch_lock(&named->latch);
    const para__breaker breaker = named->breaker;
    para__latch_unlock(&named->latch);
    full->breaker = breaker.state;
    para__breaker_count(&breaker, config, now_ns, &full->calls, &full->failures);
    if (breaker.state == PARA_BREAKER_OPEN)
        full->probe_ns = breaker.opened_ns + config->pause_ns;
}

static para_status tell_entry(para__names *names, para__named *named, para_entry_info *info)
{
    para_entry_info full = {0};
    para__latch_lock(&names->latch); /* nobody registers it anew */
    full.is_registered = para__named_enter(named);
    const uint32_t word = para__load_relaxed(&named->word); /* late news: as if asked before */
    const para_entry entry = named->entry;
    para__latch_unlock(&names->latch);
    memcpy(full.name, named->name, sizeof full.name);
    full.version = entry.version;
    full.oldest_version = entry.oldest_version;
    full.request_least = entry.request_least;
    full.request_most = entry.request_most;
    full.response_least = entry.response_least;
    full.inflight = word / PARA__NAMED_USE - full.is_registered;
    if (full.is_registered) {
        tell_breaker(named, &entry.breaker, &full);
        para__named_leave(named);
    }
    return para__info_fill(info, &full, sizeof full);
}

para_status para_get_entry(para_pool *pool, const char *name, para_entry_info *info)
{
    para__stay *stay;
    para__named *named;
    para_status status = find_named(&pool, name, &stay, &named);
    if (!status)
        status = tell_entry(&pool->names, named, info);
    para__pool_leave(stay);
    return status;
}

para_status para_list_entry(para_pool *pool, unsigned index, para_entry_info *info)
{
    para__stay *stay;
    para_status status = visit_own(&pool, &stay);
    para__named *const named = status ? NULL : para__names_at(&pool->names, index);
    if (named)
        status = tell_entry(&pool->names, named, info);
    else if (!status)
        status = para__fail(PARA_ERR_NAME, "index %u; the pool has fewer names", index);
    para__pool_leave(stay);
    return status;
}

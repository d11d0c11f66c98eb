#include "task/names.h"

#include "base/memory.h"
#include "base/status.h"
#include "sync/cancel.h"

#include <string.h>

/* FNV-1a: Fowler, Noll, Vo, 1991. */
static unsigned bucket_of_name(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return (hash ^ hash >> 16) % PARA__NAME_BUCKETS;
}

para__named *para__names_find(para__names *names, const char *name)
{
    para__named *named = para__load_acquire(E24, &names->bucket[bucket_of_name(name)]);
    while (named && strcmp(named->name, name) != 0)
        named = named->next_in_bucket;
    return named;
}

para__named *para__names_at(para__names *names, unsigned index)
{
    para__latch_lock(&names->latch);
    para__named *named = names->first;
    while (named && index-- > 0)
        named = named->next;
    para__latch_unlock(&names->latch);
    return named;
}

/* ---- Registering ---------------------------------------------------------------------- */

/* Under the latch. */
static void add_node(para__names *names, para__named *named)
{
    const unsigned bucket = bucket_of_name(named->name);
    named->next_in_bucket = para__load_relaxed(&names->bucket[bucket]); /* under the latch */
    *(names->last ? &names->last->next : &names->first) = named;
    names->last = named;
    names->count++;
    para__store_release(E24, &names->bucket[bucket], named);
}

/* While no request uses it. What a request of a former period tells counts no more. */
static void renew_breaker(para__named *named)
{
    named->breaker = para__breaker_renew(&named->breaker);
    para__named_publish_breaker(named);
}

/* Under the latch. spare: a node for a name that has none, which is taken then. */
static para_status put_entry(para__names *names, const char *name, const para_entry *entry,
                             para__named **spare)
{
    para__named *named = para__names_find(names, name);
    if (named && !para__named_is_free(named))
        return PARA_ERR_BUSY;
    if (!named) {
        if (names->count >= PARA_NAMES)
            return PARA_ERR_ARGUMENT;
        named = *spare;
        *spare = NULL;
        strcpy(named->name, name);
        add_node(names, named);
    }
    named->entry = *entry;
    named->entry.breaker = para__breaker_complete(entry->breaker);
    renew_breaker(named);
    para__store_release(E25, &named->word, PARA__NAMED_OPEN);
    return PARA_OK;
}

para_status para__names_put(para__names *names, const char *name, const para_entry *entry)
{
    para__named *spare = para__alloc(sizeof *spare); /* not under the latch */
    if (!spare)
        return para__fail(PARA_ERR_MEMORY, "a name");
    para__latch_lock(&names->latch);
    const para_status status = put_entry(names, name, entry, &spare);
    para__latch_unlock(&names->latch);
    para__free(spare);
    if (status == PARA_ERR_BUSY)
        return para__fail(status, "'%s' is registered, or requests of it are not over", name);
    return status ? para__fail(status, "the pool has %d names already", PARA_NAMES) : status;
}

/* ---- Using ---------------------------------------------------------------------------- */

bool para__named_enter(para__named *named)
{
    uint32_t word = para__load_relaxed(&named->word); /* the swap decides */
    while (word & PARA__NAMED_OPEN)
        if (para__cas_acquire(E25, &named->word, &word, word + PARA__NAMED_USE))
            return true;
    return false;
}

void para__named_leave(para__named *named)
{
    const uint32_t before = para__add_release(E25, &named->word, -(uint32_t)PARA__NAMED_USE);
    if (before == (PARA__NAMED_USE | PARA__NAMED_AWAITED))
        para__queue_wake_all(named);
}

bool para__named_close(para__named *named)
{
    return para__and_relaxed(&named->word, ~(uint32_t)PARA__NAMED_OPEN) & /* publishes nothing */
           PARA__NAMED_OPEN;
}

bool para__named_is_free(para__named *named)
{
    const uint32_t word = para__load_acquire(E25, &named->word);
    return !(word & PARA__NAMED_OPEN) && word < PARA__NAMED_USE;
}

/* As with tasks (state.c): the bit is set under the bucket's latch, and whoever leaves last finds
 * it, or has left before it was set. */
void para__named_await(para__named *named, uint64_t deadline_ns)
{
    para__event event = {PARA__ATOMIC(PARA__PARKED)};
    para__waiter waiter = {.key = named, .event = &event};
    para__bucket *bucket = para__bucket_lock(named);
    uint32_t word = para__load_relaxed(&named->word); /* a failed swap reads it anew */
    while (word >= PARA__NAMED_USE && !(word & PARA__NAMED_AWAITED) &&
           !para__cas_relaxed(&named->word, &word, word | PARA__NAMED_AWAITED))
        continue;
    const bool is_used = word >= PARA__NAMED_USE;
    if (is_used)
        para__queue_append(bucket, &waiter);
    para__bucket_unlock(bucket);
    if (!is_used)
        return;
    (void)para__wait(&event, deadline_ns, NULL);
    bucket = para__bucket_lock(named);
    para__queue_remove(bucket, &waiter);
    para__bucket_unlock(bucket);
}

/* ---- The end -------------------------------------------------------------------------- */

void para__names_forget(para__names *names)
{
    para__store_relaxed(&names->latch.state, PARA__LATCH_FREE); /* nobody else uses the pool */
    for (para__named *named = names->first; named; named = named->next) {
        para__store_relaxed(&named->latch.state, PARA__LATCH_FREE); /* likewise */
        para__and_relaxed(&named->word, PARA__NAMED_OPEN);          /* likewise */
        renew_breaker(named);
    }
}

void para__names_free(para__names *names)
{
    while (names->first) {
        para__named *const named = names->first;
        names->first = named->next;
        para__free(named);
    }
}

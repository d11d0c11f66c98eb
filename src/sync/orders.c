/* A directed graph: its nodes are locks, its edges orders. Each lock has a list of the orders in
 * which it is first and one of those in which it is second; locks are found by address and orders
 * by both addresses in hash tables, so that what is known already costs no search.
 *
 * A new order first -> then makes a circle if orders lead from then to first. The search is breadth
 * first, so that it finds a short way. It is limited by ranks: the rank grows along each order, so
 * no way leads to a lock of the same or a lower rank. After the search the ranks of then, and of
 * the locks behind it, are raised as far as the new order needs. (Ranks that only grow are the
 * simplest algorithm in Bender, Fineman, Gilbert and Tarjan, "A New Approach to Incremental Cycle
 * Detection and Related Problems", ACM TALG 12, 2015.)
 *
 * A pthread mutex guards all of it, and not a latch, since memory is allocated under it. */
#include "sync/orders.h"

#include "base/fork.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct chain_link {
    struct chain_link *next, **at; /* at: what points to it */
} chain_link;

/* In a table. */
typedef struct hash_entry {
    chain_link chain;
    uint64_t hash;
} hash_entry;

typedef struct table {
    chain_link **bucket;
    size_t buckets, entries; /* buckets: a power of two, or 0 */
} table;

typedef struct lock_node {
    hash_entry entry;
    const void *address;
    chain_link *first_in, *second_in; /* orders */
    uint64_t rank;                    /* lower than those of the locks that come after it */
    uint64_t search;                  /* the last one that came here */
    const struct lock_order *through; /* the order that it came by; NULL: it began here */
    struct lock_node *queued;         /* after this one */
} lock_node;

typedef struct lock_order {
    hash_entry entry;
    chain_link of_first, of_then; /* in the lists of their orders */
    lock_node *first, *then;
    para__source_place first_at, then_at;
} lock_order;

#define CONTAINING(type, member, pointer) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static para__guard graph = PARA__GUARD_INIT; /* guards all of these */
static table locks, orders;
static uint64_t searches;

__attribute__((constructor(101))) static void guard_graph_in_forks(void)
{
    para__fork_handle(PARA__FORK_ORDERS, &graph, NULL);
}

const char *para__place_file(para__source_place at)
{
    const char *slash = strrchr(at.file, '/');
    return slash ? slash + 1 : at.file;
}

/* ---- Lists and tables ----------------------------------------------------------------- */

static void *allocate_part(size_t bytes)
{
    const int saved = errno;
    void *memory = calloc(1, bytes);
    errno = saved;
    return memory;
}

static void put(chain_link **list, chain_link *l)
{
    l->next = *list;
    l->at = list;
    if (*list)
        (*list)->at = &l->next;
    *list = l;
}

static void take_out(chain_link *l)
{
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
}

static chain_link **bucket_of(const table *t, uint64_t hash)
{
    return &t->bucket[hash & (t->buckets - 1)];
}

/* Whether there is room for one more; a table that cannot grow gets slower. */
static bool make_room(table *t)
{
    if (t->entries < t->buckets)
        return true;
    table grown = {.buckets = t->buckets ? 2 * t->buckets : 64, .entries = t->entries};
    grown.bucket = allocate_part(grown.buckets * sizeof(chain_link *));
    if (!grown.bucket)
        return t->buckets > 0;
    for (size_t i = 0; i < t->buckets; i++)
        for (chain_link *l = t->bucket[i], *next; l; l = next) {
            next = l->next;
            put(bucket_of(&grown, CONTAINING(hash_entry, chain, l)->hash), l);
        }
    free(t->bucket);
    *t = grown;
    return true;
}

static void insert(table *t, hash_entry *e)
{
    put(bucket_of(t, e->hash), &e->chain);
    t->entries++;
}

static void erase(table *t, hash_entry *e)
{
    take_out(&e->chain);
    t->entries--;
}

/* The output function of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
 * OOPSLA 2014. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t hash_of_lock(const void *address)
{
    return mix((uintptr_t)address);
}

static uint64_t hash_of_order(const lock_node *first, const lock_node *then)
{
    return mix(first->entry.hash + (uintptr_t)then->address);
}

/* ---- The graph ------------------------------------------------------------------------ */

static lock_node *find_lock(const void *address)
{
    const uint64_t hash = hash_of_lock(address);
    for (chain_link *l = locks.buckets ? *bucket_of(&locks, hash) : NULL; l; l = l->next) {
        lock_node *const found = CONTAINING(lock_node, entry.chain, l);
        if (found->address == address)
            return found;
    }
    return NULL;
}

static bool is_known(const lock_node *first, const lock_node *then)
{
    const uint64_t hash = hash_of_order(first, then);
    for (chain_link *l = orders.buckets ? *bucket_of(&orders, hash) : NULL; l; l = l->next) {
        const lock_order *const found = CONTAINING(lock_order, entry.chain, l);
        if (found->first == first && found->then == then)
            return true;
    }
    return false;
}

static lock_node *find_or_make_lock(const void *address)
{
    lock_node *l = find_lock(address);
    if (l || !make_room(&locks) || !(l = allocate_part(sizeof *l)))
        return l;
    l->entry.hash = hash_of_lock(address);
    l->address = address;
    insert(&locks, &l->entry);
    return l;
}

static bool make_order(lock_node *first, lock_node *then, para__source_place first_at,
                       para__source_place then_at)
{
    lock_order *o = make_room(&orders) ? allocate_part(sizeof *o) : NULL;
    if (!o)
        return false;
    o->entry.hash = hash_of_order(first, then);
    o->first = first;
    o->then = then;
    o->first_at = first_at;
    o->then_at = then_at;
    insert(&orders, &o->entry);
    put(&first->first_in, &o->of_first);
    put(&then->second_in, &o->of_then);
    return true;
}

static void erase_order(lock_order *o)
{
    take_out(&o->of_first);
    take_out(&o->of_then);
    erase(&orders, &o->entry);
    free(o);
}

/* The last order of a way from one lock to another; NULL: there is no way. */
static const lock_order *find_way(lock_node *from, const lock_node *to)
{
    searches++;
    from->search = searches;
    from->through = NULL;
    from->queued = NULL;
    lock_node *last = from;
    for (lock_node *here = from->rank < to->rank ? from : NULL; here; here = here->queued)
        for (chain_link *l = here->first_in; l; l = l->next) {
            const lock_order *const o = CONTAINING(lock_order, of_first, l);
            lock_node *const next = o->then;
            if (next == to)
                return o;
            if (next->search == searches || next->rank >= to->rank)
                continue;
            next->search = searches;
            next->through = o;
            next->queued = NULL;
            last->queued = next;
            last = next;
        }
    return NULL;
}

/* Makes ranks grow along the orders of l again, and behind it. Uses a queue that holds each lock at
 * most once. */
static void raise_behind(lock_node *l)
{
    searches++; /* marks those that are in the queue */
    l->search = searches;
    l->queued = NULL;
    for (lock_node *last = l; l; l = l->queued) {
        l->search = 0;
        for (chain_link *i = l->first_in; i; i = i->next) {
            lock_node *const then = CONTAINING(lock_order, of_first, i)->then;
            if (then->rank > l->rank)
                continue;
            then->rank = l->rank + 1;
            if (then->search == searches)
                continue;
            then->search = searches;
            then->queued = NULL;
            last->queued = then;
            last = then;
        }
    }
}

/* "b.c:5 after b.c:4, ..." */
static void describe_way(const lock_order *way, char *ways, size_t bytes)
{
    size_t length = 0;
    ways[0] = '\0';
    for (; way && length < bytes; way = way->first->through)
        length +=
            (size_t)snprintf(ways + length, bytes - length, "%s%s:%d after %s:%d",
                             length ? ", " : "", para__place_file(way->then_at), way->then_at.line,
                             para__place_file(way->first_at), way->first_at.line);
}

/* ---- What is asked -------------------------------------------------------------------- */

/* The last order of a way from `then` to one of its earlier locks, and that lock. *known: all its
 * orders are known already, so there is nothing to search or add. */
static const lock_order *find_inversion(const para__hold *then, const para__hold **with,
                                        bool *known)
{
    lock_node *const b = find_lock(then->lock);
    *known = true;
    for (const para__hold *h = then->earlier; h; h = h->earlier) {
        const lock_node *const a = b ? find_lock(h->lock) : NULL;
        if (a && is_known(a, b))
            continue;
        *known = false;
        *with = h;
        const lock_order *const way = a ? find_way(b, a) : NULL;
        if (way)
            return way;
    }
    return NULL;
}

static bool add(const para__hold *first, const para__hold *then)
{
    lock_node *const a = find_or_make_lock(first->lock);
    lock_node *const b = a ? find_or_make_lock(then->lock) : NULL;
    if (!b)
        return false;
    if (is_known(a, b))
        return true;
    if (!make_order(a, b, first->at, then->at))
        return false;
    raise_behind(a);
    return true;
}

/* All orders are checked before the first is added: a lock that is refused was never waited for.
 * All new orders end at one lock, so a circle has exactly one of them, and the search finds it
 * before. */
para__order_answer para__orders_add(const para__hold *then, const para__hold **with, char *ways,
                                    size_t bytes)
{
    if (!then->earlier)
        return PARA__ORDER_KEPT;
    para__order_answer answer = PARA__ORDER_KEPT;
    bool known;
    para__guard_enter(&graph);
    const lock_order *const way = find_inversion(then, with, &known);
    if (way) {
        describe_way(way, ways, bytes);
        answer = PARA__ORDER_INVERTED;
    }
    for (const para__hold *h = way || known ? NULL : then->earlier; h; h = h->earlier)
        if (!add(h, then)) {
            answer = PARA__ORDER_NO_MEMORY;
            break;
        }
    para__guard_leave(&graph);
    return answer;
}

void para__orders_forget(const void *address)
{
    para__guard_enter(&graph);
    lock_node *const l = find_lock(address);
    if (l) {
        for (chain_link *i = l->first_in, *next; i; i = next) {
            next = i->next;
            erase_order(CONTAINING(lock_order, of_first, i));
        }
        for (chain_link *i = l->second_in, *next; i; i = next) {
            next = i->next;
            erase_order(CONTAINING(lock_order, of_then, i));
        }
        erase(&locks, &l->entry);
        free(l);
    }
    para__guard_leave(&graph);
}

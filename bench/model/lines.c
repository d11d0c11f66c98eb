/* Cache lines of the simulated machine: see machine.h. */
#include "thread.h"

#include <string.h>

enum {
    SET_WORDS = THREADS_MAX / 64 + 1,
    LINES = 1 << 15 /* places in the table of lines: many more than a pool has */
};

typedef struct line {
    uintptr_t key; /* address / 64; 0: free */
    double ready;  /* when its last transfer ends */
    bool modified; /* the only sharer owns it */
    uint64_t sharers[SET_WORDS];
} line;

static line table[LINES];
uint64_t model_transfers;

void model_forget_lines(void)
{
    memset(table, 0, sizeof table);
    model_transfers = 0;
}

/* ---- Lines ---------------------------------------------------------------------------- */

static double distance_ns(const thread *a, const thread *b)
{
    if (model_part_of(a->core, model_spec.domains) == model_part_of(b->core, model_spec.domains))
        return model_spec.near_ns;
    return model_part_of(a->core, model_spec.sockets) == model_part_of(b->core, model_spec.sockets)
               ? model_spec.across_ns
               : model_spec.socket_ns;
}

static line *line_of(const volatile void *p)
{
    const uintptr_t key = (uintptr_t)p >> 6;
    for (size_t i = (key * 0x9e3779b97f4a7c15u) >> 49;; i = (i + 1) % LINES) {
        if (table[i].key == 0)
            table[i].key = key;
        if (table[i].key == key)
            return &table[i];
    }
}

static bool has(const line *l, const thread *t)
{
    const size_t i = (size_t)(t - model_threads);
    return l->sharers[i / 64] >> i % 64 & 1;
}

/* The distance of the nearest other who has the line, or of the farthest; across if nobody has. */
static double sharer_ns(const line *l, bool farthest, bool *any)
{
    double found = -1;
    for (unsigned w = 0; w < SET_WORDS; w++)
        for (uint64_t set = l->sharers[w]; set; set &= set - 1) {
            const thread *t = &model_threads[w * 64 + (unsigned)__builtin_ctzll(set)];
            const double ns = distance_ns(model_self, t);
            if (t != model_self && (found < 0 || (farthest ? ns > found : ns < found)))
                found = ns;
        }
    *any = found >= 0;
    return *any ? found : model_spec.across_ns;
}

/* Takes the line from all others; those who poll it notice at the end of their round. */
static void take(line *l)
{
    for (unsigned w = 0; w < SET_WORDS; w++)
        for (uint64_t set = l->sharers[w]; set; set &= set - 1) {
            thread *t = &model_threads[w * 64 + (unsigned)__builtin_ctzll(set)];
            if (t == model_self || t->dozes_from <= 0)
                continue;
            const double rounds = (model_self->now - t->dozes_from) / t->round;
            const double at =
                t->dozes_from + (rounds > 0 ? (double)(uint64_t)rounds + 1 : 1) * t->round;
            t->dozes_from = 0;
            model_schedule(t, at);
        }
    memset(l->sharers, 0, sizeof l->sharers);
    const size_t i = (size_t)(model_self - model_threads);
    l->sharers[i / 64] |= (uint64_t)1 << i % 64;
    l->modified = true;
}

/* Waits for loads in flight. */
void model_settle(void)
{
    for (unsigned i = 0; i < AHEAD; i++)
        if (model_self->load[i] > model_self->now)
            model_self->now = model_self->load[i];
}

/* A place for one more miss in flight: the core stalls until there is one. */
static double *room(double *ends, unsigned *count)
{
    double *slot = &ends[(*count)++ % AHEAD];
    model_self->now = *slot > model_self->now ? *slot : model_self->now;
    model_catch_up();
    return slot;
}

void model_load(const volatile void *p, bool ordered)
{
    line *l = line_of(p);
    if (ordered)
        model_settle();
    model_catch_up(); /* somebody may have taken the line by now */
    if (has(l, model_self)) {
        model_self->now += 1;
        return;
    }
    double *slot = room(model_self->load, &model_self->loads);
    bool any;
    const double ns = sharer_ns(l, false, &any) / 2;
    const double start = l->ready > model_self->now ? l->ready : model_self->now;
    l->ready = start + (l->modified ? ns : ns <= model_spec.near_ns / 2 ? 2 : 10);
    l->modified = false;
    const size_t i = (size_t)(model_self - model_threads);
    l->sharers[i / 64] |= (uint64_t)1 << i % 64;
    *slot = start + ns;
    model_self->now += 1;
    model_self->missed = true;
    model_transfers++;
    if (ordered)
        model_settle();
}

/* Whether the calling thread is the only one who has the line. */
static bool owns(const line *l)
{
    bool any = false;
    if (!has(l, model_self))
        return false;
    if (!l->modified)
        sharer_ns(l, true, &any);
    return !any;
}

void model_store(const volatile void *p)
{
    model_catch_up();
    line *l = line_of(p);
    model_self->missed = true;
    model_self->now += 1;
    if (owns(l)) {
        l->modified = true;
        l->ready = model_self->stored > l->ready ? model_self->stored : l->ready;
        return;
    }
    bool any;
    double *slot = room(model_self->store, &model_self->stores);
    double end =
        (l->ready > model_self->now ? l->ready : model_self->now) + sharer_ns(l, true, &any) / 2;
    end = model_self->stored > end ? model_self->stored : end;
    *slot = l->ready = model_self->stored = end;
    model_transfers++;
    take(l);
}

void model_rmw(const volatile void *p)
{
    model_settle();
    model_self->now = model_self->stored > model_self->now ? model_self->stored : model_self->now;
    model_catch_up();
    line *l = line_of(p);
    model_self->missed = true;
    bool any;
    if (!owns(l)) {
        model_self->now = (l->ready > model_self->now ? l->ready : model_self->now) +
                          sharer_ns(l, true, &any) / 2;
        model_transfers++;
    }
    model_self->now += model_spec.rmw_ns;
    take(l);
    l->ready = model_self->now;
}

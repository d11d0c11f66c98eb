// What races show on: places that are watched as data, and what a chain of swaps passes on.
#include "calls.h"
#include "model.hpp"

#include <new>

namespace
{

struct place {
    const void *p;
    alignas(16) unsigned char storage[sizeof(rl::var<unsigned>)];

    rl::var<unsigned> &var()
    {
        return *reinterpret_cast<rl::var<unsigned> *>(storage);
    }
};

constexpr unsigned PLACES = 64;
place places[PLACES];
unsigned place_count;

rl::var<unsigned> &place_of(const void *p)
{
    unsigned i = 0;
    while (i < place_count && places[i].p != p)
        i++;
    RL_ASSERT(i < PLACES);
    if (i == place_count) {
        places[place_count++].p = p;
        new (places[i].storage) rl::var<unsigned>(0);
    }
    return places[i].var();
}

// A word's values, and which thread's swap made each.
constexpr uint64_t VALUES = 16;
constexpr unsigned NOBODY = MODEL_THREADS;
const volatile void *chain;
unsigned made_by[VALUES];
char tried[MODEL_THREADS][VALUES]; // addresses alone

} // namespace

void watch_begin()
{
    place_count = 0;
    chain = nullptr;
}

void watch_end()
{
    for (unsigned i = 0; i < place_count; i++)
        places[i].var().~var();
    place_count = 0;
}

void model_watch(const void *p)
{
    place_of(p)($) = 1;
}

void model_see(const void *p)
{
    (void)static_cast<unsigned>(place_of(p)($));
}

void model_chain(const void *p)
{
    chain = p;
    for (unsigned &maker : made_by)
        maker = NOBODY;
}

void chain_try(const volatile void *p, uint64_t value)
{
    if (p != chain)
        return;
    RL_ASSERT(value < VALUES);
    model_watch(&tried[model_self()][value]);
}

void chain_moved(const volatile void *p, uint64_t value)
{
    if (p == chain)
        made_by[value] = model_self();
}

void chain_seen(const volatile void *p, uint64_t value)
{
    for (uint64_t v = 0; p == chain && v <= value; v++)
        if (made_by[v] != NOBODY)
            model_see(&tried[made_by[v]][v]);
}

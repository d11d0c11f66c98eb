// A ring of events: src/base/ring.h.
#include "model.hpp"
#include "ring.h"

namespace
{

// One thread puts events, another takes them meanwhile. What is taken is whole, in its order, and
// what is not taken is counted.
struct ringing : protocol<ringing, 2, 0> {
    static constexpr unsigned EVENTS = 5;

    void prepare()
    {
        ring_make();
    }
    static void take()
    {
        bool is_whole = true;
        (void)ring_take(&is_whole);
        RL_ASSERT(is_whole);
    }
    void call(unsigned index)
    {
        for (unsigned i = 0; i < EVENTS; i++)
            if (index == 0)
                ring_put();
            else
                take();
    }
    void finish()
    {
        for (unsigned i = 0; i < EVENTS; i++)
            take();
        RL_ASSERT(ring_seen() == EVENTS);
    }
};
MODEL(ringing, 20000);

} // namespace

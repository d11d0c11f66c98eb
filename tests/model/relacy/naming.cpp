// The table of names: src/task/names.c.
#include "model.hpp"
#include "names.h"

namespace
{

// A name is registered, and taken out of use, twice, while two threads look for it. They see it as
// it was registered; who takes it out of use has it alone once nobody uses it.
struct naming : protocol<naming, 3, 0> {
    unsigned entered = 0, left = 0;

    void prepare()
    {
        names_make();
        if (rl::rand(2))
            RL_ASSERT(names_register());
    }
    void call(unsigned index)
    {
        for (unsigned round = 0; round < 2; round++) {
            if (index == 0) {
                (void)names_register();
                names_close();
                names_await();
                names_dispose();
            } else if (names_enter()) {
                entered++;
                names_leave();
                left++;
            }
        }
    }
    void finish()
    {
        RL_ASSERT(entered == left && !names_close() && !names_enter());
    }
};
MODEL(naming, 20000);

// Two threads take it out of use: both wait for the request that uses it, and both are woken.
struct naming_awaited : protocol<naming_awaited, 3, 0> {
    void prepare()
    {
        names_make();
        RL_ASSERT(names_register() && names_enter());
    }
    void call(unsigned index)
    {
        if (index == 2)
            return names_leave();
        (void)names_close();
        names_await();
        (void)names_enter();
    }
};
MODEL(naming_awaited, 5000);

// Two threads register it: one does.
struct naming_twice : protocol<naming_twice, 2, 0> {
    unsigned registered = 0;

    void prepare()
    {
        names_make();
    }
    void call(unsigned)
    {
        registered += names_register();
    }
    void finish()
    {
        RL_ASSERT(registered == 1 && names_close() && !names_close());
    }
};
MODEL(naming_twice, 2000);

} // namespace

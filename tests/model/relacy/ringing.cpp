// What threads tell of themselves: src/base/ring.h, doing.h, and the answers of backtrace.h.
#include "calls.h"
#include "doing.h"
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

// One thread begins things, another looks. What it reads of one is whole.
struct doing_told : protocol<doing_told, 2, 0> {
    void prepare()
    {
        doing_make();
    }
    void call(unsigned index)
    {
        for (unsigned i = 0; i < 4; i++)
            if (index == 0)
                doing_push(rl::rand(2) != 0);
            else
                RL_ASSERT(doing_look(rl::rand(2)));
    }
};
MODEL(doing_told, 20000);

// One thread is asked twice for its stack, and answers.
struct stack_told : protocol<stack_told, 2, 0> {
    void prepare()
    {
        frames_make();
    }
    void call(unsigned index)
    {
        for (unsigned i = 0; i < 2; i++)
            if (index == 0) {
                while (!frames_answer())
                    model_pause();
            } else {
                frames_ask();
                while (!frames_read())
                    model_pause();
            }
    }
};
MODEL(stack_told, 5000);

// Two threads that answer: one at a time.
struct stack_written : protocol<stack_written, 2, 0> {
    void prepare()
    {
        frames_make();
    }
    void call(unsigned)
    {
        while (!frames_write())
            model_pause();
    }
};
MODEL(stack_written, 2000);

// Who wakes another leaves it a word, which brings what it has found.
struct word_left : protocol<word_left, 2, 0> {
    datum found;

    void prepare()
    {
        found($) = 0;
        word_make();
    }
    void call(unsigned index)
    {
        if (index == 0) {
            RL_ASSERT(word_await());
            RL_ASSERT(found($) == 1);
        } else {
            found($) = 1;
            while (!word_leave())
                model_pause();
        }
    }
};
MODEL(word_left, 2000);

} // namespace

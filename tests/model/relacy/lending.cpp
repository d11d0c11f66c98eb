// Pools whose threads a program lends: src/pool/lent.c.
#include "fixture.h"
#include "call_data.hpp"
#include "calls.h"
#include "model.hpp"

namespace
{

struct lender {
    virtual void lend(fixture_help *help, void *call) = 0;
};
lender *lender_now;

// Two callers have the same places on two lanes, of which only one is for a helper. Two threads
// come for both, in any order, early, late or again; nothing orders them but the library.
struct lending final : protocol<lending, 4, 0>, lender {
    call_data<lending> data[2];
    datum in_the_name_of_1;
    gate lent[2];
    fixture_help *help = nullptr;
    void *call_of[2] = {};

    void prepare()
    {
        const fixture f = {2, 2, 1000, 0, 0, false};
        lender_now = this;
        fixture_make_lent(&f, true);
        for (call_data<lending> &one : data) {
            one.model = this;
            one.extra = &lending::leave_a_trace;
        }
        in_the_name_of_1($) = 0;
    }
    void leave_a_trace(unsigned, unsigned worker)
    {
        if (worker == 1)
            in_the_name_of_1($) += 1;
    }
    void lend(fixture_help *given, void *call) override
    {
        const unsigned index = model_self();
        help = given;
        call_of[index] = call;
        lent[index].open();
        help(call);
    }
    void call(unsigned index)
    {
        if (index >= 2) {
            for (unsigned i = 0; i < 4; i++) {
                const unsigned which = (index + i) % 2;
                lent[which].pass();
                help(call_of[which]);
            }
            return;
        }
        RL_ASSERT(fixture_lease());
        data[index].run(10, shape(4, 2, 2, false), fixture_run_lent);
        data[index].run(20, shape(2, 2, 1, true), fixture_run_lent);
        fixture_release();
    }
};
MODEL(lending, 10000);

// Costs are measured by one of those who ask for them, with the help of one thread. Whoever sees
// that the pool is ready has them.
struct measuring final : protocol<measuring, 3, 0>, lender {
    datum costs;
    gate lent;
    fixture_help *help = nullptr;
    void *lent_call = nullptr;
    bool over = false;
    static measuring *current;

    void prepare()
    {
        const fixture f = {2, 2, 1000, 0, 0, false};
        lender_now = current = this;
        fixture_make_lent(&f, false);
    }
    void lend(fixture_help *given, void *call) override
    {
        help = given;
        lent_call = call;
        lent.open();
        help(call);
    }
    void call(unsigned index)
    {
        if (index == 2) {
            lent.pass();
            while (!over) {
                help(lent_call);
                model_pause();
            }
            return;
        }
        fixture_measure_lent();
        while (!fixture_is_ready())
            model_pause();
        RL_ASSERT(costs($) == 1);
        over = true;
    }
};
measuring *measuring::current;
MODEL(measuring, 2000);

} // namespace

void model_lend(fixture_help *help, void *call)
{
    lender_now->lend(help, call);
}

void model_took_costs(void)
{
    measuring::current->costs($) = 1;
}

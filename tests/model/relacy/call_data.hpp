// Calls of models, whose data are watched.
#pragma once

#include "fixture.h"
#include "model.hpp"

// Calls whose kernels read what their caller wrote, and write what it reads. All of their data is
// watched; a unit that runs twice, or in the wrong call, shows in what it finds.
template <typename derived> struct call_data {
    static constexpr unsigned UNITS = 6;
    datum in[UNITS], out[UNITS], once[UNITS];
    derived *model;
    void (derived::*extra)(unsigned unit, unsigned worker) = nullptr;

    static void kernel(void *arg, unsigned unit, unsigned worker)
    {
        auto *data = static_cast<call_data *>(arg);
        data->once[unit]($) += 1;
        data->out[unit]($) = data->in[unit]($) + 1;
        if (data->extra)
            (data->model->*data->extra)(unit, worker);
    }
    void prepare(unsigned value, fixture_call &call)
    {
        call.kernel = kernel;
        call.arg = this;
        for (unsigned i = 0; i < call.units; i++) {
            in[i]($) = value + i;
            once[i]($) = 0;
        }
    }
    // On the leased lane.
    void run(unsigned value, fixture_call call, unsigned (*how)(const fixture_call *) = fixture_run)
    {
        prepare(value, call);
        RL_ASSERT(how(&call) == call.units);
        for (unsigned i = 0; i < call.units; i++) {
            RL_ASSERT(once[i]($) == 1);
            RL_ASSERT(out[i]($) == value + i + 1);
        }
    }
    // Likewise; the kernel may leave it, and whether it has.
    bool run_and_leave(unsigned value, fixture_call call)
    {
        prepare(value, call);
        return fixture_run_and_leave(&call);
    }
    // Likewise; a helper may leave it, which makes it fail.
    void run_to_the_end(unsigned value, fixture_call call)
    {
        prepare(value, call);
        const unsigned done = fixture_run(&call);
        RL_ASSERT(done == call.units || done == FIXTURE_FAILED);
    }
};

inline fixture_call shape(unsigned units, unsigned width, unsigned tickets, bool announces)
{
    return {units, width, tickets, 1, announces, nullptr, nullptr};
}

inline void make(unsigned workers, unsigned lanes, unsigned spin_ticks, unsigned idle)
{
    const fixture f = {workers, lanes, spin_ticks, idle, true};
    fixture_make(&f);
}

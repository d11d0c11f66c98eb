// Calls of models, whose data are watched.
#pragma once

#include "fixture.h"
#include "model.hpp"

// Calls whose kernels read what their caller wrote, and write what it reads. All of their data is
// watched; a unit that runs twice, or in the wrong call, shows in what it finds.
template <typename derived> struct call_data {
    static constexpr unsigned UNITS = 6;
    datum in[UNITS], out[UNITS], once[UNITS];
    datum sums[UNITS]; // of what a whole group has left, at its first unit; 0: nobody has folded it
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
    static void fold(void *arg, unsigned first, unsigned units)
    {
        auto *data = static_cast<call_data *>(arg);
        RL_ASSERT(units != 0 && data->sums[first]($) == 0);
        unsigned sum = 0;
        for (unsigned i = first; i < first + units; i++) {
            RL_ASSERT(data->once[i]($) == 1);
            sum += data->out[i]($);
        }
        data->sums[first]($) = sum;
    }
    void prepare(unsigned value, fixture_call &call)
    {
        call.kernel = kernel;
        call.fold = fold;
        call.arg = this;
        for (unsigned i = 0; i < call.units; i++) {
            in[i]($) = value + i;
            once[i]($) = 0;
            sums[i]($) = 0;
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
        for (unsigned i = 0; i < call.units; i++) {
            unsigned left = sums[i]($);
            for (unsigned j = i; left != 0; j++) {
                RL_ASSERT(j < call.units && left >= value + j + 1);
                left -= value + j + 1;
            }
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
    return {units, width, tickets, 1, announces, nullptr, nullptr, nullptr, 0};
}

inline void make(unsigned workers, unsigned lanes, unsigned spin_ticks, unsigned idle,
                 unsigned split = 0)
{
    const fixture f = {workers, lanes, spin_ticks, idle, split, true};
    fixture_make(&f);
}

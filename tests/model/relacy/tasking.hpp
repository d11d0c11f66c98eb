// What models of tasks share.
#ifndef MODEL_TASKING_HPP
#define MODEL_TASKING_HPP

#include "model.hpp"
#include "tasks.h"

// Tasks that read what their submitter wrote, and write what those read who wait for them. One that
// is run twice, or by somebody who does not see what came before, shows in what it finds.
template <typename derived, unsigned callers, unsigned others>
struct tasking : protocol<derived, callers, others> {
    datum in[TASKS], out[TASKS], once[TASKS];
    bool is_written[TASKS] = {};
    static derived *current;

    void prepare()
    {
        current = static_cast<derived *>(this);
        tasks_make(run, nullptr);
    }
    static int run(unsigned task)
    {
        current->begin(task);
        current->work(task);
        current->end(task);
        return 0;
    }
    void work(unsigned)
    {
    }
    void write(unsigned task)
    {
        is_written[task] = true;
        in[task]($) = task + 1;
        once[task]($) = 0;
    }
    void begin(unsigned task)
    {
        RL_ASSERT(in[task]($) == task + 1);
        once[task]($) += 1;
    }
    void end(unsigned task)
    {
        out[task]($) = task + 2;
    }
    void begin_if_any(unsigned task)
    {
        if (task != TASKS_NONE)
            begin(task);
    }
    void see(unsigned task)
    {
        RL_ASSERT(out[task]($) == task + 2);
        RL_ASSERT(once[task]($) == 1);
    }
    void submit(unsigned task)
    {
        write(task);
        tasks_submit(task);
    }
    void finish()
    {
        for (unsigned i = 0; i < TASKS; i++)
            RL_ASSERT(!is_written[i] || once[i]($) == 1);
    }
};
template <typename derived, unsigned callers, unsigned others>
derived *tasking<derived, callers, others>::current;

#endif

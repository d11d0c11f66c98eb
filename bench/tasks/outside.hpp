// Threads of the program's own that use a runtime at once, where the runtime has no way of its own.
#ifndef BENCH_TASKS_OUTSIDE_HPP
#define BENCH_TASKS_OUTSIDE_HPP

#include <thread>
#include <vector>

// Calls body(context, k) for k from 0 to count - 1, on as many threads.
template <class Context, class Body> void on_threads(unsigned count, Body body)
{
    std::vector<std::thread> threads;
    for (unsigned k = 1; k < count; k++)
        threads.emplace_back([=] {
            Context context;
            body(context, k);
        });
    Context context;
    body(context, 0);
    for (std::thread &thread : threads)
        thread.join();
}

#endif

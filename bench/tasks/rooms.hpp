// For runtimes whose tasks lie in memory of their submitter, which have defined Context, Task<F>
// and Tasks<F>.
#ifndef BENCH_TASKS_ROOMS_HPP
#define BENCH_TASKS_ROOMS_HPP

#include <cstddef>
#include <memory>

template <class F> struct Many : Tasks<F> {
    std::unique_ptr<char[]> room;
    Many(Context &, size_t most) : room(new char[most * sizeof(Task<F>)])
    {
        this->task = reinterpret_cast<Task<F> *>(room.get());
    }
};

template <class F, size_t MOST> struct Children : Tasks<F> {
    alignas(Task<F>) char room[MOST * sizeof(Task<F>)];
    explicit Children(Context &)
    {
        this->task = reinterpret_cast<Task<F> *>(room);
    }
};

#endif

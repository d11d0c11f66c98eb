// For runtimes whose tasks lie in memory of their submitter, which have defined Context, Task<F>,
// and as many of them as fit into room: Queued<F> from outside, Tasks<F> within a task.
#ifndef BENCH_TASKS_ROOMS_HPP
#define BENCH_TASKS_ROOMS_HPP

#include <cstddef>
#include <memory>

// Memory that a thread keeps, as other runtimes' allocators keep theirs.
template <class T> T *room_for(size_t count)
{
    thread_local std::unique_ptr<char[]> room;
    thread_local size_t most = 0;
    if (count > most) {
        room.reset(new char[count * sizeof(T)]);
        most = count;
    }
    return reinterpret_cast<T *>(room.get());
}

template <class F> struct Many : Queued<F> {
    Many(Context &, size_t most)
    {
        this->task = room_for<Task<F>>(most);
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

// oneTBB: task_group, or with BENCH_ARENA an arena, to whose queue threads from outside give their
// tasks, and parallel_invoke within it.
#include "outside.hpp"
#include <memory>
#include <tbb/global_control.h>
#include <tbb/parallel_invoke.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#ifdef BENCH_ARENA
constexpr const char *runtime_name = "tbb-arena";
#else
constexpr const char *runtime_name = "tbb-group";
#endif

struct Context {
};

inline tbb::task_arena &arena()
{
    static tbb::task_arena the;
    return the;
}

inline void start(unsigned threads)
{
    static std::unique_ptr<tbb::global_control> limit;
    if (threads)
        limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                      threads);
}

template <class Body> void outside(unsigned count, Body body)
{
    on_threads<Context>(count, body);
}

template <class F> auto as_task(F f)
{
    return [f] {
        Context context;
        f(context);
    };
}

// In a group, as tasks submit them.
template <class F, size_t> struct Children {
    tbb::task_group group;
    explicit Children(Context &)
    {
    }
    void add(F f)
    {
        group.run(as_task(f));
    }
    void wait()
    {
        group.wait();
    }
};

#ifdef BENCH_ARENA
template <class Body> void inside(Context &context, Body body)
{
    arena().execute([&] { body(context); });
}

template <class F> struct Many {
    tbb::task_group group;
    Many(Context &, size_t)
    {
    }
    void add(F f)
    {
        arena().enqueue(group.defer(as_task(f)));
    }
    void wait()
    {
        arena().execute([this] { group.wait(); });
    }
};

template <class F, class G> void both(Context &, F f, G g)
{
    tbb::parallel_invoke(as_task(f), as_task(g));
}
#else
template <class Body> void inside(Context &context, Body body)
{
    body(context);
}

template <class F> struct Many : Children<F, 0> {
    Many(Context &context, size_t) : Children<F, 0>(context)
    {
    }
};

template <class F, class G> void both(Context &context, F f, G g)
{
    tbb::task_group group;
    group.run(as_task(f));
    g(context);
    group.wait();
}
#endif

template <class F> void one(Context &context, F f)
{
    Many<F> tasks(context, 1);
    tasks.add(f);
    tasks.wait();
}

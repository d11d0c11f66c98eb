// Taskflow: asynchronous tasks of an executor, and of a runtime within them.
#include "outside.hpp"
#include <taskflow/taskflow.hpp>

constexpr const char *runtime_name = "taskflow";

struct Context {
    tf::Runtime *runtime = nullptr; // of the task
};

inline tf::Executor *executor;

inline void start(unsigned threads)
{
    executor = new tf::Executor(threads ? threads : std::thread::hardware_concurrency());
}

template <class Body> void outside(unsigned count, Body body)
{
    on_threads<Context>(count, body);
}

template <class F> auto as_task(F f)
{
    return [f](tf::Runtime &runtime) {
        Context context{&runtime};
        f(context);
    };
}

template <class Body> void inside(Context &, Body body)
{
    executor
        ->async([&body](tf::Runtime &runtime) {
            Context context{&runtime};
            body(context);
        })
        .get();
}

template <class F> void one(Context &context, F f)
{
    executor->async([&] { f(context); }).get();
}

template <class F> struct Many {
    Many(Context &, size_t)
    {
    }
    void add(F f)
    {
        executor->silent_async([f] {
            Context context;
            f(context);
        });
    }
    void wait()
    {
        executor->wait_for_all();
    }
};

template <class F, size_t> struct Children {
    tf::Runtime &runtime;
    explicit Children(Context &context) : runtime(*context.runtime)
    {
    }
    void add(F f)
    {
        runtime.silent_async(as_task(f));
    }
    void wait()
    {
        runtime.corun_all();
    }
};

template <class F, class G> void both(Context &context, F f, G g)
{
    context.runtime->silent_async(as_task(f));
    g(context);
    context.runtime->corun_all();
}

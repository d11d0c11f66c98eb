// No tasks: each piece of work where it would be submitted.
#include "leaf.hpp"
#include "outside.hpp"

constexpr const char *runtime_name = "serial";

struct Context {
};

inline void start(unsigned)
{
}

template <class Body> void outside(unsigned count, Body body)
{
    on_threads<Context>(count, body);
}

template <class Body> void inside(Context &context, Body body)
{
    body(context);
}

template <class F> void one(Context &context, F f)
{
    f(context);
}

template <class F> struct Many {
    Context &context;
    explicit Many(Context &c, size_t = 0) : context(c)
    {
    }
    void add(F f)
    {
        f(context);
    }
    void wait()
    {
    }
};

template <class F, size_t MOST> using Children = Many<F>;

template <class F, class G> void both(Context &context, F f, G g)
{
    f(context);
    g(context);
}

#define BENCH_TASKS_BESIDE
struct Beside {
    std::vector<uint32_t> out;
    explicit Beside(size_t n) : out(n)
    {
    }
    void call()
    {
        leaf_loop(out.data(), 0, out.size());
    }
    void keep_queued(size_t, size_t)
    {
    }
    bool stop()
    {
        return true;
    }
};

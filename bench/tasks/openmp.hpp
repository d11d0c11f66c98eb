// OpenMP's tasks. Threads from outside are those of a team, since tasks belong to one.
#include <algorithm>
#include <cstddef>
#include <omp.h>

#ifdef __clang__
constexpr const char *runtime_name = "libomp";
#else
constexpr const char *runtime_name = "gomp";
#endif

struct Context {
};

inline void start(unsigned threads)
{
    if (threads)
        omp_set_num_threads((int)threads);
}

template <class Body> void outside(unsigned count, Body body)
{
    const int team = std::max((int)count, omp_get_max_threads());
#pragma omp parallel num_threads(team)
    {
        const unsigned k = (unsigned)omp_get_thread_num();
        Context context;
        if (k < count)
            body(context, k);
    }
}

template <class Body> void inside(Context &context, Body body)
{
    body(context);
}

template <class F> struct Many {
    Many(Context &, size_t)
    {
    }
    void add(F f)
    {
#pragma omp task firstprivate(f)
        {
            Context context;
            f(context);
        }
    }
    void wait()
    {
#pragma omp taskwait
    }
};

template <class F, size_t> struct Children : Many<F> {
    explicit Children(Context &context) : Many<F>(context, 0)
    {
    }
};

template <class F, class G> void both(Context &context, F f, G g)
{
#pragma omp task firstprivate(f)
    {
        Context own;
        f(own);
    }
    g(context);
#pragma omp taskwait
}

template <class F> void one(Context &context, F f)
{
    Many<F> tasks(context, 1);
    tasks.add(f);
    tasks.wait();
}

// para: tasks in memory of their submitter.
#include "leaf.hpp"
#include "outside.hpp"
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <para/para.h>

constexpr const char *runtime_name = "para";

inline para_pool *pool = nullptr; // the default pool

inline void must(para_status status)
{
    if (status) {
        std::fprintf(stderr, "tasks-para: %s %s\n", para_status_text(status), para_status_detail());
        std::exit(1);
    }
}

struct Context {
};

inline void start(unsigned threads)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = threads;
    if (threads)
        must(para_pool_create(&pool, &config));
}

template <class Body> void outside(unsigned count, Body body)
{
    on_threads<Context>(count, body);
}

template <class Body> void inside(Context &context, Body body)
{
    body(context);
}

template <class F> int run_task(void *f)
{
    Context context;
    (*static_cast<F *>(f))(context);
    return 0;
}

template <class F> struct Task {
    para_task task = {};
    F f;
    explicit Task(F work) : f(work)
    {
        task.run = run_task<F>;
        task.arg = &f;
    }
    void submit()
    {
        must(para_submit(pool, &task));
    }
    void wait()
    {
        must(para_task_wait(&task));
    }
};

template <class F> void one(Context &, F f)
{
    Task<F> task(f);
    task.submit();
    task.wait();
}

template <class F, class G> void both(Context &context, F f, G g)
{
    Task<F> task(f);
    task.submit();
    g(context);
    task.wait();
}

// As many tasks as fit into room, in a group.
template <class F> struct Tasks {
    Task<F> *task = nullptr;
    size_t count = 0;
    para_task_group group = {};
    void add(F f)
    {
        Task<F> *const next = new (&task[count++]) Task<F>(f);
        next->task.group = &group;
        next->submit();
    }
    void wait()
    {
        must(para_task_group_wait(&group));
    }
};

#include "rooms.hpp"

// Calls beside tasks that go back into the queue when they are over.
#define BENCH_TASKS_BESIDE
class Beside
{
  public:
    explicit Beside(size_t n) : out(n)
    {
    }
    void call()
    {
        para_map map = {};
        map.kernel = kernel;
        map.arg = out.data();
        map.count = out.size();
        must(para_pmap(pool, &map));
    }
    void keep_queued(size_t n, size_t steps)
    {
        is_ending = false;
        left = n;
        rounds = 0;
        tasks = std::make_unique<Circling[]>(n);
        for (size_t i = 0; i < n; i++) {
            Circling *const next = &tasks[i];
            next->all = this;
            next->steps = steps;
            next->task.run = run;
            next->task.arg = next;
            next->task.is_detached = true;
            next->task.done = go_back;
            must(para_submit(pool, &next->task));
        }
    }
    // False: no task has run.
    bool stop()
    {
        is_ending = true;
        while (left > 0)
            std::this_thread::yield();
        return rounds > 0;
    }

  private:
    struct Circling {
        para_task task = {};
        Beside *all = nullptr;
        size_t steps = 0;
    };
    std::vector<uint32_t> out;
    std::unique_ptr<Circling[]> tasks;
    std::atomic<bool> is_ending{false};
    std::atomic<size_t> left{0}, rounds{0};

    static int kernel(const para_chunk *chunk, const void *out)
    {
        leaf_loop(static_cast<uint32_t *>(const_cast<void *>(out)), chunk->first, chunk->count);
        return 0;
    }
    static int run(void *arg)
    {
        leaf_work(static_cast<Circling *>(arg)->steps);
        return 0;
    }
    static void go_back(para_task *task)
    {
        Beside *const all = static_cast<Circling *>(task->arg)->all;
        all->rounds.fetch_add(1, std::memory_order_relaxed);
        if (!all->is_ending)
            must(para_submit(pool, task));
        else
            all->left.fetch_sub(1);
    }
};

// A pool as programs have that use no library: one list, one mutex, and a condition variable for
// those who find it empty. Tasks are nodes in memory of their submitter. Tasks of tasks go to the
// front, so that the list stays short, and others to the end. A thread that waits runs tasks: any,
// or those that it waits for once it has run many within each other, for its stack is not endless.
#include "outside.hpp"
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <new>

constexpr const char *runtime_name = "condvar";

class Pool
{
  public:
    struct Group {
        std::atomic<size_t> left{0};
    };
    struct Node {
        void (*run)(Node *node);
        Group *group;
        Node *next;
    };

    void start(unsigned threads)
    {
        for (unsigned k = 1; k < threads; k++)
            std::thread([this] { live(); }).detach();
    }
    void submit(Node *node)
    {
        node->group->left.fetch_add(1, std::memory_order_relaxed);
        std::unique_lock<std::mutex> lock(mutex);
        node->next = depth ? first : nullptr;
        if (!first)
            first = last = node;
        else if (depth)
            first = node;
        else
            last = last->next = node;
        const bool is_awaited = sleeping > 0;
        lock.unlock();
        if (is_awaited)
            news.notify_one();
    }
    void wait(Group *group)
    {
        if (group->left.load(std::memory_order_acquire) == 0)
            return;
        std::unique_lock<std::mutex> lock(mutex);
        while (group->left.load(std::memory_order_acquire))
            run_or_sleep(lock, depth < DEPTH_ANY ? nullptr : group);
    }

  private:
    enum { DEPTH_ANY = 200 };
    std::mutex mutex;
    std::condition_variable news;
    Node *first = nullptr, *last = nullptr;
    unsigned sleeping = 0;
    static inline thread_local unsigned depth = 0; // tasks that run within each other

    // The first one, or the first of that group.
    Node *take(const Group *group)
    {
        Node *before = nullptr, *node = first;
        while (node && group && node->group != group) {
            before = node;
            node = node->next;
        }
        if (!node)
            return nullptr;
        (before ? before->next : first) = node->next;
        if (node == last)
            last = before;
        return node;
    }
    void run_or_sleep(std::unique_lock<std::mutex> &lock, const Group *wanted)
    {
        Node *const node = take(wanted);
        if (!node) {
            sleeping++;
            news.wait(lock);
            sleeping--;
            return;
        }
        lock.unlock();
        Group *const group = node->group;
        depth++;
        node->run(node);
        depth--;
        const bool is_last = group->left.fetch_sub(1, std::memory_order_acq_rel) == 1;
        lock.lock();
        if (is_last && sleeping)
            news.notify_all();
    }
    void live()
    {
        std::unique_lock<std::mutex> lock(mutex);
        for (;;)
            run_or_sleep(lock, nullptr);
    }
};

inline Pool &pool = *new Pool;

struct Context {
};

inline void start(unsigned threads)
{
    pool.start(threads ? threads : std::thread::hardware_concurrency());
}

template <class Body> void outside(unsigned count, Body body)
{
    on_threads<Context>(count, body);
}

template <class Body> void inside(Context &context, Body body)
{
    body(context);
}

template <class F> struct Task {
    Pool::Node node;
    F f;
    static void run(Pool::Node *node)
    {
        Context context;
        reinterpret_cast<Task *>(node)->f(context);
    }
};

// Memory for so many tasks, and their group.
template <class F> struct Tasks {
    Task<F> *task = nullptr;
    size_t count = 0;
    Pool::Group group;
    void add(F f)
    {
        Task<F> *const next = new (&task[count++]) Task<F>{{Task<F>::run, &group, nullptr}, f};
        pool.submit(&next->node);
    }
    void wait()
    {
        pool.wait(&group);
    }
};

#include "rooms.hpp"

template <class F, class G> void both(Context &context, F f, G g)
{
    Children<F, 1> child(context);
    child.add(f);
    g(context);
    child.wait();
}

template <class F> void one(Context &context, F f)
{
    Children<F, 1> task(context);
    task.add(f);
    task.wait();
}

// One runtime's tasks as a process that bench/run.py talks to, as it does to a runtime of loops: a
// line on standard input
//     WORKLOAD POINT SECONDS
// is answered with a line of JSON; --list prints what workloads there are. The same algorithms are
// compiled for each runtime, with BENCH_TASKS, its header, which has
//     start(threads)           as many as the runtime takes by itself, if 0
//     outside(n, body)         body(context, k) on n threads at once that are not the runtime's
//     inside(context, body)    body(context) where tasks make tasks
//     one(context, f)          one task from outside, and a wait for it
//     Many<F>(context, n)      n tasks from outside: add, wait
//     Children<F, N>(context)  at most N tasks of a task: add, wait
//     both(context, f, g)      two of them, of which this thread may run one itself
#include BENCH_TASKS
#include "leaf.hpp"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <csignal>
#include <thread>
#include <vector>

namespace
{
constexpr size_t US = 625; // steps of 1.6 ns
enum { TASKS = 6 };        // the kind, as run.py knows it

struct Figures {
    double ns = 0, without_ns = 0; // without: beside no tasks
    const char *fault = nullptr;
};

struct Point {
    const char *name;
    unsigned threads;
    size_t n, steps;
    bool quick;
};

double now()
{
    using clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

// Seconds that f(context, k) takes, `times` times on each of some threads at once, which have done
// it before.
template <class F> double timed(unsigned threads, size_t before, size_t times, F f)
{
    std::atomic<unsigned> ready{0};
    std::vector<double> begin(threads), end(threads);
    outside(threads, [&](Context &context, unsigned k) {
        for (size_t i = 0; i < before; i++)
            f(context, k);
        ready.fetch_add(1);
        while (ready.load() < threads)
            std::this_thread::yield();
        begin[k] = now();
        for (size_t i = 0; i < times; i++)
            f(context, k);
        end[k] = now();
    });
    return *std::max_element(end.begin(), end.end()) -
           *std::min_element(begin.begin(), begin.end());
}

struct Work {
    size_t steps;
    void operator()(Context &) const
    {
        leaf_work(steps);
    }
};

// ---- From outside

// One task after the other, each waited for.
Figures submit(const Point &p, double seconds)
{
    const size_t before = 64;
    for (size_t times = 64;;) {
        const uint64_t done = leaf_count();
        const double took = timed(p.threads, before, times,
                                  [&](Context &context, unsigned) { one(context, Work{p.steps}); });
        if (leaf_count() - done != p.threads * (before + times))
            return {0, 0, "wrong result"};
        if (took >= seconds)
            return {took / (double)(p.threads * times) * 1e9};
        const double factor = seconds / std::max(took, seconds / 8) * 1.2;
        times = (size_t)((double)times * factor) + 1;
    }
}

// All of them, then one wait. Each thread has done it before: its memory is there.
Figures stream(const Point &p, double seconds)
{
    const size_t each = p.n / p.threads;
    const uint64_t done = leaf_count();
    size_t runs = 0;
    double took = 0;
    do {
        took += timed(p.threads, 1, 1, [&](Context &context, unsigned) {
            Many<Work> tasks(context, each);
            for (size_t i = 0; i < each; i++)
                tasks.add({p.steps});
            tasks.wait();
        });
        runs++;
    } while (took < seconds);
    if (leaf_count() - done != 2 * runs * p.threads * each)
        return {0, 0, "wrong result"};
    return {took / (double)(runs * p.threads * each) * 1e9};
}

// ---- Tasks of tasks

uint64_t fibonacci(Context &context, unsigned n)
{
    if (n < 2)
        return n;
    uint64_t a = 0, b = 0;
    struct Part {
        unsigned n;
        uint64_t *result;
        void operator()(Context &c) const
        {
            *result = fibonacci(c, n);
        }
    };
    both(context, Part{n - 1, &a}, Part{n - 2, &b});
    return a + b;
}

struct Node {
    uint64_t seed;
    unsigned depth, full;
    uint64_t *nodes;
    void operator()(Context &context) const
    {
        uint64_t seeds[TREE_CHILDREN], below[TREE_CHILDREN];
        const unsigned count = leaf_tree_children(seed, depth, full, seeds);
        Children<Node, TREE_CHILDREN> children(context);
        for (unsigned i = 0; i < count; i++)
            children.add({seeds[i], depth + 1, full, &below[i]});
        children.wait();
        *nodes = 1;
        for (unsigned i = 0; i < count; i++)
            *nodes += below[i];
    }
};

void sort(Context &context, double *x, size_t n)
{
    if (n <= 4096) {
        leaf_sort(x, n);
        return;
    }
    const size_t lesser = leaf_partition(x, n);
    struct Part {
        double *x;
        size_t n;
        void operator()(Context &c) const
        {
            sort(c, x, n);
        }
    };
    both(context, Part{x, lesser}, Part{x + lesser, n - lesser});
}

// A task for each queen in the first rows.
struct Queens {
    Board board;
    unsigned rows;
    uint64_t *ways;
    void operator()(Context &context) const
    {
        if (board.row >= rows || board.row == board.n) {
            *ways = leaf_queens(board);
            return;
        }
        uint64_t below[16] = {0};
        unsigned count = 0;
        Children<Queens, 16> children(context);
        for (uint32_t free = board.free(); free; free &= free - 1)
            children.add({board.with(free & -free), rows, &below[count++]});
        children.wait();
        *ways = 0;
        for (unsigned i = 0; i < count; i++)
            *ways += below[i];
    }
};

// Runs until enough time has passed: `prepare`, which is not timed, then `run`.
template <class Prepare, class Run>
Figures recursion(double seconds, double right, Prepare prepare, Run run)
{
    Figures figures;
    size_t runs = 0;
    double took = 0;
    do {
        prepare();
        double result = 0;
        took += timed(1, 0, 1, [&](Context &context, unsigned) {
            inside(context, [&](Context &c) { result = run(c); });
        });
        if (result != right)
            figures.fault = "wrong result";
        runs++;
    } while (took < seconds);
    figures.ns = took / (double)runs * 1e9;
    return figures;
}

uint64_t plain_fibonacci(size_t n)
{
    uint64_t a = 0, b = 1;
    for (; n > 0; n--) {
        a += b;
        std::swap(a, b);
    }
    return a;
}

uint64_t plain_tree(uint64_t seed, unsigned depth, unsigned full)
{
    uint64_t seeds[TREE_CHILDREN], nodes = 1;
    const unsigned count = leaf_tree_children(seed, depth, full, seeds);
    for (unsigned i = 0; i < count; i++)
        nodes += plain_tree(seeds[i], depth + 1, full);
    return nodes;
}

const auto nothing = [] {};

Figures fibonacci_point(const Point &p, double seconds)
{
    return recursion(seconds, (double)plain_fibonacci(p.n), nothing,
                     [&](Context &c) { return (double)fibonacci(c, (unsigned)p.n); });
}

Figures tree_point(const Point &p, double seconds)
{
    static std::vector<double> known(16); // by full levels
    const unsigned full = (unsigned)p.n;
    if (known[full] == 0)
        known[full] = (double)plain_tree(1, 0, full);
    return recursion(seconds, known[full], nothing, [&](Context &c) {
        uint64_t nodes = 0;
        Node{1, 0, full, &nodes}(c);
        return (double)nodes;
    });
}

Figures sort_point(const Point &p, double seconds)
{
    std::vector<double> from(p.n), x;
    std::mt19937_64 random(1);
    for (double &value : from)
        value = (double)random();
    Figures figures = recursion(
        seconds, 1, [&] { x = from; },
        [&](Context &c) {
            sort(c, x.data(), p.n);
            return 1;
        });
    std::sort(from.begin(), from.end());
    if (x != from)
        figures.fault = "wrong result";
    return figures;
}

Figures queens_point(const Point &p, double seconds)
{
    const uint64_t right = leaf_queens({(unsigned)p.n, 0, 0, 0, 0});
    return recursion(seconds, (double)right, nothing, [&](Context &c) {
        uint64_t ways = 0;
        Queens{{(unsigned)p.n, 0, 0, 0, 0}, (unsigned)p.steps, &ways}(c);
        return (double)ways;
    });
}

// ---- Calls beside queued tasks

Figures beside(const Point &p, double seconds)
{
#ifdef BENCH_TASKS_BESIDE
    std::vector<uint32_t> out(p.threads);
    Beside calls(p.steps);
    Figures figures;
    double took[2] = {0, 0};
    size_t runs[2] = {0, 0};
    for (unsigned turn = 0; turn < 8; turn++) { // without, with, with, without and so on
        const bool with = (turn + 1) / 2 % 2;
        if (with)
            calls.keep_queued(p.n, US);
        for (unsigned i = 0; i < 20; i++)
            calls.call();
        const double begin = now();
        double passed = 0;
        do {
            calls.call();
            runs[with]++;
            passed = now() - begin;
        } while (passed < seconds / 4);
        took[with] += passed;
        if (with && !calls.stop())
            figures.fault = "the queue was not kept full";
    }
    figures.ns = took[1] / (double)runs[1] * 1e9;
    figures.without_ns = took[0] / (double)runs[0] * 1e9;
    return figures;
#else
    (void)p;
    (void)seconds;
    return {0, 0, "not possible with this runtime"};
#endif
}

// ---- What there is

const Point submit_points[] = {
    {"1x0us", 1, 1, 0, true},  {"1x1us", 1, 1, US, false}, {"1x10us", 1, 1, 10 * US, false},
    {"4x0us", 4, 1, 0, false}, {"4x1us", 4, 1, US, true},  {"4x10us", 4, 1, 10 * US, false},
};
const Point stream_points[] = {
    {"1x0us", 1, 1000000, 0, false},  {"1x1us", 1, 1000000, US, false},
    {"4x0us", 4, 1000000, 0, false},  {"4x1us", 4, 1000000, US, false},
    {"1x0us-1e4", 1, 10000, 0, true}, {"4x1us-1e4", 4, 10000, US, true},
};
const Point fibonacci_points[] = {{"16", 1, 16, 0, true}, {"30", 1, 30, 0, false}};
const Point tree_points[] = {{"small", 1, 2, 0, true}, {"large", 1, 4, 0, false}};
const Point sort_points[] = {{"1e5", 1, 100000, 0, true}, {"1e7", 1, 10000000, 0, false}};
const Point queens_points[] = {
    {"8", 1, 8, 8, true}, {"12", 1, 12, 12, false}, {"12-cut", 1, 12, 4, false}};
const Point beside_points[] = {
    {"1", 1, 1, 100 * US, true},           {"100", 1, 100, 100 * US, false},
    {"10000", 1, 10000, 100 * US, true},   {"1-short", 1, 1, 10 * US, false},
    {"100-short", 1, 100, 10 * US, false}, {"10000-short", 1, 10000, 10 * US, false},
};

struct Workload {
    const char *name, *title;
    const Point *first, *last;
    Figures (*run)(const Point &point, double seconds);
};
#define POINTS(of) std::begin(of##_points), std::end(of##_points)
const Workload workloads[] = {
    {"submit", "Tasks: submit to result, one at a time, by threads that submit and work",
     POINTS(submit), submit},
    {"tasks",
     "Tasks: a million from outside, then a wait; by threads that submit and work; ns a task",
     POINTS(stream), stream},
    {"fibonacci", "Tasks of tasks: Fibonacci numbers, a task for each", POINTS(fibonacci),
     fibonacci_point},
    {"tree", "Tasks of tasks: search of an unbalanced tree", POINTS(tree), tree_point},
    {"quicksort", "Tasks of tasks: quicksort of doubles, down to 4096", POINTS(sort), sort_point},
    {"queens", "Tasks of tasks: queens on a board, a task for each (cut: in the first four rows)",
     POINTS(queens), queens_point},
    {"beside",
     "Shared calls of 100 us, or short ones of 10 us, beside so many queued tasks of 1 us",
     POINTS(beside), beside},
};

std::string answer(const std::string &line)
{
    std::istringstream words(line);
    std::string workload, name;
    double seconds = 0;
    words >> workload >> name >> seconds;
    for (const Workload &w : workloads)
        for (const Point *p = w.first; p < w.last; p++)
            if (workload == w.name && name == p->name) {
                const Figures f = w.run(*p, seconds);
                char text[256];
                if (f.fault)
                    snprintf(text, sizeof text, "{\"ok\": false, \"fault\": \"%s\"}", f.fault);
                else if (f.without_ns)
                    snprintf(text, sizeof text,
                             "{\"ok\": true, \"ns\": %.9g, \"without_ns\": %.9g}", f.ns,
                             f.without_ns);
                else
                    snprintf(text, sizeof text, "{\"ok\": true, \"ns\": %.9g}", f.ns);
                return text;
            }
    return "{\"ok\": false, \"fault\": \"no such workload or point\"}";
}

void list()
{
    const char *comma = "";
    printf("[");
    for (const Workload &w : workloads) {
        printf("%s\n{\"name\": \"%s\", \"title\": \"%s\", \"kind\": %d, \"points\": [", comma,
               w.name, w.title, TASKS);
        comma = "";
        for (const Point *p = w.first; p < w.last; p++) {
            printf("%s\n  {\"name\": \"%s\", \"bytes\": 0, \"hogs\": 0, \"quick\": %s}", comma,
                   p->name, p->quick ? "true" : "false");
            comma = ",";
        }
        printf("]}");
        comma = ",";
    }
    printf("\n]\n");
}
} // namespace

int main(int argc, char **argv) // NOLINT(bugprone-exception-escape): it ends the process then
{
    unsigned threads = 0;
    if (argc > 1 && !strcmp(argv[1], "--list")) {
        list();
        return 0;
    }
    if (argc > 2 && !strcmp(argv[1], "--threads"))
        threads = (unsigned)strtoul(argv[2], nullptr, 10);
    prctl(PR_SET_PDEATHSIG, SIGKILL); // it may be stopped, and nobody else would wake it
    start(threads);
    for (std::string line; std::getline(std::cin, line);) {
        printf("%s\n", answer(line).c_str());
        fflush(stdout);
    }
    return 0;
}

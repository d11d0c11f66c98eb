// One library's mutex and semaphore as a process that bench/run.py talks to, in the way that it
// talks to a runtime's: a line on standard input
//     WORKLOAD POINT SECONDS
// is answered with a line of JSON; --list prints what workloads there are. What is measured is
// compiled anew for each library, so that it can be inlined as in a program. BENCH_LOCK is the
// library's header.
//
// A point runs twice for so many seconds: without a look at the clock, for the throughput and what
// each thread had of it; then with one before and after each wait, for the longest, and to see
// whether there were ever too many holders.
#include BENCH_LOCK
#include "workload.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <pthread.h>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <csignal>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{
// Steps of bench_chain inside and outside, of 1.6 ns each: 20 ns, or 5 us; 20 to 100 ns.
constexpr size_t SHORT = 12, LONG = 3100, OUTSIDE_LEAST = 12, OUTSIDE_RANGE = 50;

struct Point {
    const char *name;
    unsigned threads, units; // units 0: a mutex
    size_t inside;
    bool quick;
};

const Point mutex_points[] = {
    {"uncontended", 1, 0, 0, true},  {"2-short", 2, 0, SHORT, true},
    {"4-short", 4, 0, SHORT, false}, {"16-short", 16, 0, SHORT, true},
    {"2-long", 2, 0, LONG, false},   {"4-long", 4, 0, LONG, true},
    {"16-long", 16, 0, LONG, false},
};
const Point semaphore_points[] = {
    {"uncontended", 1, 1, 0, true},      {"4-on-1-short", 4, 1, SHORT, true},
    {"4-on-2-short", 4, 2, SHORT, true}, {"4-on-1-long", 4, 1, LONG, false},
    {"4-on-2-long", 4, 2, LONG, false},
};

struct Workload {
    const char *name, *title;
    const Point *first, *last;
    unsigned hogs;
};

const Workload workloads[] = {
    {"mutex",
     "Mutex: an acquisition, by threads and what they do inside (short: 20 ns, long: 5 us)",
     std::begin(mutex_points), std::end(mutex_points), 0},
    {"mutex-hogs", "Mutex beside two CPU hogs", std::begin(mutex_points) + 1,
     std::end(mutex_points), 2},
    {"semaphore", "Semaphore: an acquisition, by threads and units", std::begin(semaphore_points),
     std::end(semaphore_points), 0},
};

struct AsMutex {
    Mutex mutex;
    explicit AsMutex(unsigned)
    {
    }
    void acquire()
    {
        mutex.lock();
    }
    void release()
    {
        mutex.unlock();
    }
};

int64_t now_ns()
{
    using namespace std::chrono;
    return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

struct Figures {
    double ns, jain, longest_wait_ns;
    size_t bytes;
    bool right;
};

// What the threads share, apart from each other.
template <class Lock> struct Shared {
    alignas(128) Lock lock;
    alignas(128) uint64_t guarded = 0; // by a lock of one unit
    alignas(128) std::atomic<bool> stop{false};
    alignas(128) std::atomic<unsigned> holders{0}; // in the second run
    pthread_barrier_t begin;
    explicit Shared(unsigned units) : lock(units)
    {
    }
};

struct alignas(128) Thread {
    uint64_t acquired = 0, chain = 1;
    int64_t began_ns = 0, longest_ns = 0;
    bool right = true;
};

template <class Lock, bool TIMED>
void contend(Shared<Lock> &shared, Thread &thread, const Point &point)
{
    const unsigned units = std::max(point.units, 1u);
    uint64_t x = thread.chain;
    pthread_barrier_wait(&shared.begin);
    thread.began_ns = now_ns();
    while (!shared.stop.load(std::memory_order_relaxed)) {
        x = bench_chain(x, OUTSIDE_LEAST + x % OUTSIDE_RANGE);
        const int64_t came = TIMED ? now_ns() : 0;
        shared.lock.acquire();
        if (TIMED) {
            thread.longest_ns = std::max(thread.longest_ns, now_ns() - came);
            thread.right &= shared.holders.fetch_add(1) < units;
        }
        if (units == 1)
            shared.guarded++;
        x = bench_chain(x, point.inside);
        if (TIMED)
            shared.holders.fetch_sub(1);
        shared.lock.release();
        thread.acquired++;
    }
    thread.chain = x;
}

// Returns how long it took, from the first thread's begin: this one may be the last to go on.
template <class Lock, bool TIMED>
int64_t run(Shared<Lock> &shared, std::vector<Thread> &all, const Point &point, double seconds)
{
    std::vector<std::thread> threads;
    threads.reserve(all.size());
    pthread_barrier_init(&shared.begin, nullptr, point.threads + 1);
    shared.stop = false;
    for (Thread &thread : all)
        threads.emplace_back([&] { contend<Lock, TIMED>(shared, thread, point); });
    pthread_barrier_wait(&shared.begin);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    shared.stop = true;
    const int64_t end = now_ns();
    for (std::thread &thread : threads)
        thread.join();
    pthread_barrier_destroy(&shared.begin);
    const auto first =
        std::min_element(all.begin(), all.end(),
                         [](const Thread &a, const Thread &b) { return a.began_ns < b.began_ns; });
    return end - first->began_ns;
}

template <class Lock> Figures contended(const Point &point, double seconds)
{
    const auto shared = std::make_unique<Shared<Lock>>(point.units);
    std::vector<Thread> all(point.threads);
    const int64_t took = run<Lock, false>(*shared, all, point, seconds);
    double sum = 0, squares = 0;
    for (const Thread &thread : all) {
        sum += (double)thread.acquired;
        squares += (double)thread.acquired * (double)thread.acquired;
    }
    run<Lock, true>(*shared, all, point, seconds);
    Figures figures = {(double)took / sum, sum * sum / (point.threads * squares), 0, sizeof(Lock),
                       true};
    uint64_t acquired = 0;
    for (const Thread &thread : all) {
        figures.longest_wait_ns = std::max(figures.longest_wait_ns, (double)thread.longest_ns);
        figures.right &= thread.right;
        acquired += thread.acquired;
    }
    figures.right &= point.units > 1 || shared->guarded == acquired;
    return figures;
}

template <class Lock> Figures uncontended(const Point &point, double seconds)
{
    constexpr unsigned batch = 1000;
    const auto shared = std::make_unique<Shared<Lock>>(point.units);
    uint64_t acquired = 0;
    const int64_t begin = now_ns();
    int64_t end = begin;
    for (; (double)(end - begin) < seconds * 1e9 || !acquired; end = now_ns()) {
        for (unsigned k = 0; k < batch; k++) {
            shared->lock.acquire();
            shared->guarded++;
            shared->lock.release();
        }
        acquired += batch;
    }
    return {(double)(end - begin) / (double)acquired, 1, 0, sizeof(Lock),
            shared->guarded == acquired};
}

template <class Lock> Figures measure(const Point &point, double seconds)
{
    return point.threads == 1 ? uncontended<Lock>(point, seconds) : contended<Lock>(point, seconds);
}

std::string answer(const std::string &line)
{
    std::istringstream words(line);
    std::string workload, name;
    double seconds = 0;
    words >> workload >> name >> seconds;
    for (const Workload &w : workloads)
        for (const Point *p = w.first; p < w.last; p++)
            if (workload == w.name && name == p->name) {
                const Figures f =
                    p->units ? measure<Semaphore>(*p, seconds) : measure<AsMutex>(*p, seconds);
                if (!f.right)
                    return "{\"ok\": false, \"fault\": \"wrong result\"}";
                char text[256];
                const int length = snprintf(text, sizeof text, "{\"ok\": true, \"ns\": %.9g", f.ns);
                if (p->threads == 1)
                    snprintf(text + length, sizeof text - length, ", \"lock_bytes\": %zu}",
                             f.bytes);
                else
                    snprintf(text + length, sizeof text - length,
                             ", \"jain\": %.4f, \"longest_wait_ns\": %.9g}", f.jain,
                             f.longest_wait_ns);
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
               w.name, w.title, BENCH_LOCKS);
        comma = "";
        for (const Point *p = w.first; p < w.last; p++) {
            printf("%s\n  {\"name\": \"%s\", \"bytes\": 0, \"hogs\": %u, \"quick\": %s}", comma,
                   p->name, w.hogs, p->quick ? "true" : "false");
            comma = ",";
        }
        printf("]}");
        comma = ",";
    }
    printf("\n]\n");
}
} // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "--list")) {
        list();
        return 0;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); // it may be stopped, and nobody else would wake it
    // glibc leaves out atomic operations while a process has one thread. Who locks has two.
    std::thread([] {
        for (;;)
            pause();
    }).detach();
    for (std::string line; std::getline(std::cin, line);) {
        printf("%s\n", answer(line).c_str());
        fflush(stdout);
    }
    return 0;
}

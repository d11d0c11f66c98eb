// One runtime as a process that bench/run.py talks to: each line on its standard input,
//     WORKLOAD POINT SECONDS
// runs that benchmark for about so long and is answered with a line of JSON. Otherwise
//     --list           prints what workloads there are, as JSON
//     --first-call     makes the runtime, runs one small loop, prints how long that took in ns
//     --threads N      makes N threads instead of what the runtime takes by itself
#include "workload.h"
#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace
{
const bench_runtime &runtime = bench_this_runtime;

double now()
{
    using clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(clock::now().time_since_epoch()).count();
}

double cpu_time()
{
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double resident_bytes()
{
    long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &total, &resident) != 2)
            resident = 0;
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

// The workload that is set up, one at a time.
struct Current {
    const bench_workload *workload = nullptr;
    const bench_point *point = nullptr;
    void *ctx = nullptr;
    double seconds = 0; // that it was asked to take

    void run() const
    {
        workload->run(ctx, &runtime);
    }
    void prepare() const
    {
        if (workload->prepare)
            workload->prepare(ctx, &runtime);
    }
    void set_up(const bench_workload *w, const bench_point *p, const bench_runtime *by)
    {
        tear_down();
        workload = w;
        point = p;
        ctx = w->setup(p, by);
    }
    void tear_down()
    {
        if (workload && workload->finish)
            workload->finish(ctx);
        workload = nullptr;
        point = nullptr;
        bench_free_all();
    }
};
Current current;

// The digest after the first run by a runtime, with fresh data, which stays set up.
double first_digest(const bench_workload *w, const bench_point *p, const bench_runtime *by)
{
    current.set_up(w, p, by);
    if (w->prepare)
        w->prepare(current.ctx, by);
    w->run(current.ctx, by);
    return w->digest(current.ctx);
}

// Makes a point ready, and looks once whether its result is that of a serial run.
bool make_ready(const bench_workload *w, const bench_point *p)
{
    static std::map<const bench_point *, bool> known;
    if (known.find(p) == known.end()) {
        const double expected = first_digest(w, p, &bench_serial);
        const double found = first_digest(w, p, &runtime);
        known[p] = std::abs(found - expected) <= w->tolerance * std::abs(expected);
        if (!known[p])
            fprintf(stderr, "bench-%s: %s %s: %.17g instead of %.17g\n", runtime.name, w->name,
                    p->name, found, expected);
    } else { // other memory each time: on which pages it lies makes a difference of up to two times
        current.set_up(w, p, &runtime);
        current.run();
    }
    return known[p];
}

// Keeps what the last benchmark reported.
class Keeper : public benchmark::BenchmarkReporter
{
  public:
    Run run;
    bool ReportContext(const Context &) override
    {
        return true;
    }
    void ReportRuns(const std::vector<Run> &runs) override
    {
        run = runs.front();
    }
};

using Figures = std::map<std::string, double>;

void run_in_a_row(benchmark::State &state)
{
    while (state.KeepRunning())
        current.run();
}

void run_each(benchmark::State &state)
{
    double clock = 1;
    for (int k = 0; k < 100; k++) {
        const double start = now();
        clock = std::min(clock, now() - start);
    }
    std::vector<double> times;
    while (state.KeepRunning()) {
        current.prepare();
        const double start = now();
        current.run();
        times.push_back(std::max(now() - start - clock, 1e-10));
        state.SetIterationTime(times.back());
    }
    std::sort(times.begin(), times.end());
    state.counters["median_ns"] = times[times.size() / 2] * 1e9;
    state.counters["longest_ns"] = times.back() * 1e9;
}

// CPU time used while nothing is asked for. Counted from 12 ms after a run: a runtime may spin for
// a millisecond, and the kernel accounts for another thread's time with a delay (a tick, at worst).
void stay_idle(benchmark::State &state)
{
    while (state.KeepRunning()) {
        const double end = now() + 0.02;
        while (now() < end)
            current.run();
        std::this_thread::sleep_for(std::chrono::milliseconds(12));
        const double start = cpu_time();
        std::this_thread::sleep_for(std::chrono::duration<double>(current.seconds));
        state.SetIterationTime(cpu_time() - start);
    }
}

void count_memory(benchmark::State &state)
{
    for (int k = 0; k < 1000; k++)
        current.run();
    const double resident = resident_bytes();
    const uint64_t allocations = bench_allocations();
    while (state.KeepRunning())
        current.run();
    state.counters["allocations"] = (double)(bench_allocations() - allocations);
    state.counters["resident_growth_bytes"] = resident_bytes() - resident;
}

// Runs the point that is set up. How many runs are timed one by one is settled beforehand.
Figures measure(double seconds)
{
    current.seconds = seconds;
    const bench_kind kind = current.workload->kind;
    const std::string name = std::string(current.workload->name) + "/" + current.point->name;
    void (*const how[])(benchmark::State &) = {run_in_a_row, run_each, run_each, stay_idle,
                                               count_memory};
    // The registry owns it, up to ClearRegisteredBenchmarks.
    auto *b = new benchmark::internal::FunctionBenchmark(name.c_str(), how[kind]);
    benchmark::internal::RegisterBenchmarkInternal(b);
    if (kind == BENCH_EACH || kind == BENCH_PREPARED) {
        int trials = 0;
        const double start = now();
        for (; trials == 0 || now() < start + seconds / 4; trials++) {
            current.prepare();
            current.run();
        }
        const double count = seconds * trials / (now() - start);
        b->UseManualTime()->Iterations(std::clamp((int64_t)count, (int64_t)5, (int64_t)200000));
    } else if (kind == BENCH_IDLE) {
        b->UseManualTime()->Iterations(1);
    } else if (kind == BENCH_MEMORY) {
        const double most = runtime.can & BENCH_DECIDES ? 1 : 0.1; // see memory.c
        b->UseRealTime()->Iterations((int64_t)(current.point->parameter * most));
    } else {
        b->UseRealTime()->MinTime(seconds)->MinWarmUpTime(std::min(seconds, 0.025));
    }
    Keeper keeper;
    benchmark::RunSpecifiedBenchmarks(&keeper, "all");
    benchmark::ClearRegisteredBenchmarks();

    const double calls = std::max(current.point->calls, 1u);
    Figures figures = {{"ns", keeper.run.GetAdjustedRealTime() / calls},
                       {"runs", (double)keeper.run.iterations}};
    for (const auto &counter : keeper.run.counters)
        figures[counter.first] = counter.second.value;
    if (kind == BENCH_PREPARED)
        figures["ns"] = figures["median_ns"];
    return figures;
}

// "" if all went well.
std::string answer(const std::string &line, Figures *figures)
{
    std::istringstream words(line);
    std::string workload, point;
    double seconds = 0;
    words >> workload >> point >> seconds;
    for (const bench_workload *const *w = bench_workloads; *w; w++) {
        for (const bench_point *p = (*w)->points; workload == (*w)->name && p->name; p++) {
            if (point != p->name)
                continue;
            if (((*w)->needs & ~runtime.can) || (!runtime.for_each && !(*w)->needs) ||
                ((runtime.can & BENCH_YARDSTICK) && !(*w)->yardstick))
                return "not possible with this runtime";
            const double available =
                (double)sysconf(_SC_AVPHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
            if ((double)p->bytes > available / 2)
                return "not enough memory";
            if (!make_ready(*w, p))
                return "wrong result";
            *figures = measure(seconds);
            if (p->bytes)
                current.tear_down();
            return "";
        }
    }
    return "no such workload or point";
}

void list()
{
    const char *comma = "";
    printf("[");
    for (const bench_workload *const *w = bench_workloads; *w; w++) {
        printf(
            "%s\n{\"name\": \"%s\", \"title\": \"%s\", \"kind\": %d, \"needs\": %u, \"points\": [",
            comma, (*w)->name, (*w)->title, (*w)->kind, (*w)->needs);
        comma = "";
        for (const bench_point *p = (*w)->points; p->name; p++) {
            printf("%s\n  {\"name\": \"%s\", \"bytes\": %zu, \"hogs\": %u, \"quick\": %s}", comma,
                   p->name, p->bytes, p->hogs, p->quick ? "true" : "false");
            comma = ",";
        }
        printf("]}");
        comma = ",";
    }
    printf("\n]\n");
}

// The first point of the first workload is a small loop.
void first_call(unsigned threads)
{
    const bench_workload *w = bench_workloads[0];
    void *ctx = w->setup(&w->points[0], &bench_serial);
    const double start = now();
    runtime.start(threads);
    w->run(ctx, &runtime);
    printf("%.0f\n", (now() - start) * 1e9);
}
} // namespace

int main(int argc, char **argv)
{
    bool only_first = false;
    unsigned threads = 0;
    for (int k = 1; k < argc; k++) {
        if (!strcmp(argv[k], "--list")) {
            list();
            return 0;
        }
        if (!strcmp(argv[k], "--first-call"))
            only_first = true;
        else if (!strcmp(argv[k], "--threads") && k + 1 < argc)
            threads = (unsigned)strtoul(argv[++k], nullptr, 10);
    }
    if (only_first) {
        first_call(threads);
        return 0;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); // it may be stopped, and nobody else would wake it
    runtime.start(threads);
    for (std::string line; std::getline(std::cin, line);) {
        Figures figures;
        const std::string fault = answer(line, &figures);
        printf("{\"ok\": %s", fault.empty() ? "true" : "false");
        if (!fault.empty())
            printf(", \"fault\": \"%s\"", fault.c_str());
        for (const auto &figure : figures)
            printf(", \"%s\": %.9g", figure.first.c_str(), figure.second);
        printf("}\n");
        fflush(stdout);
    }
    current.tear_down();
    return 0;
}

// What a model is made of: data that race detection watches, threads, and what the C side calls.
//
// Words that the library's atomic operations touch are atomics of Relacy, kept by address. A word
// gets one when it is first touched: before the threads start, with the value that it has in
// memory; later only by a relaxed store, which is how an object in the making is initialised. A
// futex is a set of sleepers that orders nothing; nobody wakes for no reason, so that a wake-up
// that is lost shows as a deadlock.
#pragma once

#include <relacy/relacy.hpp>
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

#include <cstdint>

constexpr unsigned MODEL_THREADS = 4;

void model_begin(unsigned callers); // threads from that one on wait until the library starts them
void model_begun();
void model_end();
void model_enter(unsigned index);
void model_serve(unsigned index);
void system_begin();
void watch_begin();
void watch_end();

// watch.cpp: an ordered compare-and-swap of a chain (model_chain), before and after; and a load.
void chain_try(const volatile void *p, uint64_t value);
void chain_moved(const volatile void *p, uint64_t value);
void chain_seen(const volatile void *p, uint64_t value);

// The calling thread, and what happens at its end: values of it go.
unsigned model_self();
void model_leave();
// Starts a thread that waits, and returns its number; how many there are then; starts those that
// nobody else needs, to do nothing.
unsigned model_started();
unsigned model_start(void *(*run)(void *), void *arg);
void model_start_rest(unsigned all);

// Returns when that thread has paused so often from now on, or sleeps.
void model_await_pauses(unsigned thread, unsigned count);
// A worker is to yield at one of so many looks; 0: never.
void model_rest(unsigned one_in);

// A model: prepare() before there are threads, call(i) in each of the callers' threads, and other
// threads for the library to start.
template <typename derived, unsigned callers, unsigned others>
struct protocol : rl::test_suite<derived, static_cast<int>(callers + others)> {
    static_assert(callers + others <= MODEL_THREADS, "there is room for them");
    void before()
    {
        model_begin(callers);
        static_cast<derived *>(this)->prepare();
        model_begun();
    }
    void thread(unsigned index)
    {
        model_enter(index);
        if (index >= callers)
            return model_serve(index);
        static_cast<derived *>(this)->call(index);
        model_leave();
    }
    void after()
    {
        static_cast<derived *>(this)->finish();
        model_end();
    }
    void finish()
    {
    }
};

// Where threads of a model meet, without any order: who waits is waiting until it is opened.
class gate
{
  public:
    void pass();
    void open();

  private:
    bool open_ = false;
    rl::waitset<MODEL_THREADS> waiting_;
};

// Where one thread tells another what it has done so far, in order.
class sign
{
  public:
    void raise();
    void await();

  private:
    rl::atomic<unsigned> raised_{0};
};

using datum = rl::var<unsigned>;

// Runs that many executions, from seed first on; tells how the first that failed did.
struct outcome {
    bool failed;
    rl::test_result_e result;
    uint64_t seed, executions;
    std::string text;
};
using run_function = outcome(uint64_t first, uint64_t last, bool trace);

struct model_entry {
    const char *name;
    run_function *run;
    uint64_t executions; // in the short tier
    model_entry *next;
    model_entry(const char *name, run_function *run, uint64_t executions);
};
extern model_entry *models;
extern bool model_reached; // an operation that is weakened, since this was false

template <typename model> outcome run_model(uint64_t first, uint64_t last, bool trace)
{
    rl::ostringstream output; // which allocates past Relacy
    rl::test_params params;
    params.iteration_count = last;
    params.execution_depth_limit = 20000;
    params.output_stream = params.progress_stream = &output;
    params.collect_history = trace;
    params.initial_state = std::to_string(first).c_str();
    rl::ostringstream state;
    using scheduler = rl::random_scheduler<model::params::thread_count>;
    const rl::test_result_e result = rl::run_test<model, scheduler>(params, state, false);
    return {result != rl::test_result_success, result, params.stop_iteration,
            params.stop_iteration - first + 1, trace ? output.str().c_str() : ""};
}

#define MODEL(name, executions) static model_entry name##_entry(#name, run_model<name>, executions)

#include "calls.h"
#include "model.hpp"

#include <csetjmp>
#include <cstring>
#include <new>

namespace
{

constexpr unsigned WORDS = 320;
constexpr size_t TLS_BYTES = 256;

struct word {
    const volatile void *p;
    bool guards; // see model_guard
    alignas(16) unsigned char storage[sizeof(rl::atomic<uint64_t>)];
    rl::waitset<MODEL_THREADS> sleepers;
    uint64_t woken; // its value at the last wake-up

    rl::atomic<uint64_t> &atomic()
    {
        return *reinterpret_cast<rl::atomic<uint64_t> *>(storage);
    }
};

struct thread_state {
    char tls[TLS_BYTES];
    unsigned pauses;
    const word *sleeps; // where
    jmp_buf *death;     // where it goes on if it dies,
    unsigned steps;     // at that step from now on; 0: it does not
    // What it is to run, once started; and whether it has.
    void *(*run)(void *);
    void *arg;
    uint32_t started, finished;
};

word words[WORDS];
unsigned word_count;
thread_state threads[MODEL_THREADS];
unsigned next_thread, skipped;
uint64_t ticks, now_ns, step_ns;
bool beginning;
bool inside; // an execution: else words are what is in memory, for the library's constructors
rl::waitset<MODEL_THREADS> pausing;

model_site acquire = {"none", "harness", __FILE__, "harness", 0, rl::mo_acquire, false};
model_site release = {"none", "harness", __FILE__, "harness", 0, rl::mo_release, false};

unsigned self()
{
    return rl::ctx().current_thread();
}

rl::debug_info place(const model_site *site)
{
    return {site->function, site->file, static_cast<unsigned>(site->line)};
}

rl::memory_order order_of(const model_site *site)
{
    model_reached |= site->is_weakened;
    return static_cast<rl::memory_order>(site->order);
}

// In the source, whatever it is weakened to.
bool is_ordered(const model_site *site)
{
    return strcmp(site->label, "none") != 0;
}

uint64_t in_memory(const volatile void *p, size_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, const_cast<const void *>(p), bytes);
    return value;
}

void to_memory(volatile void *p, size_t bytes, uint64_t value)
{
    memcpy(const_cast<void *>(p), &value, bytes);
}

uint64_t trim(uint64_t value, size_t bytes)
{
    return bytes == 8 ? value : value & ((uint64_t{1} << 8 * bytes) - 1);
}

word *find(const volatile void *p)
{
    for (unsigned i = 0; i < word_count; i++)
        if (words[i].p == p)
            return &words[i];
    return nullptr;
}

word &make(const volatile void *p)
{
    RL_ASSERT(word_count < WORDS);
    word &made = words[word_count++];
    made.p = p;
    made.guards = false;
    made.woken = UINT64_MAX;
    new (made.storage) rl::atomic<uint64_t>();
    new (&made.sleepers) rl::waitset<MODEL_THREADS>();
    return made;
}

word &word_at(const volatile void *p, size_t bytes)
{
    word *found = find(p);
    if (!found) {
        RL_ASSERT_IMPL(beginning, rl::test_result_unitialized_access, "a word not known", RL_INFO);
        found = &make(p);
        found->atomic().store(in_memory(p, bytes), rl::mo_relaxed, RL_INFO);
    }
    return *found;
}

extern "C" char __start_model_tls[], __stop_model_tls[];

// Around whatever may switch threads: what is thread-local is put away, and fetched back.
class away
{
  public:
    away()
    {
        memcpy(threads[self()].tls, __start_model_tls, bytes());
    }
    ~away()
    {
        memcpy(__start_model_tls, threads[self()].tls, bytes());
    }

  private:
    static size_t bytes()
    {
        return static_cast<size_t>(__stop_model_tls - __start_model_tls);
    }
};

// Before each step of a thread that may die in between.
void step()
{
    thread_state &own = threads[self()];
    if (own.steps && --own.steps == 0)
        longjmp(*own.death, 1);
}

rl::unpark_reason sleep(word &w, bool timed)
{
    thread_state &own = threads[self()];
    own.sleeps = &w;
    pausing.unpark_all(rl::ctx(), RL_INFO);
    const rl::unpark_reason reason =
        w.sleepers.park_current(rl::ctx(), timed, false, false, RL_INFO);
    own.sleeps = nullptr;
    return reason;
}

} // namespace

model_entry *models;
bool model_reached;

model_entry::model_entry(const char *name_, run_function *run_, uint64_t executions_)
    : name(name_), run(run_), executions(executions_), next(nullptr)
{
    model_entry **end = &models;
    while (*end)
        end = &(*end)->next;
    *end = this;
}

// ---- For the library's sources ------------------------------------------------------------------

uint64_t model_load(const model_site *site, const volatile void *p, size_t bytes)
{
    if (!inside)
        return in_memory(p, bytes);
    step();
    const away put;
    const uint64_t value =
        trim(word_at(p, bytes).atomic().load(order_of(site), place(site)), bytes);
    if (is_ordered(site))
        chain_seen(p, value);
    return value;
}

void model_store(const model_site *site, volatile void *p, size_t bytes, uint64_t value)
{
    if (!inside)
        return to_memory(p, bytes, value);
    step();
    const away put;
    const bool making = !beginning && site->order == rl::mo_relaxed && !find(p);
    word &w = making ? make(p) : word_at(p, bytes);
    if (w.guards)
        model_watch(const_cast<const void *>(p));
    w.atomic().store(value, order_of(site), place(site));
}

uint64_t model_swap(const model_site *site, volatile void *p, size_t bytes, uint64_t value)
{
    step();
    const away put;
    return trim(word_at(p, bytes).atomic().exchange(value, order_of(site), place(site)), bytes);
}

uint64_t model_add(const model_site *site, volatile void *p, size_t bytes, uint64_t value)
{
    if (!inside) {
        const uint64_t known = in_memory(p, bytes);
        to_memory(p, bytes, known + value);
        return known;
    }
    step();
    const away put;
    const uint64_t sum = bytes == 4 ? static_cast<uint64_t>(static_cast<int32_t>(value)) : value;
    return trim(word_at(p, bytes).atomic().fetch_add(sum, order_of(site), place(site)), bytes);
}

uint64_t model_or(const model_site *site, volatile void *p, size_t bytes, uint64_t value)
{
    step();
    const away put;
    return trim(word_at(p, bytes).atomic().fetch_or(value, order_of(site), place(site)), bytes);
}

uint64_t model_and(const model_site *site, volatile void *p, size_t bytes, uint64_t value)
{
    step();
    const away put;
    const uint64_t mask = value | ~trim(UINT64_MAX, bytes);
    return trim(word_at(p, bytes).atomic().fetch_and(mask, order_of(site), place(site)), bytes);
}

bool model_cas(const model_site *site, volatile void *p, size_t bytes, uint64_t *known,
               uint64_t value)
{
    if (!inside) {
        const bool same = in_memory(p, bytes) == *known;
        *known = in_memory(p, bytes);
        if (same)
            to_memory(p, bytes, value);
        return same;
    }
    step();
    const away put;
    word &w = word_at(p, bytes);
    if (is_ordered(site))
        chain_try(p, value);
    const bool done = w.atomic().compare_exchange(rl::bool_t<false>(), *known, value,
                                                  order_of(site), rl::mo_relaxed, place(site));
    if (done && is_ordered(site))
        chain_moved(p, value);
    if (done && w.guards)
        model_watch(const_cast<const void *>(p));
    return done;
}

void model_mortal(jmp_buf *death, unsigned steps)
{
    threads[self()].death = death;
    threads[self()].steps = steps;
}

void model_pause(void)
{
    const away put;
    threads[self()].pauses++;
    pausing.unpark_all(rl::ctx(), RL_INFO);
    rl::ctx().sched();
}

uint64_t model_ticks(void)
{
    return ++ticks;
}

uint64_t model_now_ns(void)
{
    return now_ns += step_ns;
}

void model_step(uint64_t ns)
{
    step_ns = ns;
}

void model_renew(const void *p, size_t bytes)
{
    const model_site renew = {"none",   "store",        __FILE__, "model_renew",
                              __LINE__, rl::mo_relaxed, false};
    model_store(&renew, const_cast<void *>(p), bytes, in_memory(p, bytes));
}

void model_forget(const void *p)
{
    if (word *w = find(p))
        w->p = nullptr;
}

void model_guard(const void *p)
{
    find(p)->guards = true;
}

extern "C" {

void para__futex_wait(const volatile uint32_t *p, uint32_t expected);
void para__futex_wait_for(const volatile uint32_t *p, uint32_t expected, uint64_t ns);
void para__futex_wait_until(const volatile uint32_t *p, uint32_t expected, uint64_t deadline_ns);
void para__futex_wake(const volatile uint32_t *p, int count);
void para__futex_wait_shared(const volatile uint32_t *p, uint32_t expected, uint64_t deadline_ns);
void para__futex_wake_shared(const volatile uint32_t *p, int count);
int para__thread_start(unsigned long *thread, const void *stack, void *(*run)(void *), void *arg);
void para__thread_name(const char *name);

// Time is over when Relacy says so.
static void wait_on(const volatile uint32_t *p, uint32_t expected, uint64_t deadline_ns)
{
    const away put;
    rl::ctx().sched();
    word &w = word_at(p, sizeof *p);
    if (static_cast<uint32_t>(w.atomic().debug_value()) == expected &&
        sleep(w, deadline_ns != UINT64_MAX) == rl::unpark_reason_timeout && now_ns < deadline_ns)
        now_ns = deadline_ns;
}

void para__futex_wait(const volatile uint32_t *p, uint32_t expected)
{
    wait_on(p, expected, UINT64_MAX);
}

void para__futex_wait_for(const volatile uint32_t *p, uint32_t expected, uint64_t ns)
{
    wait_on(p, expected, now_ns + ns);
}

void para__futex_wait_until(const volatile uint32_t *p, uint32_t expected, uint64_t deadline_ns)
{
    wait_on(p, expected, deadline_ns);
}

void para__futex_wake(const volatile uint32_t *p, int count)
{
    const away put;
    rl::ctx().sched();
    if (word *w = find(p)) {
        w->woken = w->atomic().debug_value();
        while (count-- > 0 && w->sleepers.unpark_one(rl::ctx(), RL_INFO)) {
        }
    }
}

// Of these the system promises less: who goes to sleep sees what was there at an earlier wake-up,
// no more.
void para__futex_wait_shared(const volatile uint32_t *p, uint32_t expected, uint64_t)
{
    step();
    const away put;
    rl::ctx().sched();
    word &w = word_at(p, sizeof *p);
    const auto seen = static_cast<uint32_t>(w.atomic().load(rl::mo_relaxed, RL_INFO));
    const bool is_told = w.woken != UINT64_MAX && static_cast<uint32_t>(w.woken) != expected &&
                         static_cast<uint32_t>(w.atomic().debug_value()) != expected;
    if (seen == expected && !is_told)
        sleep(w, false);
}

void para__futex_wake_shared(const volatile uint32_t *p, int count)
{
    step();
    for (thread_state &t : threads) // all of them, so it is known who
        if (t.sleeps && t.sleeps == find(p))
            t.sleeps = nullptr;
    para__futex_wake(p, count);
}

void para__thread_name(const char *)
{
}

int para__thread_start(unsigned long *thread, const void *, void *(*run)(void *), void *arg)
{
    const bool runs = !(skipped & 1);
    skipped >>= 1;
    *thread = runs ? model_start(run, arg) : MODEL_THREADS;
    return 0;
}
}

unsigned model_start(void *(*run)(void *), void *arg)
{
    RL_ASSERT(next_thread < MODEL_THREADS);
    const unsigned index = next_thread++;
    thread_state &made = threads[index];
    made.run = run;
    made.arg = arg;
    model_store(&release, &made.started, sizeof made.started, 1);
    para__futex_wake(&made.started, 1);
    return index;
}

void model_join(unsigned long thread)
{
    if (thread >= MODEL_THREADS)
        return;
    uint32_t *finished = &threads[thread].finished;
    while (!model_load(&acquire, finished, sizeof *finished))
        para__futex_wait(finished, 0);
}

// ---- For models ---------------------------------------------------------------------------------

void model_begin(unsigned callers)
{
    inside = true;
    system_begin();
    RL_ASSERT(__stop_model_tls - __start_model_tls <= static_cast<ptrdiff_t>(TLS_BYTES));
    memset(threads, 0, sizeof threads);
    memset(__start_model_tls, 0, static_cast<size_t>(__stop_model_tls - __start_model_tls));
    word_count = 0;
    next_thread = callers;
    skipped = 0;
    ticks = now_ns = 0;
    step_ns = 4000;
    watch_begin();
    new (&pausing) rl::waitset<MODEL_THREADS>();
    beginning = true;
    for (thread_state &t : threads) {
        word_at(&t.started, sizeof t.started);
        word_at(&t.finished, sizeof t.finished);
    }
}

void model_begun()
{
    beginning = false;
}

void model_end()
{
    for (unsigned i = 0; i < word_count; i++)
        words[i].atomic().~atomic();
    word_count = 0;
    watch_end();
    inside = false;
}

unsigned model_self()
{
    return inside && !beginning ? self() : 0;
}

unsigned model_started()
{
    return next_thread;
}

void model_start_rest(unsigned all)
{
    while (next_thread < all)
        model_start(nullptr, nullptr);
}

void model_enter(unsigned index)
{
    memcpy(__start_model_tls, threads[index].tls,
           static_cast<size_t>(__stop_model_tls - __start_model_tls));
}

void model_serve(unsigned index)
{
    thread_state &own = threads[index];
    while (!model_load(&acquire, &own.started, sizeof own.started))
        para__futex_wait(&own.started, 0);
    if (own.run)
        own.run(own.arg);
    model_leave();
    model_store(&release, &own.finished, sizeof own.finished, 1);
    para__futex_wake(&own.finished, 1);
}

void model_skip_threads(unsigned bits)
{
    skipped = bits;
}

void model_await_pauses(unsigned thread, unsigned count)
{
    const away put;
    const unsigned until = threads[thread].pauses + count;
    while (threads[thread].pauses < until && !threads[thread].sleeps)
        pausing.park_current(rl::ctx(), false, false, false, RL_INFO);
}

void gate::pass()
{
    const away put;
    while (!open_)
        waiting_.park_current(rl::ctx(), false, false, false, RL_INFO);
}

void gate::open()
{
    const away put;
    open_ = true;
    waiting_.unpark_all(rl::ctx(), RL_INFO);
    rl::ctx().sched();
}

void sign::raise()
{
    const away put;
    raised_.store(1, rl::mo_release, RL_INFO);
}

void sign::await()
{
    const away put;
    while (!raised_.load(rl::mo_acquire, RL_INFO)) {
    }
}

// The C library and the process, as the library's sources see them in a model: mutexes, values of
// threads, signal masks, cancellation, and the word that tells a child.
#include "calls.h"
#include "model.hpp"

#include <csignal>
#include <unistd.h>

extern "C" {
void para__futex_wait(const volatile uint32_t *p, uint32_t expected);
void para__futex_wake(const volatile uint32_t *p, int count);
extern const volatile unsigned *para__fork_word;
unsigned para__count_fork(void);
}

namespace
{

model_site acquire = {"none", "harness", __FILE__, "system", 0, rl::mo_acquire, false};
model_site release = {"none", "harness", __FILE__, "system", 0, rl::mo_release, false};

constexpr unsigned KEYS = 8;
unsigned rest_one_in;
void (*at_ends[KEYS])(void *value);
unsigned key_count;

struct thread_values {
    void *value[KEYS];
    int cancel_state;
};
thread_values threads[MODEL_THREADS];

// Of the process that the models begin in.
unsigned fork_number;

void set_fork_word(unsigned number)
{
    *const_cast<volatile unsigned *>(para__fork_word) = number;
}

} // namespace

// ---- For the library's sources ------------------------------------------------------------------

// A futex word, but for its own lock and unlock: what a mutex of the C library promises.
void model_lock(const void *mutex)
{
    auto *p = static_cast<const volatile uint32_t *>(mutex);
    for (uint64_t known = 0;
         !model_cas(&acquire, const_cast<volatile uint32_t *>(p), sizeof *p, &known, 1); known = 0)
        para__futex_wait(p, 1);
}

void model_unlock(const void *mutex)
{
    auto *p = static_cast<const volatile uint32_t *>(mutex);
    model_store(&release, const_cast<volatile uint32_t *>(p), sizeof *p, 0);
    para__futex_wake(p, 1);
}

bool model_rests()
{
    return rest_one_in && rl::rand(rest_one_in) == 0;
}

int model_key_create(unsigned *key, void (*at_end)(void *value))
{
    if (key_count == KEYS)
        return -1;
    at_ends[ *key = key_count++] = at_end;
    return 0;
}

void *model_value(unsigned key)
{
    return threads[model_self()].value[key];
}

int model_set_value(unsigned key, void *value)
{
    threads[model_self()].value[key] = value;
    return 0;
}

int model_mask(const void *set, void *before)
{
    if (set)
        model_see(set);
    if (before)
        model_watch(before);
    return 0;
}

int model_create(void *(*run)(void *), void *arg)
{
    model_start(run, arg);
    return 0;
}

int model_cancel_state(int state, int *before)
{
    int &known = threads[model_self()].cancel_state;
    if (before)
        *before = known;
    known = state;
    return 0;
}

int model_thread_id()
{
    return getpid() + static_cast<int>(model_self());
}

// ---- For models ---------------------------------------------------------------------------------

void system_begin()
{
    for (thread_values &t : threads)
        t = {};
    rest_one_in = 0;
    if (!fork_number)
        fork_number = *para__fork_word;
    set_fork_word(fork_number);
}

void model_rest(unsigned one_in)
{
    rest_one_in = one_in;
}

void model_fork()
{
    para__count_fork(); // which makes its words known
    set_fork_word(0);
    model_renew(const_cast<const unsigned *>(para__fork_word), sizeof *para__fork_word);
}

void model_leave()
{
    thread_values &own = threads[model_self()];
    for (unsigned key = 0; key < key_count; key++)
        if (void *value = std::exchange(own.value[key], nullptr))
            at_ends[key](value);
    RL_ASSERT(own.cancel_state == PTHREAD_CANCEL_ENABLE);
}

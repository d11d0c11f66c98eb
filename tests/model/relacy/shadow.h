/* Included in front of each of the library's sources that the models run. It turns every atomic
 * operation, pause, look at the clock and thread-local variable into a call of harness.cpp. There
 * Relacy decides what the calling thread sees and which thread runs next. So a model has no copy of
 * a protocol that could differ from it, and each operation knows the edge that it is half of. */
#ifndef MODEL_SHADOW_H
#define MODEL_SHADOW_H

#define para__pause para__real_pause
#include "base/atomic.h"
#undef para__pause

#include "../untraced.h"
#include "calls.h"
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* Sites are found through pointers in a section of their own, whether they are run or not. */
#define MODEL_SITE(label_, operation_, order_)                                                  \
    ({                                                                                          \
        static model_site site_ = {#label_,  operation_, __FILE__, __func__,                    \
                                   __LINE__, (order_),   false};                                \
        static model_site *const entry_ __attribute__((used, section("model_sites"))) = &site_; \
        (void)entry_;                                                                           \
        &site_;                                                                                 \
    })
#define MODEL_TYPE(p)     __typeof__((void)0, *(p))
#define MODEL_VALUE(p, v) ((uint64_t)(MODEL_TYPE(p))(v))

#define MODEL_load(e, p, order) \
    ((MODEL_TYPE(p))model_load(MODEL_SITE(e, "load", order), (p), sizeof *(p)))
#define MODEL_store(e, p, v, order) \
    model_store(MODEL_SITE(e, "store", order), (p), sizeof *(p), MODEL_VALUE(p, v))
#define MODEL_RMW(e, name, p, v, order)                                                     \
    ({                                                                                      \
        (MODEL_TYPE(p))                                                                     \
            model_##name(MODEL_SITE(e, #name, order), (p), sizeof *(p), MODEL_VALUE(p, v)); \
    })
#define MODEL_exchange(e, p, v, order)  MODEL_RMW(e, swap, p, v, order)
#define MODEL_fetch_add(e, p, v, order) MODEL_RMW(e, add, p, v, order)
#define MODEL_fetch_or(e, p, v, order)  MODEL_RMW(e, or, p, v, order)
#define MODEL_fetch_and(e, p, v, order) MODEL_RMW(e, and, p, v, order)
#define MODEL_compare_exchange_strong(e, p, known, v, order, otherwise)                           \
    ({                                                                                            \
        uint64_t known_ = (uint64_t) * (known);                                                   \
        const bool done_ =                                                                        \
            model_cas(MODEL_SITE(e, "cas", order), (p), sizeof *(p), &known_, MODEL_VALUE(p, v)); \
        *(known) = (MODEL_TYPE(p))known_;                                                         \
        done_;                                                                                    \
    })

#undef PARA__ORDERED
#define PARA__ORDERED(e, operation, ...) ((void)PARA__##e, MODEL_##operation(e, __VA_ARGS__))

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_compare_exchange_strong_explicit
#define atomic_load_explicit(...)      MODEL_load(none, __VA_ARGS__)
#define atomic_store_explicit(...)     MODEL_store(none, __VA_ARGS__)
#define atomic_exchange_explicit(...)  MODEL_exchange(none, __VA_ARGS__)
#define atomic_fetch_add_explicit(...) MODEL_fetch_add(none, __VA_ARGS__)
#define atomic_fetch_or_explicit(...)  MODEL_fetch_or(none, __VA_ARGS__)
#define atomic_fetch_and_explicit(...) MODEL_fetch_and(none, __VA_ARGS__)
#define atomic_compare_exchange_strong_explicit(...) \
    MODEL_compare_exchange_strong(none, __VA_ARGS__)

/* What the inline functions of public headers use; main.cpp knows their edges. */
#define __atomic_load_n(p, order) MODEL_load(public, p, order)
#define __atomic_compare_exchange_n(p, known, v, weak, order, otherwise) \
    MODEL_compare_exchange_strong(public, p, known, v, order, otherwise)
#define __atomic_sub_fetch(p, v, order) (MODEL_fetch_add(public, p, 0 - (v), order) - (v))

/* Kept apart for each thread of a model by harness.cpp. */
#define _Thread_local __attribute__((section("model_tls")))
#define tls_model(x) unused

/* In place of base/clock.h. */
#define PARA_BASE_CLOCK_H
#define para__pause()        model_pause()
#define para__ticks()        model_ticks()
#define para__now_ns()       model_now_ns()
#define para__ns_per_tick()  1.0
#define para__ns_to_ticks(n) ((uint64_t)(n))

#define sched_yield()                model_pause()
#define pthread_join(thread, result) model_join(thread)
#define pthread_mutex_lock(mutex)    model_lock(mutex)
#define pthread_mutex_unlock(mutex)  model_unlock(mutex)

#define pthread_key_create(key, at_end)         model_key_create(key, at_end)
#define pthread_getspecific(key)                model_value(key)
#define pthread_setspecific(key, value)         model_set_value(key, value)
#define pthread_sigmask(how, set, before)       model_mask(set, before)
#define pthread_create(thread, attrs, run, arg) ((void)(thread), model_create(run, arg))
#define pthread_setcancelstate(state, before)   model_cancel_state(state, before)
#define gettid()                                model_thread_id()

#endif

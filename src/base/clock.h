/* Time. There are two clocks: CLOCK_MONOTONIC in nanoseconds for what users see, and ticks of the
 * processor's own counter for the engine, where a call of clock_gettime would show. */
#ifndef PARA_BASE_CLOCK_H
#define PARA_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/* CLOCK_MONOTONIC in nanoseconds. */
static inline uint64_t para__now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

enum { PARA__NS_OF_MS = 1000000 };

/* A span or a time, as system calls take it. */
static inline struct timespec para__timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

/* The counter. It has a constant rate on every processor that para supports. It is not ordered with
 * the instructions around it, which is precise enough for spans of 100 ns and more. */
static inline uint64_t para__ticks(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    uint64_t t;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
    return t;
#else
    return para__now_ns();
#endif
}

/* Nanoseconds per tick, and ticks for nanoseconds. Measured against CLOCK_MONOTONIC over the time
 * since the library was loaded, once that is 0.1 ms. Before that, a rough length is told that is
 * measured anew by later calls; a program waits for 20 us of it at most, unless the clocks were
 * read with a gap. */
double para__ns_per_tick(void);
static inline uint64_t para__ns_to_ticks(double ns)
{
    return (uint64_t)(ns / para__ns_per_tick());
}

/* How long ago the counter was there; 0 of 0, which stands for never, and of what lies ahead. */
static inline uint64_t para__ns_since(uint64_t ticks)
{
    const uint64_t now = para__ticks();
    return ticks && now > ticks ? (uint64_t)((double)(now - ticks) * para__ns_per_tick()) : 0;
}

#endif

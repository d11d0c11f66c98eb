/* What the tests share: cmocka with its headers, random numbers, pools. cmocka's assertions work on
 * the main thread only; kernels count faults in an atomic, and main asserts that it is zero. */
#ifndef PARA_TESTS_CHECK_H
#define PARA_TESTS_CHECK_H

#include <para/para.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define TEST(name)     static void name(void **state_ __attribute__((unused)))
#define COUNT_OF(a)    (sizeof(a) / sizeof(a)[0])
#define OK(call)       assert_int_equal((call), PARA_OK)
#define FAILS(s, call) assert_int_equal((call), (s))

/* For a status that tells nothing: of a call that is left by a jump, or ends with its thread. */
#define DROP(call) ((void)((call) == PARA_OK))

/* Of AddressSanitizer's and of ThreadSanitizer's own locks, one may be held by another thread at
 * the moment of a fork: a child that frees memory then waits for ever. ThreadSanitizer besides does
 * not support threads in the child of a program that has threads; AddressSanitizer takes the stack
 * of a thread that is cancelled for still in use. */
#if defined(__has_feature)
#define HAS_SANITIZER(name) __has_feature(name)
#else
#define HAS_SANITIZER(name) 0
#endif
#if defined(PARA_UNDER_QEMU) /* 7.2 has one of its own locks in a child in the same way */
enum { CHILDREN_HAVE_THREADS = 0, FORKS_AMID_THREADS = 0, THREADS_ARE_CANCELLED = 1 };
#elif defined(__SANITIZE_THREAD__) || HAS_SANITIZER(thread_sanitizer)
enum { CHILDREN_HAVE_THREADS = 0, FORKS_AMID_THREADS = 0, THREADS_ARE_CANCELLED = 1 };
#elif defined(__SANITIZE_ADDRESS__) || HAS_SANITIZER(address_sanitizer)
enum { CHILDREN_HAVE_THREADS = 1, FORKS_AMID_THREADS = 0, THREADS_ARE_CANCELLED = 0 };
#else
enum { CHILDREN_HAVE_THREADS = 1, FORKS_AMID_THREADS = 1, THREADS_ARE_CANCELLED = 1 };
#endif

/* qemu-user emulates neither robust lists nor the signal masks in /proc, and its translation of new
 * code stands out in every measured time. */
#ifdef PARA_UNDER_QEMU
enum { UNDER_QEMU = 1 };
#else
enum { UNDER_QEMU = 0 };
#endif

/* A bijection of 64 bits that leaves nothing as it was: the output function of Steele, Lea and
 * Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
static inline uint64_t check_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static inline uint64_t check_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return check_mix(*state);
}

/* 0 .. n - 1 */
static inline uint64_t check_below(uint64_t *state, uint64_t n)
{
    return check_random(state) % n;
}

/* Sanitizers ask the program: memory that there is not is a failure like any other. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
__attribute__((weak)) const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
__attribute__((weak)) const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static inline para_pool *check_pool(unsigned workers)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = workers;
    config.start = PARA_START_WAIT;
    para_pool *pool = NULL;
    OK(para_pool_create(&pool, &config));
    return pool;
}

static inline unsigned check_pool_workers(para_pool *pool)
{
    para_pool_info info = {.size = sizeof info};
    OK(para_pool_get_info(pool, &info));
    return info.workers;
}

#endif

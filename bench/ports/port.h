/* A program of docs/examples/ports as a workload. Its own file is compiled, in two ways: with
 * OpenMP switched off, which is the serial loop, and as this executable's runtime has it. */
#ifndef BENCH_PORT_H
#define BENCH_PORT_H

#include "../workload.h"

/* PORT(name)(ctx): one run, name_serial or name_here. */
#ifdef BENCH_PORT_SERIAL
#define PORT(name) name##_serial
#else
#define PORT(name) name##_here
#endif

#define PORT_DECLARE(name)         \
    void name##_serial(void *ctx); \
    void name##_here(void *ctx) __attribute__((weak)) /* not in all executables */

/* The workload, with the functions setup and digest that stand before it. */
#define PORT_WORKLOAD(port, about, allowed)                              \
    static void run(void *ctx, const bench_runtime *runtime)             \
    {                                                                    \
        (runtime == &bench_serial ? port##_serial : port##_here)(ctx);   \
    }                                                                    \
    const bench_workload bench_port_##port = {.name = "port-" #port,     \
                                              .title = "Ported: " about, \
                                              .needs = BENCH_PORTS,      \
                                              .yardstick = true,         \
                                              .points = points,          \
                                              .tolerance = (allowed),    \
                                              .setup = setup,            \
                                              .run = run,                \
                                              .digest = digest}

#endif

/* `para calibrate`: what sharing a call costs on this machine, and what follows from it for the
 * built-in kernels. */
#include "base/bounds.h"
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/npy.h"
#include "cli/say.h"
#include "cli/target.h"
#include "kernels/kernels.h"

#include <para/buffer.h>
#include <para/calibration.h>
#include <para/map.h>
#include <para/reduce.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Numbers in an array. Each kernel's calls together take some milliseconds at the largest. */
static const size_t sizes[] = {1000, 10000, 100000, 1000000};
enum { SIZES = sizeof sizes / sizeof sizes[0], SIZE_MOST = 1000000, ROW = 100 };

/* Calls of a kernel at one size. In the first half it becomes known, of the others the shortest is
 * shown, which nothing has disturbed. Short calls need more: only some of them are looked at. */
enum { CALLS_LEAST = 16, CALLS_MOST = 64 };

/* A kernel at one size. */
typedef struct timing {
    const para_builtin *kernel;
    para_dtype type;
    size_t count;       /* elements of a call: numbers, or rows */
    para_report report; /* of the shortest call, once the kernel was known */
} timing;

/* ---- Measuring ----------------------------------------------------------------------- */

enum { X, Y, Z, ARRAYS };

/* The arrays of one element type; what is not yet made is NULL. */
typedef struct arrays {
    para_buffer *buffer[ARRAYS];
} arrays;

static para_status open_arrays(arrays *a, para_dtype type)
{
    for (int k = 0; k < ARRAYS; k++) {
        const para_status status =
            para_buffer_create(&a->buffer[k], NULL, SIZE_MOST, para__dtype_bytes(type), NULL);
        if (status)
            return status;
        void *data = para_buffer_data(a->buffer[k]);
        for (size_t i = 0; i < SIZE_MOST; i++) {
            const double value = 1 + (double)(i % 100) / 100; /* suits every kernel */
            if (type == PARA_FLOAT32)
                ((float *)data)[i] = (float)value;
            else
                ((double *)data)[i] = value;
        }
    }
    return PARA_OK;
}

static void close_arrays(arrays *a)
{
    for (int k = 0; k < ARRAYS; k++)
        para_buffer_destroy(a->buffer[k]);
}

static para_status run_once(const arrays *a, const timing *r, para_report *report)
{
    const para_builtin_code *code = &r->kernel->code[r->type];
    const size_t bytes = para__dtype_bytes(r->type);
    const para_builtin_arg arg = {.a = 0.5, .row = ROW};
    para_in in[PARA_IN_MAX] = {{0}};
    for (unsigned k = 0; k < r->kernel->inputs; k++)
        in[k] = (para_in){para_buffer_data(a->buffer[k]), r->kernel->rows ? ROW * bytes : bytes};
    if (!r->kernel->reduces) {
        para_map call = {.kernel = code->map,
                         .arg = &arg,
                         .count = r->count,
                         .out = {{para_buffer_data(a->buffer[Z]), bytes}},
                         .report = report};
        memcpy(call.in, in, sizeof in);
        return para_pmap(NULL, &call);
    }
    double total = 0; /* or the float that a reduction of float32 may fold into */
    memcpy(&total, code->identity, code->acc_bytes);
    para_reduce call = {.kernel = code->reduce,
                        .combine = code->combine,
                        .arg = &arg,
                        .count = r->count,
                        .result = &total,
                        .result_bytes = code->acc_bytes,
                        .identity = code->identity,
                        .report = report};
    memcpy(call.in, in, sizeof in);
    return para_preduce(NULL, &call);
}

static para_status run_kernel(const arrays *a, timing *r)
{
    const size_t calls = para__clamp(SIZE_MOST / r->count, CALLS_LEAST, CALLS_MOST);
    for (size_t i = 0; i < calls; i++) {
        para_report report;
        const para_status status = run_once(a, r, &report);
        if (status)
            return status;
        if (i <= calls / 2 || report.time_ns < r->report.time_ns)
            r->report = report;
    }
    return PARA_OK;
}

static size_t kernel_count(void)
{
    size_t count = 0;
    while (para_builtin_at(count))
        count++;
    return count;
}

static size_t result_count(void)
{
    return kernel_count() * PARA_DTYPE_COUNT * SIZES;
}

/* All kernels, and of each both types, and of each all sizes. */
static para_status run_all(timing *results)
{
    para_status status = PARA_OK;
    for (int type = 0; type < PARA_DTYPE_COUNT && !status; type++) {
        arrays a = {{NULL}};
        status = open_arrays(&a, (para_dtype)type);
        const para_builtin *kernel;
        for (size_t k = 0; (kernel = para_builtin_at(k)) != NULL && !status; k++)
            for (size_t s = 0; s < SIZES && !status; s++) {
                timing *r = &results[(k * PARA_DTYPE_COUNT + (size_t)type) * SIZES + s];
                *r = (timing){.kernel = kernel,
                              .type = (para_dtype)type,
                              .count = kernel->rows ? sizes[s] / ROW : sizes[s]};
                status = run_kernel(&a, r);
            }
        close_arrays(&a);
    }
    return status;
}

/* ---- Showing ------------------------------------------------------------------------- */

#define COST(name) #name, offsetof(para_calibration_info, name)
static const struct {
    const char *name;
    size_t offset;
    const char *meaning;
} costs[] = {
    {COST(round_trip_ns), "from publishing an empty call until a helper that is awake has run it"},
    {COST(per_helper_ns), "later for each further helper"},
    {COST(far_ns), "later for one beyond the caller's NUMA node or L3"},
    {COST(wake_ns), "later for a helper that sleeps"},
    {COST(wake_cost_ns), "for the caller that wakes it"},
    {COST(share_ns), "for the caller that publishes and joins a call"},
    {COST(clock_ns), "for a look at the clock"},
    {COST(spin_ns), "that a worker without work spins before it sleeps"},
    {COST(least_ns), "of work: less than this is never shared"},
};

static double cost_of(const para_calibration_info *info, size_t i)
{
    return *(const double *)((const char *)info + costs[i].offset);
}

static double element_ns(const timing *r)
{
    return (double)r->report.time_ns / (double)r->count;
}

static void say_table(const para_calibration_info *info, unsigned workers, const timing *results,
                      size_t count)
{
    printf("%-14s%10u     in the pool, the caller among them\n", "workers", workers);
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
        printf("%-14.*s%10.0f ns  %s\n", (int)strlen(costs[i].name) - 3, costs[i].name,
               cost_of(info, i), costs[i].meaning);
    printf("%-14s%10u     remembered kernels, by order of magnitude of the count\n\n"
           "%-10s%-9s%10s%13s%9s  %s\n",
           "sites", info->sites, "KERNEL", "TYPE", "ELEMENTS", "NS/ELEMENT", "WORKERS", "WHY");
    for (size_t i = 0; i < count; i++) {
        const timing *r = &results[i];
        printf("%-10s%-9s%10zu%13.3f%9u  %s\n", r->kernel->name, para__dtype_name(r->type),
               r->count, element_ns(r), r->report.workers, para_why_text(r->report.why));
    }
    printf("\nAn element of row-norm is a row of %d numbers.\n", ROW);
}

static void say_json(const para_calibration_info *info, unsigned workers, const timing *results,
                     size_t count)
{
    printf("{\"version\": \"%s\", \"workers\": %u, \"costs\": {", para_version(), workers);
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        printf("%s\"%s\": ", i ? ", " : "", costs[i].name);
        para__say_json_number(cost_of(info, i));
    }
    printf("}, \"sites\": %u, \"kernels\": [", info->sites);
    for (size_t i = 0; i < count; i++) {
        const timing *r = &results[i];
        printf("%s{\"name\": \"%s\", \"dtype\": \"%s\", \"count\": %zu, \"row\": %d, "
               "\"ns_per_element\": %.17g, ",
               i ? ", " : "", r->kernel->name, para__dtype_name(r->type), r->count,
               r->kernel->rows ? ROW : 1, element_ns(r));
        para__say_json_report(&r->report, workers);
        putchar('}');
    }
    printf("]}\n");
}

/* ---- The command --------------------------------------------------------------------- */

static int save(para__target *target)
{
    FILE *const stream = para__target_stream(target);
    if (!stream)
        return PARA__EXIT_FAILED;
    const para_status status = para_calibration_print(NULL, stream);
    const char *colon = strrchr(para_status_detail(), ':'); /* "calibration: ", and why */
    if (fclose(stream) != 0 && !status)
        return para__target_fail(target, strerror(errno));
    if (status)
        return para__target_fail(target, colon ? colon + 2 : para_status_text(status));
    return para__target_commit(target);
}

static int calibrate(const para__request *request, para__target *target, timing *results)
{
    para_pool_info pool = {.size = sizeof pool};
    para_calibration_info info = {.size = sizeof info};
    para_status status = results ? para_pool_get_info(NULL, &pool) : PARA_ERR_MEMORY;
    if (!status && request->calibration)
        status = para_calibration_load(NULL, request->calibration);
    if (!status)
        status = run_all(results);
    if (!status)
        status = para_calibration_get(NULL, &info);
    int exit_status = status ? para__say_status(status) : 0;
    if (!exit_status && request->output)
        exit_status = save(target);
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error like any other */
    if (!exit_status)
        (request->json ? say_json : say_table)(&info, pool.workers, results, result_count());
    return exit_status;
}

int para__command_calibrate(const para__request *request)
{
    para__target target = {.folder = -1, .descriptor = -1};
    if (request->operand_count)
        return para__say_usage(request->command, "unexpected '%s'", request->operands[0]);
    if (request->output && strcmp(request->output, "-") == 0)
        return para__say_usage(request->command, "-o needs the name of a file: the standard output "
                                                 "shows what was measured");
    para__ending_watch();
    int status = request->output ? para__target_create(&target, request->output, "") : 0;
    if (!status) {
        timing *results = calloc(result_count() + 1, sizeof *results);
        status = calibrate(request, &target, results);
        free(results);
    }
    para__target_discard(&target);
    para__ending_release();
    return status;
}

/* `para map` and `para reduce`: arrays from files through a kernel. */
#include "cli/array.h"
#include "cli/choice.h"
#include "cli/commands.h"
#include "cli/ending.h"
#include "cli/feed.h"
#include "cli/isolation.h"
#include "cli/output.h"
#include "cli/say.h"

#if PARA__HAS_OPENMP
#include <para/openmp.h>
#endif
#include <para/buffer.h>
#include <para/calibration.h>
#include <para/map.h>
#include <para/reduce.h>
#include <para/topology.h>

#include <stdio.h>
#include <string.h>

/* What both commands work on. */
typedef struct run {
    const para__request *request;
    para__choice choice;
    para__array in[PARA_IN_MAX];
    unsigned in_count;
    para__output output; /* of a map, */
    bool writes;         /* once it is open */
    bool checks;
    para__isolation isolation; /* on processes, */
    para_buffer *shared;       /* where these see a feed */
    para_pool *pool;
    para_report report;
    unsigned pool_workers;
    size_t count; /* elements of the call: numbers, or rows */
} run;

/* All inputs have one element type and one shape. */
static int check_alike(const run *r, const para__array *array)
{
    const para__array *first = &r->in[0];
    if (array->npy.type != first->npy.type)
        return para__say_failed("%s: elements are %s, those of %s are %s", array->path,
                                para__dtype_name(array->npy.type), first->path,
                                para__dtype_name(first->npy.type));
    if (array->npy.rank != first->npy.rank ||
        memcmp(array->npy.shape, first->npy.shape, array->npy.rank * sizeof array->npy.shape[0]) !=
            0)
        return para__say_failed("%s: the shape is not that of %s", array->path, first->path);
    return 0;
}

/* The standard input can be read once. */
static int check_stdin(const run *r)
{
    unsigned times = 0;
    for (size_t i = 1; i < r->request->operand_count; i++)
        times += para__array_is_stdin(r->request->operands[i]);
    return times < 2
               ? 0
               : para__say_usage(r->request->command, "the standard input is given twice, but "
                                                      "can be read only once");
}

static int open_inputs(run *r)
{
    for (size_t i = 1; i < r->request->operand_count; i++) {
        para__array *array = &r->in[r->in_count];
        int status = para__array_open(array, r->request->operands[i]);
        if (status)
            return status;
        r->in_count++;
        status = check_alike(r, array);
        if (status)
            return status;
    }
    const para_builtin *kernel = r->choice.kernel;
    const para__array *first = &r->in[0];
    if (r->choice.object && first->npy.type != r->choice.type)
        return para__say_failed("%s: elements are %s; kernel %s takes %s (%s %s_dtype)",
                                first->path, para__dtype_name(first->npy.type), kernel->name,
                                para__dtype_name(r->choice.type),
                                r->choice.says_type ? "see" : "there is no", r->choice.symbol);
    if (kernel->rows && first->npy.rank != 2)
        return para__say_failed("%s: %s needs an array of 2 dimensions, this one has %u",
                                first->path, kernel->name, first->npy.rank);
    if (kernel->needs_elements && first->npy.count == 0)
        return para__say_failed("%s: the %s of no elements is not defined", first->path,
                                kernel->name);
    r->count = kernel->rows ? first->npy.shape[0] : first->npy.count;
    r->choice.builtin_arg.row = kernel->rows ? first->npy.shape[1] : 1;
    return 0;
}

static int open_pool(run *r)
{
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    para_pool_info info = {.size = sizeof info};
    config.workers = r->request->options.workers;
#if PARA__HAS_OPENMP
    if (r->request->on_openmp)
        config.executor = para_openmp_lender();
#endif
    if (r->request->on_processes) {
        const size_t bytes = r->writes ? r->in[0].npy.element_bytes : 0;
        para__isolation_begin(&r->isolation, r->request, bytes);
        config.processes = &r->isolation.processes;
    } else if (!config.executor) {
        config.worker_init = para__ending_worker_init;
        config.worker_exit = para__ending_worker_exit;
    }
    para_status status = para_pool_create(&r->pool, &config);
    if (!status)
        status = para_pool_get_info(r->pool, &info);
    r->pool_workers = info.workers;
    if (!status && r->request->calibration)
        status = para_calibration_load(r->pool, r->request->calibration);
    if (!status && r->request->on_processes)
        status = para_buffer_create(&r->shared, r->pool, 1, sizeof(para__feed), NULL);
    return status ? para__say_status(status) : 0;
}

/* Whether kernels are checked: by --check, or by PARA_CHECK_KERNELS. */
static bool begin_checks(const para__request *request)
{
    const bool already = para_check_kernels(true);
    if (!already && !request->check)
        (void)para_check_kernels(false);
    return already || request->check;
}

static int begin(run *r, const para__request *request, bool reduces)
{
    *r = (run){.request = request, .checks = begin_checks(request)};
    para__ending_watch();
    int status = para__choice_make(&r->choice, request, reduces);
    if (!status)
        status = check_stdin(r);
    if (!status && !reduces) {
        status = para__output_open(&r->output, request->output);
        r->writes = !status;
    }
    if (!status)
        status = open_inputs(r);
    return status ? status : open_pool(r);
}

static void end(run *r)
{
    for (unsigned i = 0; i < r->in_count; i++)
        para__array_close(&r->in[i]);
    if (r->writes)
        para__output_discard(&r->output);
    para_buffer_destroy(r->shared);
    para_pool_destroy(r->pool);
    para__isolation_end(&r->isolation);
    para__choice_close(&r->choice);
    para__ending_release();
}

/* Where the feed of the call lies. */
static para__feed *feed_of(run *r, para__feed *own)
{
    return r->shared ? para_buffer_data(r->shared) : own;
}

/* How much of a kernel's arg its workers get. */
static size_t arg_bytes(const run *r)
{
    return r->choice.object ? PARA__ARG_MAX * sizeof r->choice.values[0]
                            : sizeof r->choice.builtin_arg;
}

static int check_call(const run *r, para_status status)
{
    const para_report *report = &r->report;
    if (status == PARA_ERR_KERNEL)
        return report->failed_count == 1
                   ? para__say_failed("kernel %s returned %d for element %zu",
                                      r->choice.kernel->name, report->kernel_error,
                                      report->failed_first)
                   : para__say_failed("kernel %s returned %d for elements %zu to %zu",
                                      r->choice.kernel->name, report->kernel_error,
                                      report->failed_first,
                                      report->failed_first + report->failed_count - 1);
    if (status == PARA_ERR_IMPURE) { /* the library names the function that it has called */
        const char *const detail = para_status_detail(), *const what = strstr(detail, "): ");
        return para__say_failed("kernel %s is not pure: it %s", r->choice.kernel->name,
                                what ? what + 3 : detail);
    }
    return status ? para__say_status(status) : 0;
}

/* The beginning of the JSON object, and its end. */
static void say_json_begin(const run *r)
{
    const para__npy *npy = &r->in[0].npy;
    printf("{\"kernel\": ");
    para__say_json_string(r->choice.kernel->name);
    printf(", \"dtype\": \"%s\", \"shape\": [", para__dtype_name(npy->type));
    for (unsigned d = 0; d < npy->rank; d++)
        printf("%s%zu", d ? ", " : "", npy->shape[d]);
    printf("], ");
}

static void say_end(run *r)
{
    if (r->request->on_processes && r->request->json)
        para__isolation_say_json(&r->isolation);
    else if (r->request->on_processes)
        para__isolation_say(&r->isolation);
    if (r->request->report && r->request->json) {
        printf(", ");
        para__say_json_report(&r->report, r->pool_workers);
    } else if (r->request->report) {
        para__say_report(&r->report, r->pool_workers);
    }
    if (r->request->json)
        printf("}\n");
}

/* The kernel to run: with stores past the caches for an output that is larger than they are. */
static para_map_fn *map_kernel(const run *r, const para__npy *made)
{
    const para_builtin_code *code = &r->choice.kernel->code[made->type];
    para_topology_info machine = {.size = sizeof machine};
    const size_t assumed = (size_t)32 << 20; /* where the machine does not say */
    if (!code->streamed || para_topology_get_info(&machine) != PARA_OK)
        return code->map;
    const size_t cache = machine.l3_bytes ? machine.l3_bytes : assumed;
    return r->count > cache / made->element_bytes ? code->streamed : code->map;
}

static int map(run *r)
{
    para__npy shape = r->in[0].npy;
    if (r->choice.kernel->rows)
        shape.rank = 1;
    int status = para__output_begin(&r->output, &shape);
    if (status)
        return status;
    const para__npy *made = &r->output.array.npy;
    para_map call = {.kernel = map_kernel(r, made),
                     .arg = r->choice.arg,
                     .arg_bytes = arg_bytes(r),
                     .count = r->count,
                     .out = {{r->output.array.data, made->element_bytes}},
                     .options = r->request->options,
                     .report = &r->report};
    para__feed own, *const feed = feed_of(r, &own);
    para__feed_map(feed, &call, r->in, r->in_count, r->choice.builtin_arg.row, &r->output.array,
                   r->checks || r->request->on_processes);
    /* Rows without elements: the file's zeros are their norms. */
    if (r->choice.builtin_arg.row > 0)
        status = check_call(r, para_pmap(r->pool, &call));
    para__feed_end(feed);
    if (status)
        return status;
    status = para__output_commit(&r->output);
    if (!status && r->request->json) {
        say_json_begin(r);
        printf("\"output\": ");
        para__say_json_string(r->request->output);
    }
    if (!status)
        say_end(r);
    return status;
}

static int reduce(run *r)
{
    const para__npy *npy = &r->in[0].npy;
    const para_builtin_code *code = &r->choice.kernel->code[npy->type];
    double result = 0; /* or the float that a reduction of float32 may fold into */
    memcpy(&result, code->identity, code->acc_bytes);
    para_reduce call = {.kernel = code->reduce,
                        .combine = code->combine,
                        .arg = r->choice.arg,
                        .arg_bytes = arg_bytes(r),
                        .count = r->count,
                        .result = &result,
                        .result_bytes = code->acc_bytes,
                        .identity = code->identity,
                        .options = r->request->options,
                        .report = &r->report};
    para__feed own, *const feed = feed_of(r, &own);
    para__feed_reduce(feed, &call, r->in, r->in_count, r->checks || r->request->on_processes);
    const int status = check_call(r, para_preduce(r->pool, &call));
    para__feed_end(feed);
    if (status)
        return status;
    const double value = code->finish(&result, r->count);
    if (r->request->json) {
        say_json_begin(r);
        para__say_json_value("value", value);
    } else {
        para__say_value(value, r->request->hexadecimal);
        putchar('\n');
    }
    say_end(r);
    return 0;
}

int para__command_map(const para__request *request)
{
    run r;
    if (!request->output)
        return para__say_usage(request->command, "-o OUT.npy is missing");
    if (request->json && para__array_is_stdout(request->output))
        return para__say_usage(request->command,
                               "--json and the array cannot both go to the standard output: give "
                               "-o a file, or leave --json out");
    int status = begin(&r, request, false);
    if (!status)
        status = map(&r);
    end(&r);
    return status;
}

int para__command_reduce(const para__request *request)
{
    run r;
    if (request->isolating.says_fill)
        return para__say_usage(request->command,
                               "--on-crash fill=VALUE: a reduction has no elements to fill, "
                               "'fill' leaves them out");
    int status = begin(&r, request, true);
    if (!status)
        status = reduce(&r);
    end(&r);
    return status;
}

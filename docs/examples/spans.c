/* Spans of tasks, for OpenTelemetry: a request comes in with a traceparent, is served by tasks that
 * make a span each, and the spans are exported as OTLP JSON, as a collector's file receiver or its
 * port 4318 takes them:
 *
 *     TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ./spans > spans.json
 *
 * para knows contexts and hands them on; what a span is, and where it goes, is the program's. */
#include <inttypes.h>
#include <para/para.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PARTS = 4, N = 200000, SPANS = 64 };

typedef struct span {
    const char *name;
    para_context own;          /* its trace and its id */
    unsigned char parent[8];   /* the span that it is a part of */
    uint64_t id;               /* the task's */
    uint64_t begin_ns, end_ns; /* since 1970 */
    bool has_failed;
} span;

static span spans[SPANS];
static atomic_uint count;

static uint64_t now_ns(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void make_id(unsigned char *id, size_t bytes)
{
    FILE *const random = fopen("/dev/urandom", "rb");
    if (!random || fread(id, 1, bytes, random) != bytes)
        abort();
    fclose(random);
    id[bytes - 1] |= 1; /* zeros are no id */
}

/* A span within that of the task that this thread runs. */
static span begin_span(const char *name, uint64_t id)
{
    span s = {.name = name, .id = id, .begin_ns = now_ns()};
    if (!para_context_here(&s.own))
        abort();
    memcpy(s.parent, s.own.span_id, sizeof s.parent);
    make_id(s.own.span_id, sizeof s.own.span_id);
    return s;
}

static void end_span(span *s, bool has_failed)
{
    const unsigned at = atomic_fetch_add(&count, 1);
    s->end_ns = now_ns();
    s->has_failed = has_failed;
    if (at < SPANS)
        spans[at] = *s;
}

/* ---- The work ---------------------------------------------------------------------------- */

static float image[PARTS][N];

PARA_LOOP(brighten, i, float *, v)
{
    v[i] += 1;
}

/* A small task: its span lies within that of the part which has submitted it. */
static int thumbnail(void *arg)
{
    span s = begin_span("thumbnail", 100 + (uint64_t)((float(*)[N])arg - image));
    end_span(&s, false);
    return 0;
}

static int part(void *arg)
{
    const uint64_t number = (uint64_t)((float(*)[N])arg - image);
    span s = begin_span("part", number);
    para_status status = para_loop(brighten, N, (float *)arg);
    para_task inner = {.run = thumbnail, .arg = arg, .id = 100 + number, .context = &s.own};
    if (!status)
        status = para_submit(NULL, &inner);
    if (!status)
        status = para_task_wait(&inner);
    end_span(&s, status != PARA_OK);
    return status;
}

/* ---- Export ------------------------------------------------------------------------------ */

static void put_id(const char *name, const unsigned char *id, size_t bytes)
{
    printf("\"%s\":\"", name);
    for (size_t i = 0; i < bytes; i++)
        printf("%02x", id[i]);
    printf("\",");
}

static void put_span(const span *s)
{
    putchar('{');
    put_id("traceId", s->own.trace_id, sizeof s->own.trace_id);
    put_id("spanId", s->own.span_id, sizeof s->own.span_id);
    put_id("parentSpanId", s->parent, sizeof s->parent);
    printf("\"name\":\"%s\",\"kind\":1,\"startTimeUnixNano\":\"%" PRIu64
           "\",\"endTimeUnixNano\":\"%" PRIu64 "\",\"attributes\":[{\"key\":\"para.task.id\","
           "\"value\":{\"intValue\":\"%" PRIu64 "\"}}],\"status\":{\"code\":%d}}",
           s->name, s->begin_ns, s->end_ns, s->id, s->has_failed ? 2 : 1);
}

static void export_spans(void)
{
    fputs(
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
        "\"stringValue\":\"spans\"}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"para\"},\"spans\":[",
        stdout);
    for (unsigned i = 0; i < count && i < SPANS; i++) {
        fputs(i ? "," : "", stdout);
        put_span(&spans[i]);
    }
    puts("]}]}]}");
}

/* A request that says of which trace it is a part; one that does not begins its own. */
static para_context request_context(void)
{
    const char *const said = getenv("TRACEPARENT");
    para_context context = {.flags = PARA_CONTEXT_SAMPLED};
    if (said && para_context_parse(said, &context) == PARA_OK)
        return context;
    make_id(context.trace_id, sizeof context.trace_id);
    make_id(context.span_id, sizeof context.span_id);
    return context;
}

int main(void)
{
    const para_context context = request_context();
    para_task tasks[PARTS];
    for (uint64_t i = 0; i < PARTS; i++) {
        tasks[i] = (para_task){.run = part, .arg = image[i], .id = i, .context = &context};
        para_must(para_submit(NULL, &tasks[i]));
    }
    for (int i = 0; i < PARTS; i++)
        para_must(para_task_wait(&tasks[i]));
    export_spans();
    return count == 2 * PARTS && image[PARTS - 1][N - 1] == 1 ? 0 : 1;
}

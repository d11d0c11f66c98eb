/* A thread is a row, cut into columns of one px. In each column the colours show which part of that
 * time the thread spent on what; what is left white is the program's own, or a look for work. Sizes
 * are in px. */
#include "cli/timeline.h"

#include "base/bounds.h"
#include "cli/say.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 960,
    LEFT = 120, /* of the first column: names are there */
    MARGIN_PX = 16,
    ROW_STEP = 34, /* from row to row */
    BAND = 26,     /* a row's height */
    HEAD = 64,     /* above the first row */
    KERNELS = 6    /* with a colour of their own */
};

/* What a column is filled with: kernels, other kernels and tasks, then the rest. */
enum { FILL_OTHER = KERNELS, FILL_SHARING, FILL_WAITING, FILL_IDLE, FILLS };

static const char *const colours[FILLS] = {"#1d4f91", "#d97706", "#15803d", "#9d174d", "#0e7490",
                                           "#6d28d9", "#64748b", "#f5b8a5", "#e4572e", "#dfe5ec"};

typedef struct drawn {
    const para__traced *sums;
    uint64_t column_ns;
    float *fill; /* [threads][FILLS][COLUMNS]: ns */
} drawn;

static unsigned fill_of(const drawn *d, const para__trace_event *event)
{
    if (event->doing == PARA__DOING_SHARING)
        return FILL_SHARING;
    if (event->doing == PARA__DOING_WAITING)
        return FILL_WAITING;
    if (event->doing == PARA__DOING_IDLE)
        return FILL_IDLE;
    for (unsigned k = 0; k < KERNELS && k < d->sums->names; k++)
        if (strcmp(d->sums->name[k].name, event->name) == 0)
            return k;
    return FILL_OTHER;
}

/* Adds so much of each column as lies in the span. */
static void add_time(const drawn *d, float *columns, uint64_t begin_ns, uint64_t end_ns, float sign)
{
    uint64_t at = begin_ns - d->sums->first_ns;
    const uint64_t end = end_ns - d->sums->first_ns;
    while (at < end) {
        const uint64_t column = at / d->column_ns;
        const uint64_t until = para__min((column + 1) * d->column_ns, end);
        if (column >= COLUMNS)
            return;
        columns[column] += sign * (float)(until - at);
        at = until;
    }
}

static void add_drawn(void *of, size_t thread, const para__trace_event *event,
                      const para__closed *within, size_t count)
{
    const drawn *const d = of;
    if (thread >= d->sums->threads)
        return; /* the file has grown meanwhile */
    float *const columns = d->fill + (thread * FILLS + fill_of(d, event)) * COLUMNS;
    add_time(d, columns, event->begin_ns, event->end_ns, 1);
    for (size_t i = 0; i < count; i++)
        add_time(d, columns, within[i].begin_ns, within[i].end_ns, -1);
}

/* ---- Writing ------------------------------------------------------------------------- */

static void put_escaped(FILE *to, const char *name)
{
    for (; *name; name++)
        if (*name == '<' || *name == '>' || *name == '&')
            fprintf(to, "&#%d;", *name);
        else
            fputc(*name, to);
}

static const char timeline_style[] =
    "<style>\n"
    "text { font-family: Helvetica, Arial, 'DejaVu Sans', sans-serif; font-size: 11px; "
    "fill: #222 }\n"
    ".head { font-size: 14px; font-weight: bold }\n"
    ".small { font-size: 10px; fill: #555 }\n"
    ".band { fill: #fff; stroke: #cbd5e1 }\n"
    ".tick { stroke: #cbd5e1 }\n"
    "</style>\n";

/* The parts of columns, from the bottom up; columns that are alike are one rectangle. */
static void draw_row(FILE *to, const drawn *d, size_t thread, unsigned y)
{
    float bottom[COLUMNS] = {0};
    for (unsigned f = 0; f < FILLS; f++) {
        const float *const columns = d->fill + (thread * FILLS + f) * COLUMNS;
        for (unsigned c = 0; c < COLUMNS;) {
            const float from = bottom[c];
            const float part = columns[c] / (float)d->column_ns;
            unsigned end = c;
            while (end < COLUMNS && fabsf(columns[end] / (float)d->column_ns - part) < 0.01F &&
                   fabsf(bottom[end] - from) < 0.01F)
                bottom[end++] += part;
            if (part > 0.005F)
                fprintf(to,
                        "<rect x=\"%u\" y=\"%.1f\" width=\"%u\" height=\"%.1f\" fill=\"%s\"/>\n",
                        LEFT + c, (double)((float)(y + BAND) - (from + part) * (float)BAND),
                        end - c, (double)(part * (float)BAND), colours[f]);
            c = end;
        }
    }
}

static void draw_axis(FILE *to, const drawn *d, unsigned bottom)
{
    const double span_ns = (double)d->column_ns * COLUMNS;
    double step_ns = pow(10, floor(log10(span_ns / 4)));
    if (span_ns / step_ns > 20)
        step_ns *= 5;
    else if (span_ns / step_ns > 10)
        step_ns *= 2;
    for (unsigned i = 0; i * step_ns < span_ns; i++) {
        const double x = LEFT + i * step_ns / (double)d->column_ns;
        fprintf(to, "<line class=\"tick\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%u\"/>\n", x,
                HEAD - 8, x, bottom);
        if (x < LEFT + COLUMNS - 40)
            fprintf(to, "<text class=\"small\" x=\"%.1f\" y=\"%d\">%g ms</text>\n", x + 2, HEAD - 3,
                    i * step_ns / 1e6);
    }
}

/* A sample of a colour and what it stands for; returns where the next one begins. */
static unsigned draw_sample(FILE *to, unsigned fill, const char *meaning, unsigned x, unsigned y)
{
    char shown[32];
    snprintf(shown, sizeof shown, strlen(meaning) < sizeof shown ? "%s" : "%.28s...", meaning);
    fprintf(to, "<rect x=\"%u\" y=\"%u\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", x, y,
            colours[fill]);
    fprintf(to, "<text class=\"small\" x=\"%u\" y=\"%u\">", x + 17, y + 10);
    put_escaped(to, shown);
    fputs("</text>\n", to);
    return x + 17 + (unsigned)(6.2 * (double)strlen(shown)) + 14;
}

static void draw_samples(FILE *to, const drawn *d, unsigned y)
{
    static const char *const others[] = {"other kernels and tasks", "sharing, submitting",
                                         "waiting", "asleep"};
    unsigned x = LEFT;
    for (unsigned f = 0; f < FILLS; f++) {
        if (f < KERNELS && f >= d->sums->names)
            continue;
        if (f == FILL_OTHER && d->sums->names <= KERNELS)
            continue;
        if (x > LEFT + COLUMNS - 150) {
            x = LEFT;
            y += 18;
        }
        x = draw_sample(to, f, f < KERNELS ? d->sums->name[f].name : others[f - KERNELS], x, y);
    }
}

/* Whether half a column could be seen of what the thread did. */
static bool is_shown(const drawn *d, size_t thread)
{
    uint64_t ns = 0;
    for (unsigned i = 0; i < PARA__DOINGS; i++)
        ns += d->sums->thread[thread].self_ns[i];
    return ns >= d->column_ns / 2;
}

static void draw_band(FILE *to, const drawn *d, size_t thread, unsigned y)
{
    fprintf(to, "<rect class=\"band\" x=\"%d\" y=\"%u\" width=\"%d\" height=\"%d\"/>\n", LEFT, y,
            COLUMNS, BAND);
    fprintf(to, "<text x=\"%d\" y=\"%u\">", MARGIN_PX, y + 17);
    put_escaped(to, d->sums->thread[thread].name);
    fputs("</text>\n", to);
}

static void draw_rows(FILE *to, const drawn *d,
                      void (*draw)(FILE *to, const drawn *d, size_t thread, unsigned y))
{
    unsigned y = HEAD + 4;
    for (size_t t = 0; t < d->sums->threads; t++)
        if (is_shown(d, t)) {
            draw(to, d, t, y);
            y += ROW_STEP;
        }
}

static void draw_all(FILE *to, const drawn *d)
{
    unsigned rows = 0;
    for (size_t t = 0; t < d->sums->threads; t++)
        rows += is_shown(d, t);
    const unsigned bottom = HEAD + rows * ROW_STEP;
    const unsigned height = bottom + 60;
    const unsigned width = LEFT + COLUMNS + MARGIN_PX;
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 "
            "%u %u\">\n<title>What each thread did</title>\n%s",
            width, height, width, height, timeline_style);
    fprintf(to, "<rect fill=\"#fff\" width=\"%u\" height=\"%u\"/>\n", width, height);
    fprintf(to, "<text class=\"head\" x=\"%d\" y=\"%d\">%.3f ms on %zu thread%s", MARGIN_PX,
            MARGIN_PX + 13, (double)(d->sums->last_ns - d->sums->first_ns) / 1e6, d->sums->threads,
            d->sums->threads == 1 ? "" : "s");
    if (rows < d->sums->threads)
        fprintf(to, ", %zu of them too short to be seen", d->sums->threads - rows);
    fputs("</text>\n", to);
    draw_rows(to, d, draw_band);
    draw_axis(to, d, bottom);
    draw_rows(to, d, draw_row);
    draw_samples(to, d, bottom + 12);
    fputs("</svg>\n", to);
}

int para__timeline_write(FILE *to, const para__traced *sums, FILE *trace, const char *path)
{
    drawn d = {.sums = sums};
    para__traced again;
    d.column_ns = (sums->last_ns - sums->first_ns) / COLUMNS + 1;
    d.fill = calloc(sums->threads * FILLS * COLUMNS, sizeof *d.fill);
    if (!d.fill)
        return para__say_status(PARA_ERR_MEMORY);
    if (fseek(trace, 0, SEEK_SET) != 0) {
        free(d.fill);
        return para__say_failed("%s: --svg reads it twice, which a pipe does not allow", path);
    }
    const int status = para__traced_read(&again, trace, path, add_drawn, &d);
    if (!status)
        draw_all(to, &d);
    para__traced_free(&again);
    free(d.fill);
    return status;
}

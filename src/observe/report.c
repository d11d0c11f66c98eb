/* PARA_REPORT=1: what each kernel's calls have taken, on standard error when the process ends. */
#include "base/process.h"
#include "base/log.h"
#include "base/variable.h"
#include "observe/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_asked_for;

__attribute__((constructor(102))) static void begin_report(void)
{
    const char *const value = para__variable("PARA_REPORT");
    if (!value)
        return;
    if (!para__truth(value, &is_asked_for))
        para__tell(PARA_LOG_VARIABLE, "PARA_REPORT=%.80s: expected " PARA__TRUTHS "; ignored",
                   value);
    else if (is_asked_for)
        para__ledger_open();
}

static void print_reported(const para__entry *r, FILE *to)
{
    unsigned most = 0;
    char alone[32] = "unknown", loop[32] = "";
    for (unsigned w = 1; w < PARA__WHYS; w++)
        most = r->why[w] > r->why[most] ? w : most;
    if (r->unknown_elements == 0 || r->element_ns > 0)
        snprintf(alone, sizeof alone, "%.3f",
                 (r->alone_ns + r->unknown_elements * r->element_ns) / 1e6);
    if (r->loop)
        snprintf(loop, sizeof loop, " site 0x%jx", (uintmax_t)r->loop);
    fprintf(to, "%10ju %10ju %10ju %8.1f %12.3f %12s  %s (%s)%s: %s\n", (uintmax_t)r->calls,
            (uintmax_t)(r->calls - r->shared), (uintmax_t)r->shared,
            r->shared ? (double)r->workers / (double)r->shared : 1, (double)r->time_ns / 1e6, alone,
            r->symbol.name, r->symbol.place, loop, para_why_text((para_why)most));
}

static void print_all(FILE *to)
{
    size_t count = 0;
    uint64_t lost = 0;
    para__entry *const *const list = para__ledger_list(&count, &lost);
    if (count || lost)
        fprintf(to,
                "para: report of process %ld, kernels by the time of their calls\n"
                "%10s %10s %10s %8s %12s %12s  kernel: most frequent reason\n",
                (long)getpid(), "calls", "serial", "shared", "workers", "ms", "ms if serial");
    for (size_t i = 0; i < count; i++)
        print_reported(list[i], to);
    if (lost)
        fprintf(to, "%10ju calls were not counted: no memory\n", (uintmax_t)lost);
    para__ledger_close(list);
}

/* At the end of the process, in one piece. Not through stderr, which a program may have closed. */
__attribute__((destructor)) static void print_report(void)
{
    char *text = NULL;
    size_t bytes = 0;
    if (!is_asked_for)
        return;
    FILE *const to = open_memstream(&text, &bytes);
    if (!to)
        return;
    print_all(to);
    if (fclose(to) == 0)
        for (size_t done = 0; done < bytes;) {
            const ssize_t n = write(STDERR_FILENO, text + done, bytes - done);
            if (n <= 0 && errno != EINTR)
                break;
            done += n > 0 ? (size_t)n : 0;
        }
    free(text);
}

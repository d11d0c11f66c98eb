/* The public functions of calibration: show, forget, save and load. */
#include <para/calibration.h>

#include "base/clock.h"
#include "base/fpenv.h"
#include "base/info.h"
#include "base/module.h"
#include "base/status.h"
#include "base/unique.h"
#include "pool/calibrate.h"
#include "pool/default_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Kernels and the modules they are in --------------------------------------------- */

/* A module to look for, by an address in it or by its name. */
typedef struct module {
    uintptr_t address; /* in it, or 0 */
    char name[256];    /* its file's, without folders */
    uintptr_t base;    /* what offsets count from */
    bool found;
} module;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int visit(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    module *wanted = data;
    /* The program itself has no name in the list. */
    const char *name =
        *info->dlpi_name ? base_name(info->dlpi_name) : program_invocation_short_name;
    if (wanted->address ? !para__module_contains(info, wanted->address)
                        : strcmp(name, wanted->name) != 0)
        return 0;
    snprintf(wanted->name, sizeof wanted->name, "%s", name);
    wanted->base = info->dlpi_addr;
    wanted->found = true;
    return 1;
}

/* A key has the kernel's address, shifted; no address in use loses a bit that matters. */
static uintptr_t kernel_of(uint64_t key)
{
    return (uintptr_t)(key >> 6);
}

/* ---- The program's own state --------------------------------------------------------- */

/* Files are written and read with a decimal point, whatever the program's locale. errno and the
 * floating-point environment are kept. */
typedef struct state {
    locale_t plain, before;
    int error;
    para__fp fp;
} state;

static state enter(void)
{
    state s = {.error = errno,
               .plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0),
               .fp = para__fp_save()};
    s.before = s.plain ? uselocale(s.plain) : (locale_t)0;
    return s;
}

static void leave(const state *s)
{
    if (s->plain) {
        uselocale(s->before);
        freelocale(s->plain);
    }
    errno = s->error;
    para__fp_restore(s->fp, 0);
}

/* ---- Showing ------------------------------------------------------------------------- */

static para_calibration_info measured(para_pool *pool)
{
    unsigned sites = 0;
    for (unsigned i = 0; i < PARA__SITES; i++)
        sites += para__estimate_samples(para__site_read(&pool->sites.site[i])) != 0;
    const para__costs costs = para__costs_now(pool);
    return (para_calibration_info){
        .round_trip_ns = costs.round_trip_ns,
        .per_helper_ns = costs.per_helper_ns,
        .wake_ns = costs.wake_ns,
        .wake_cost_ns = costs.wake_cost_ns,
        .share_ns = costs.share_ns,
        .clock_ns = costs.clock_ns,
        .spin_ns = (double)para__load_relaxed(&pool->lanes.spin_ticks) /* see lane.h */
                   * para__ns_per_tick(),
        .least_ns = para__least_work_ns(&costs, para__pool_workers(pool)),
        .sites = sites,
    };
}

para_status para_calibration_get(para_pool *pool, para_calibration_info *info)
{
    const para_status status = para__pool_resolve_ready(&pool);
    if (status)
        return status;
    const para__fp fp = para__fp_save();
    const para_calibration_info full = measured(pool);
    para__fp_restore(fp, 0);
    return para__info_fill(info, &full, sizeof full);
}

para_status para_calibration_reset(para_pool *pool)
{
    const para_status status = para__pool_resolve(&pool);
    if (!status)
        for (unsigned i = 0; i < PARA__SITES; i++)
            para__site_forget(&pool->sites.site[i]);
    return status;
}

static void print_site(para__site *site, FILE *stream)
{
    const uint64_t key = para__load_relaxed(&site->kernel); /* no order: see sites.h */
    const uint64_t loop = para__load_relaxed(&site->loop);
    const para__estimate e = para__site_read(site);
    module in = {.address = kernel_of(key)};
    if (key == 0 || para__estimate_samples(e) == 0 || !dl_iterate_phdr(visit, &in))
        return;
    fprintf(stream, "site %u %.9g %u %.9g %u %.9g %u %u %u %" PRIx64 " %" PRIxPTR " %s\n",
            (unsigned)(key & 63), (double)e.alone_ns, e.alone, (double)e.shared_ns, e.shared,
            (double)e.price_ns, e.deviation, e.spread, para__site_tuner(site).halvings, loop,
            in.address - in.base, in.name);
}

static para_status print(para_pool *pool, FILE *stream)
{
    para_calibration_info info = {.size = sizeof info};
    para_status status = para__pool_resolve(&pool);
    if (!status)
        status = para_calibration_get(pool, &info);
    if (status)
        return status;
    fprintf(
        stream,
        "# para calibration 2\n"
        "# round_trip_ns %.0f  per_helper_ns %.0f  wake_ns %.0f  wake_cost_ns %.0f  clock_ns %.1f\n"
        "# share_ns %.0f  spin_ns %.0f  least_ns %.0f  workers %u\n"
        "# site log2_count alone_ns samples shared_ns samples call_ns deviation spread halvings "
        "loop offset module\n",
        info.round_trip_ns, info.per_helper_ns, info.wake_ns, info.wake_cost_ns, info.clock_ns,
        info.share_ns, info.spin_ns, info.least_ns, para__pool_workers(pool));
    for (unsigned i = 0; i < PARA__SITES; i++)
        print_site(&pool->sites.site[i], stream);
    if (fflush(stream) != 0 || ferror(stream))
        return para__fail(PARA_ERR_FILE, "calibration: %s", strerror(errno));
    return PARA_OK;
}

para_status para_calibration_print(para_pool *pool, FILE *stream)
{
    if (!stream)
        return para__fail(PARA_ERR_ARGUMENT, "there is no stream");
    const state s = enter();
    const para_status status = print(pool, stream);
    leave(&s);
    return status;
}

/* ---- Saving and loading -------------------------------------------------------------- */

/* Writes the knowledge to a new file beside path, whose name it stores in temporary, and renames
 * that to path. */
static para_status replace(para_pool *pool, const char *path, char *temporary,
                           const struct stat *old)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    const int file = para__unique_create(AT_FDCWD, path, folder, temporary, 0666);
    FILE *stream = file >= 0 ? fdopen(file, "w") : NULL;
    para_status status = PARA_OK;
    if (!stream) {
        status = para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
    } else {
        if (old)
            (void)fchmod(file, old->st_mode & 0777); /* whoever could read it still can */
        status = print(pool, stream);
        if (fclose(stream) != 0 && !status)
            status = para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
        if (!status && rename(temporary, path) != 0)
            status = para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
    }
    if (status && file >= 0)
        unlink(temporary);
    return status;
}

static para_status save(para_pool *pool, const char *path)
{
    struct stat there; /* a file is replaced, and nothing else: no device, no pipe */
    const bool exists = stat(path, &there) == 0;
    if (exists && !S_ISREG(there.st_mode))
        return para__fail(PARA_ERR_FILE, "%s: not a regular file", path);
    char *target = para__unique_resolve(path); /* a link stays a link */
    if (!target && errno != ENOMEM)
        return para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
    char *temporary = target ? malloc(strlen(target) + PARA__UNIQUE_MAX) : NULL;
    const para_status status = temporary ? replace(pool, target, temporary, exists ? &there : NULL)
                                         : para__fail(PARA_ERR_MEMORY, "%s", path);
    free(temporary);
    free(target);
    return status;
}

para_status para_calibration_save(para_pool *pool, const char *path)
{
    if (!path)
        return para__fail(PARA_ERR_ARGUMENT, "there is no path");
    const state s = enter();
    const para_status status = save(pool, path);
    leave(&s);
    return status;
}

/* One line of a file, if it is well formed. */
typedef struct site_line {
    unsigned log2_count, alone, shared, deviation, spread, halvings;
    float alone_ns, shared_ns, price_ns;
    uint64_t loop;
    uintptr_t offset;
    char module[256];
} site_line;

static bool is_cost(float ns)
{
    return isfinite(ns) && ns >= 0;
}

static bool parse(const char *text, site_line *line)
{
    int end = 0;
    return sscanf(text,
                  "site %2u %f %2u %f %2u %f %3u %3u %2u %" SCNx64 " %" SCNxPTR " %255[^\n]%n",
                  &line->log2_count, &line->alone_ns, &line->alone, &line->shared_ns, &line->shared,
                  &line->price_ns, &line->deviation, &line->spread, &line->halvings, &line->loop,
                  &line->offset, line->module, &end) == 12 &&
           (text[end] == '\n' || text[end] == '\0') && line->log2_count < 64 &&
           is_cost(line->alone_ns) && is_cost(line->shared_ns) && is_cost(line->price_ns) &&
           line->alone < 16 && line->shared < 16 && line->deviation <= UINT8_MAX &&
           line->spread <= UINT8_MAX && line->halvings < 32;
}

static void learn(para_pool *pool, const site_line *line)
{
    module in = {0};
    memcpy(in.name, line->module, sizeof in.name);
    if (!dl_iterate_phdr(visit, &in))
        return;
    const para__site_key key = {
        .kernel = (uint64_t)(in.base + line->offset) << 6 | line->log2_count, .loop = line->loop};
    para__estimate e = {.alone_ns = line->alone_ns,
                        .shared_ns = line->shared_ns,
                        .price_ns = line->price_ns,
                        .deviation = (uint8_t)line->deviation,
                        .spread = (uint8_t)line->spread,
                        .alone = line->alone & 15,
                        .shared = line->shared & 15};
    e.mean_ns = (float)para__estimate_cost(e, PARA__SHARED);
    e.priced = true;
    para__site_set(para__site_find(&pool->sites, key), e,
                   (para__tuner){.halvings = (uint8_t)line->halvings});
}

/* Reads the file; learns from it if pool is not NULL. 0, or the number of the first bad line. */
static size_t read_lines(FILE *stream, para_pool *pool)
{
    char text[512];
    for (size_t number = 1; fgets(text, sizeof text, stream); number++) {
        site_line line;
        if (*text == '#' || *text == '\n')
            continue;
        if (!parse(text, &line))
            return number;
        if (pool)
            learn(pool, &line);
    }
    return 0;
}

static para_status load(para_pool *pool, const char *path)
{
    para_status status = para__pool_resolve(&pool);
    if (status)
        return status;
    struct stat facts; /* a file, and not a pipe that keeps its reader waiting */
    if (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode))
        return para__fail(PARA_ERR_FILE, "%s: not a regular file", path);
    FILE *stream = fopen(path, "re");
    if (!stream)
        return para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
    const size_t bad = read_lines(stream, NULL); /* first whether all of it can be read */
    if (bad)
        status = para__fail(PARA_ERR_FILE, "%s: line %zu is malformed", path, bad);
    else if (ferror(stream) || fseek(stream, 0, SEEK_SET) != 0)
        status = para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
    else
        (void)read_lines(stream, pool);
    fclose(stream);
    return status;
}

para_status para_calibration_load(para_pool *pool, const char *path)
{
    if (!path)
        return para__fail(PARA_ERR_ARGUMENT, "there is no path");
    const state s = enter();
    const para_status status = load(pool, path);
    leave(&s);
    return status;
}

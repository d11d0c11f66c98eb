/* The public functions of calibration: show, forget, save and load. */
#include <para/calibration.h>

#include "base/clock.h"
#include "base/fpenv.h"
#include "base/info.h"
#include "base/module.h"
#include "base/status.h"
#include "observe/file.h"
#include "pool/calibrate.h"
#include "pool/visit.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
        .least_ns = para__least_work_ns(&costs, para__pool_usual(pool)),
        .sites = sites,
        .near_helpers = costs.near,
        .far_ns = costs.far_ns,
        .round_trip_measured = costs.has_round_trip,
        .per_helper_measured = costs.has_further,
        .wake_measured = costs.has_wake,
    };
}

para_status para_calibration_get(para_pool *pool, para_calibration_info *info)
{
    para__stay *stay;
    para_status status = para__pool_visit_ready(&pool, &stay);
    if (!status) {
        const para__fp fp = para__fp_save();
        const para_calibration_info full = measured(pool);
        para__fp_restore(fp, 0);
        status = para__info_fill(info, &full, sizeof full);
    }
    para__pool_leave(stay);
    return status;
}

para_status para_calibration_reset(para_pool *pool)
{
    para__stay *stay;
    const para_status status = para__pool_visit(&pool, &stay);
    for (unsigned i = 0; !status && i < PARA__SITES; i++)
        para__site_forget(&pool->sites.site[i]);
    para__pool_leave(stay);
    return status;
}

static void print_site(para__site *site, FILE *stream)
{
    const uint64_t key = para__load_relaxed(&site->kernel); /* no order: see sites.h */
    const uint64_t loop = para__load_relaxed(&site->loop);
    const para__estimate e = para__site_read(site);
    const para__tuner w = para__site_tuner(site);
    module in = {.address = kernel_of(key)};
    if (key == 0 || para__estimate_samples(e) == 0 || !dl_iterate_phdr(visit, &in))
        return;
    fprintf(stream, "site %u %.9g %u %.9g %u %.9g %u %u %d %" PRIx64 " %" PRIxPTR " %s\n",
            (unsigned)(key & 63), (double)e.alone_ns, e.alone, (double)e.shared_ns, e.shared,
            (double)e.price_ns, e.deviation, e.spread, w.halvings, loop, in.address - in.base,
            in.name);
    fprintf(stream, "more %.9g %u %.9g %u %.9g %u %u %u\n", (double)e.mean_ns, e.priced,
            (double)e.credit_ns, e.refused, (double)w.element_ns, w.wider, w.again, w.turn);
}

static para_status print_inside(para_pool *pool, FILE *stream)
{
    const para_calibration_info info = measured(pool);
    fprintf(
        stream,
        "# para calibration 3\n"
        "# round_trip_ns %.0f  per_helper_ns %.0f  wake_ns %.0f  wake_cost_ns %.0f  clock_ns %.1f\n"
        "# share_ns %.0f  spin_ns %.0f  least_ns %.0f  workers %u  near_helpers %u  far_ns %.0f\n"
        "# site log2_count alone_ns samples shared_ns samples call_ns deviation spread halvings "
        "loop offset module\n"
        "# more mean_ns priced credit_ns refused width_ns wider again turn\n",
        info.round_trip_ns, info.per_helper_ns, info.wake_ns, info.wake_cost_ns, info.clock_ns,
        info.share_ns, info.spin_ns, info.least_ns, para__pool_workers(pool), info.near_helpers,
        info.far_ns);
    for (unsigned i = 0; i < PARA__SITES; i++)
        print_site(&pool->sites.site[i], stream);
    if (fflush(stream) != 0 || ferror(stream))
        return para__fail(PARA_ERR_FILE, "calibration: %s", strerror(errno));
    return PARA_OK;
}

static para_status print(para_pool *pool, FILE *stream)
{
    para__stay *stay;
    para_status status = para__pool_visit_ready(&pool, &stay);
    if (!status)
        status = print_inside(pool, stream);
    para__pool_leave(stay);
    return status;
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

static para_status print_pool(void *pool, FILE *stream)
{
    return print(pool, stream);
}

para_status para_calibration_save(para_pool *pool, const char *path)
{
    if (!path)
        return para__fail(PARA_ERR_ARGUMENT, "there is no path");
    const state s = enter();
    const para_status status = para__file_replace(path, print_pool, pool);
    leave(&s);
    return status;
}

/* What a file tells of a site: one line, and since version 3 a second one. */
typedef struct told {
    unsigned log2_count, alone, shared, deviation, spread;
    int halvings;
    float alone_ns, shared_ns, price_ns;
    uint64_t loop;
    uintptr_t offset;
    char module[256];
    bool has_more;
    float mean_ns, credit_ns, width_ns;
    unsigned priced, refused, wider, again, turn;
} told;

static bool is_cost(float ns)
{
    return isfinite(ns) && ns >= 0;
}

static bool ends_at(const char *text, int end)
{
    return text[end] == '\n' || text[end] == '\0';
}

static bool parse_site(const char *text, told *t)
{
    int end = 0;
    *t = (told){0};
    return sscanf(text,
                  "site %2u %f %2u %f %2u %f %3u %3u %2d %" SCNx64 " %" SCNxPTR " %255[^\n]%n",
                  &t->log2_count, &t->alone_ns, &t->alone, &t->shared_ns, &t->shared, &t->price_ns,
                  &t->deviation, &t->spread, &t->halvings, &t->loop, &t->offset, t->module,
                  &end) == 12 &&
           ends_at(text, end) && t->log2_count < 64 && is_cost(t->alone_ns) &&
           is_cost(t->shared_ns) && is_cost(t->price_ns) && t->alone < 16 && t->shared < 16 &&
           t->deviation <= UINT8_MAX && t->spread <= UINT8_MAX && t->halvings >= -1 &&
           t->halvings < 32;
}

/* The second line of a site of which the first is known. */
static bool parse_more(const char *text, told *t)
{
    int end = 0;
    if (!*t->module || t->has_more)
        return false;
    t->has_more = true;
    return sscanf(text, "more %f %1u %f %1u %f %1u %1u %1u%n", &t->mean_ns, &t->priced,
                  &t->credit_ns, &t->refused, &t->width_ns, &t->wider, &t->again, &t->turn,
                  &end) == 8 &&
           ends_at(text, end) && is_cost(t->mean_ns) && is_cost(t->credit_ns) &&
           is_cost(t->width_ns) && t->priced < 2 && t->refused < 4 && t->wider < 2 &&
           t->again < 2 && t->turn < 2;
}

static void learn(para_pool *pool, const told *t)
{
    module in = {0};
    memcpy(in.name, t->module, sizeof in.name);
    if (!*in.name || !dl_iterate_phdr(visit, &in))
        return;
    const para__site_key key = {.kernel = (uint64_t)(in.base + t->offset) << 6 | t->log2_count,
                                .loop = t->loop};
    para__estimate e = {.alone_ns = t->alone_ns,
                        .shared_ns = t->shared_ns,
                        .price_ns = t->price_ns,
                        .mean_ns = t->mean_ns,
                        .credit_ns = t->credit_ns,
                        .deviation = (uint8_t)t->deviation,
                        .spread = (uint8_t)t->spread,
                        .refused = t->refused & 3,
                        .priced = t->priced & 1,
                        .alone = t->alone & 15,
                        .shared = t->shared & 15};
    if (!t->has_more) { /* of version 2 */
        e.mean_ns = (float)para__estimate_cost(e, PARA__SHARED);
        e.priced = true;
    }
    para__site_set(para__site_find(&pool->sites, key), e,
                   (para__tuner){.element_ns = t->width_ns,
                                 .halvings = (int8_t)t->halvings,
                                 .wider = t->wider,
                                 .again = t->again,
                                 .turn = t->turn});
}

/* Reads the file; learns from it if pool is not NULL. 0, or the number of the first bad line. */
static size_t read_lines(FILE *stream, para_pool *pool)
{
    char text[512];
    told site = {0};
    for (size_t number = 1; fgets(text, sizeof text, stream); number++) {
        if (*text == '#' || *text == '\n')
            continue;
        if (strncmp(text, "more ", 5) == 0) {
            if (!parse_more(text, &site))
                return number;
            continue;
        }
        if (pool)
            learn(pool, &site);
        if (!parse_site(text, &site))
            return number;
    }
    if (pool)
        learn(pool, &site);
    return 0;
}

static para_status load_inside(para_pool *pool, const char *path)
{
    para_status status = PARA_OK;
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
    para__stay *stay;
    if (!path)
        return para__fail(PARA_ERR_ARGUMENT, "there is no path");
    const state s = enter();
    para_status status = para__pool_visit(&pool, &stay);
    if (!status)
        status = load_inside(pool, path);
    para__pool_leave(stay);
    leave(&s);
    return status;
}

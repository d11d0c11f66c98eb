/* Checks of a machine with several nodes. What they compare is read back from the kernel (masks of
 * threads, nodes of pages, the node that a kernel call runs on), never from para's own bookkeeping.
 *
 * usage: numa_check NAME [NUMBER|PLACES] [COMMAND [COMMAND]], with the names of the table at the
 * end. Prints what was found. Commands change the machine, or what the process may use of it.
 * Exit status: 0 it holds, 1 it does not, 2 misused. */
#define _GNU_SOURCE
#include "changes.h"
#include "kernel.h"
#include "masks.h"
#include "pages.h"
#include "ranks.h"
#include "steps.h"

#include <para/para.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a check is about: a number or a list of places and commands from the command line, a form
 * from the table. */
static long number;
static const char *list, *change, *back;
static int form;

static int slices(void)
{
    static int node[PAGES];
    read_nodes(make_buffer(make_pool(), PARA_PLACE_AUTO, 0), node);
    return slices_are(node, PAGES / 100);
}

/* One of the processes of the check below. Its standard output is the other's pipe. */
static int be_rank(void)
{
    static int node[PAGES];
    char byte = 0;
    para_pool *pool = make_pool();
    if (write(STDOUT_FILENO, &byte, 1) != 1 || read(STDIN_FILENO, &byte, 1) != 1)
        return 1;
    read_nodes(make_buffer(pool, PARA_PLACE_AUTO, 0), node);
    return slices_are(node, PAGES / 100);
}

/* Several processes, as a launcher starts them. */
static int ranks(void)
{
    char words[100];
    const int status = check_ranks((int)number, (dealing)form, words, sizeof words);
    return outcome(status == 0, "%s", words);
}

/* As many pages on each node that has memory, but for one that is huge. */
static bool are_dealt_out(const int pages_of[NODES])
{
    const cpu_set_t with_memory = read_list("/sys/devices/system/node/has_memory");
    const int share = PAGES / CPU_COUNT(&with_memory);
    bool even = true;
    for (size_t n = 0; n < NODES; n++)
        even &= CPU_ISSET(n, &with_memory) ? abs(pages_of[n] - share) <= HUGE_PAGE / PAGE
                                           : pages_of[n] == 0;
    return even;
}

static int interleaved(void)
{
    static int node[PAGES];
    int pages_of[NODES];
    read_nodes(make_buffer(make_pool(), (para_placement)form, 0), node);
    count_nodes(node, pages_of);
    return outcome(are_dealt_out(pages_of), "pages by node%s", in_words(pages_of));
}

/* An array that lies on one node is moved to the slices, huge pages as a whole; para's own reading
 * agrees. */
static int moved(void)
{
    static int node[PAGES];
    int before[NODES], pages_of[NODES];
    size_t bytes_of[NODES];
    para_pool *pool = make_pool();
    char *data = make_buffer(pool, PARA_PLACE_NODE, 1);
    read_nodes(data, node);
    count_nodes(node, before);
    must(para_buffer_move(pool, data, PAGES, PAGE, NULL), "moving an array");
    must(para_buffer_where(data, (size_t)PAGES * PAGE, bytes_of, NODES), "asking where it lies");
    read_nodes(data, node);
    count_nodes(node, pages_of);
    bool agrees = true;
    for (int n = 0; n < NODES; n++)
        agrees &= bytes_of[n] == (size_t)pages_of[n] * PAGE;
    const bool was_there = before[1] == PAGES;
    return slices_are(node, HUGE_PAGE / PAGE) == 0 && was_there && agrees ? 0 : 1;
}

/* How many huge pages the kernel has moved so far. */
static long huge_moves(void)
{
    FILE *file = fopen("/proc/vmstat", "r");
    char name[80];
    long count = 0, value;
    while (file && fscanf(file, "%79s %ld", name, &value) == 2)
        count += strcmp(name, "thp_migration_success") == 0 ? value : 0;
    if (file)
        fclose(file);
    return count;
}

/* An array that lies on one node, on small pages or (form: 1) on huge ones, is spread over all that
 * have memory. A huge page is moved once. */
static int moved_apart(void)
{
    static int node[PAGES];
    const size_t bytes = (size_t)PAGES * PAGE;
    int before[NODES], pages_of[NODES];
    para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
    para_pool *pool = make_pool();
    char *data =
        mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    data += HUGE_PAGE - (uintptr_t)data % HUGE_PAGE;
    madvise(data, bytes, form ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    config.placement = PARA_PLACE_NODE;
    config.node = 0;
    must(para_buffer_move(pool, data, PAGES, PAGE, &config), "placing an array");
    memset(data, 1, bytes);
    read_nodes(data, node);
    count_nodes(node, before);
    const long moves = huge_moves();
    config.placement = PARA_PLACE_INTERLEAVE;
    must(para_buffer_move(pool, data, PAGES, PAGE, &config), "moving an array");
    const long moved = huge_moves() - moves;
    read_nodes(data, node);
    count_nodes(node, pages_of);
    return outcome(are_dealt_out(pages_of) && before[0] == PAGES &&
                       moved <= (long)(bytes / HUGE_PAGE) && (moved > 0) == (form == 1),
                   "%ld huge pages moved; pages by node%s", moved, in_words(pages_of));
}

/* Pages that another process has mapped as well cannot be moved: that is told. */
static int shared(void)
{
    static int node[PAGES];
    int pages_of[NODES];
    para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
    para_pool *pool = make_pool();
    char *data =
        mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    config.placement = PARA_PLACE_NODE;
    config.node = 0;
    must(para_buffer_move(pool, data, PAGES, PAGE, &config), "placing an array");
    memset(data, 1, (size_t)PAGES * PAGE);
    int told[2];
    char byte = 0;
    if (pipe(told) != 0)
        return 1;
    const pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < PAGES; i++)
            (void)*(volatile char *)(data + i * PAGE);
        if (write(told[1], &byte, 1) == 1)
            pause();
        _exit(0);
    }
    if (read(told[0], &byte, 1) != 1)
        return 1;
    config.node = 1;
    const para_status status = para_buffer_move(pool, data, PAGES, PAGE, &config);
    read_nodes(data, node);
    count_nodes(node, pages_of);
    const char *const said = para_status_detail();
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return outcome(pages_of[0] == PAGES && status == PARA_ERR_DENIED, "%s; pages by node%s", said,
                   in_words(pages_of));
}

/* A node that is too small for an array takes a part of it: that is told as well. */
static int too_large(void)
{
    const size_t bytes = (size_t)number << 20;
    size_t bytes_of[NODES];
    para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
    para_pool *pool = make_pool();
    char *data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(data, 1, bytes);
    config.placement = PARA_PLACE_NODE;
    config.node = 1;
    const para_status status = para_buffer_move(pool, data, bytes / PAGE, PAGE, &config);
    const char *const said = para_status_detail();
    must(para_buffer_where(data, bytes, bytes_of, NODES), "asking where it lies");
    return outcome(status == PARA_ERR_DENIED && bytes_of[1] < bytes, "%s; %zu of %zu MiB are there",
                   said, bytes_of[1] >> 20, bytes >> 20);
}

/* Pages that the balancing of NUMA nodes has marked are seen. */
static int balanced(void)
{
    const size_t bytes = (size_t)64 << 20;
    static int node[PAGES];
    size_t bytes_of[NODES];
    size_t least = bytes;
    int marked = 0;
    char *const data =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)make_pool();                         /* processes of one thread are not looked at */
    for (int round = 0; round < 40; round++) { /* it looks after a second of work */
        size_t all = 0;
        for (size_t i = 0; i < bytes; i += PAGE / 16)
            ((volatile char *)data)[i]++;
        work_on(data, 100000);
        read_nodes(data, node); /* as the kernel tells it */
        for (int i = 0; i < PAGES; i++)
            marked += node[i] < 0;
        must(para_buffer_where(data, bytes, bytes_of, NODES), "asking where it lies");
        for (int n = 0; n < NODES; n++)
            all += bytes_of[n];
        least = all < least ? all : least;
    }
    return outcome(least == bytes && marked, "%zu of %zu MiB seen at least; %d pages were marked",
                   least >> 20, bytes >> 20, marked);
}

/* The pages of a buffer have that many KiB. */
static int huge(void)
{
    return huge_pages_are((para_pages)form, (size_t)number << 10);
}

/* Workers are bound to the CPUs of the list, a place each; and pages lie by slices. */
static int places(void)
{
    static int node[PAGES];
    para_pool *pool = make_pool();
    const char *wrong = check_places(list);
    if (wrong)
        return outcome(false, "%s for %s", wrong, list);
    read_nodes(make_buffer(pool, PARA_PLACE_AUTO, 0), node);
    return slices_are(node, PAGES / 100);
}

/* Workers are on all nodes with CPUs; and pages lie by slices. */
static int spread(void)
{
    static int node[PAGES];
    int workers_of[NODES];
    para_pool *pool = make_pool();
    const char *wrong = check_spread(workers_of);
    if (wrong)
        return outcome(false, "%s: workers by node%s", wrong, in_words(workers_of));
    read_nodes(make_buffer(pool, PARA_PLACE_AUTO, 0), node);
    return slices_are(node, PAGES / 100);
}

/* All pages lie on that node. */
static int on_node(void)
{
    static int node[PAGES];
    int pages_of[NODES];
    read_nodes(make_buffer(make_pool(), (para_placement)form, (unsigned)number), node);
    count_nodes(node, pages_of);
    return outcome(number < NODES && pages_of[number] == PAGES, "pages by node%s",
                   in_words(pages_of));
}

/* Of the pages of calls on all workers, or on 1/form of them, that many percent are worked on by
 * the node where they lie. The best of some calls, since the host has other work too. */
static int at_home(void)
{
    enum { CALLS = 100 };
    static int node[PAGES];
    cpu_set_t mask[THREADS];
    double worst = 100;
    double best = 0;
    para_pool *pool = make_pool();
    char *data = make_buffer(pool, PARA_PLACE_AUTO, 0);
    const unsigned workers = ((unsigned)worker_masks(mask) + (unsigned)form - 1) / (unsigned)form;
    read_nodes(data, node);
    for (int call = 0; call < CALLS && best < (double)number; call++) {
        work(pool, data, workers);
        int at_home = 0;
        for (int i = 0; i < PAGES; i++)
            at_home += memory_of(*(int *)(data + (size_t)i * PAGE)) == node[i];
        const double share = 100.0 * at_home / PAGES;
        worst = share < worst ? share : worst;
        best = share > best ? share : best;
    }
    return outcome(best >= (double)number, "%u workers: %.1f %% at home at best, %.1f at worst",
                   workers, best, worst);
}

/* Works on the pages of the nodes with even numbers only, of machines with four nodes of as many
 * workers; so the other nodes' workers go there. */
static int visit_even(const para_chunk *chunk, const void *arg)
{
    for (size_t i = 0; i < chunk->count; i++) {
        const bool is_even = (chunk->first + i) / (PAGES / 4) % 2 == 0;
        work_on((char *)chunk->out[0] + i * PAGE, is_even ? *(const long *)arg : 0);
    }
    return 0;
}

/* Workers who have nothing to do go to the nearer one of the two nodes that have work: that many
 * percent of the pages that they work on. The best of some calls. */
static int thieves(void)
{
    enum { CALLS = 100, LEAST = PAGES / 100 };
    const long us = 20;
    double best = 0;
    int most = 0;
    para_pool *pool = make_pool();
    char *data = make_buffer(pool, PARA_PLACE_AUTO, 0);
    for (int call = 0; call < CALLS && best < (double)number; call++) {
        int near = 0;
        int all = 0;
        must(para_pmap(pool, &(para_map){.kernel = visit_even,
                                         .arg = &us,
                                         .count = PAGES,
                                         .out = {{data, PAGE}},
                                         .options.executor = PARA_EXECUTOR_THREADS}),
             "a map");
        for (int i = 0; i < PAGES; i++) {
            const int owner = i / (PAGES / 4);
            const int thief = *(int *)(data + (size_t)i * PAGE);
            if (owner % 2 || thief % 2 == 0)
                continue;
            near += distance_of(thief, owner) < distance_of(thief, (owner + 2) % 4);
            all++;
        }
        if (all >= LEAST && 100.0 * near / all > best)
            best = 100.0 * near / all;
        most = all > most ? all : most;
    }
    return outcome(best >= (double)number, "%.1f %% in the nearer node at best, of up to %d pages",
                   best, most);
}

/* Each worker counts its stack's pages once. */
static int visit_stack(const para_chunk *chunk, const void *arg)
{
    static __thread bool is_counted;
    (void)arg;
    if (!is_counted && syscall(SYS_gettid) != getpid()) {
        is_counted = true;
        count_stack(chunk->out[0]);
    }
    usleep(1000); /* so that all workers come */
    return 0;
}

/* The workers' stacks lie on their nodes. */
static int stacks(void)
{
    enum { COUNT = 512 };
    static int counted[COUNT][2];
    int sum[2] = {0};
    (void)memory_of(0);
    must(para_pmap(make_pool(),
                   &(para_map){.kernel = visit_stack,
                               .count = COUNT,
                               .out = {PARA_OUT(counted)},
                               .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}),
         "a map");
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < 2; j++)
            sum[j] += counted[i][j];
    return outcome(sum[1] > 0 && 100 * sum[0] >= (int)number * sum[1], "%d of %d pages", sum[0],
                   sum[1]);
}

static int add_up(const para_chunk *chunk, void *accumulator, const void *arg)
{
    (void)arg;
    const double *in = chunk->in[0];
    double sum = *(double *)accumulator;
    for (size_t i = 0; i < chunk->count; i++)
        sum += in[i];
    *(double *)accumulator = sum;
    return 0;
}

static void join(void *into, const void *from, const void *arg)
{
    (void)arg;
    *(double *)into += *(const double *)from;
}

/* Each chunk uses its scratch, of that many bytes, and counts the pages once a call. */
static int use_scratch(const para_chunk *chunk, const void *arg)
{
    const size_t bytes = *(const size_t *)arg;
    memset(chunk->scratch, 1, bytes);
    count_pages(chunk->scratch, bytes, chunk->out[0]);
    usleep(1000); /* so that all workers come */
    return 0;
}

/* Calls that need different amounts of scratch, in turn: most of its pages lie on the node of the
 * worker that uses them. The best of some calls of each amount. */
static int scratches(void)
{
    enum { COUNT = 64, CALLS = 40, FIRST = 8 };
    static const size_t sizes[] = {50000, 9000, 210000, 30000};
    static int counted[COUNT][2];
    int best[4] = {0};
    int worst = 0;
    para_pool *pool = make_pool();
    (void)memory_of(0);
    for (int call = 0; call < CALLS && worst < number; call++) {
        int sum[2] = {0};
        memset(counted, 0, sizeof counted);
        must(para_pmap(pool,
                       &(para_map){.kernel = use_scratch,
                                   .arg = &sizes[call % 4],
                                   .count = COUNT,
                                   .out = {PARA_OUT(counted)},
                                   .scratch_bytes = sizes[call % 4],
                                   .options = {.executor = PARA_EXECUTOR_THREADS, .chunk = 1}}),
             "a map");
        for (int i = 0; i < COUNT; i++)
            for (int j = 0; j < 2; j++)
                sum[j] += counted[i][j];
        const int share = sum[1] ? 100 * sum[0] / sum[1] : 0;
        if (call >= FIRST && share > best[call % 4])
            best[call % 4] = share;
        worst = 100;
        for (int i = 0; i < 4; i++)
            worst = best[i] < worst ? best[i] : worst;
    }
    return outcome(worst >= number, "%d %% of the pages at home", worst);
}

/* A sum has the same bits on the calling thread and on all. */
static int bits(void)
{
    enum { COUNT = 1000003 };
    double *in = malloc(COUNT * sizeof *in);
    double sum[2] = {0};
    para_pool *pool = make_pool();
    for (int i = 0; in && i < COUNT; i++)
        in[i] = 1.0 / (i + 1);
    for (int i = 0; in && i < 2; i++)
        must(para_preduce(pool, &(para_reduce){.kernel = add_up,
                                               .combine = join,
                                               .count = COUNT,
                                               .in = {{in, sizeof *in}},
                                               .result = &sum[i],
                                               .result_bytes = sizeof sum[i],
                                               .options.executor = i ? PARA_EXECUTOR_THREADS
                                                                     : PARA_EXECUTOR_SERIAL}),
             "a reduction");
    free(in);
    return outcome(sum[0] > 1 && memcmp(&sum[0], &sum[1], sizeof *sum) == 0, "%a and %a", sum[0],
                   sum[1]);
}

/* Of a reduction: the node that a partial result was made on, which is 1 + that; 0: nothing is in
 * it, MIXED: it has parts of several nodes. */
enum { MIXED = -1 };

static int note_node(const para_chunk *chunk, void *accumulator, const void *arg)
{
    (void)arg;
    work_on((char *)chunk->out[0], 20);
    *(int *)accumulator = this_node() + 1;
    return 0;
}

static struct {
    _Atomic int at_home, elsewhere, mixed;
} joins;

static void note_join(void *into, const void *from, const void *arg)
{
    int *const a = into;
    const int b = *(const int *)from;
    (void)arg;
    if (*a == 0 || b == 0) {
        *a = *a ? *a : b;
        return;
    }
    if (*a != b || *a == MIXED)
        joins.mixed++;
    else if (*a == this_node() + 1)
        joins.at_home++;
    else
        joins.elsewhere++;
    *a = *a == b ? *a : MIXED;
}

/* Parts of a reduction that were made on one node are joined there: that many percent of them. The
 * best of some calls. */
static int folds(void)
{
    enum { CALLS = 100, COUNT = 2048 };
    static int node[COUNT];
    double best = 0;
    double worst = 100;
    para_pool *pool = make_pool();
    for (int call = 0; call < CALLS && best < (double)number; call++) {
        int result = 0;
        joins.at_home = joins.elsewhere = joins.mixed = 0;
        must(para_preduce(pool, &(para_reduce){.kernel = note_node,
                                               .combine = note_join,
                                               .count = COUNT,
                                               .block = 1,
                                               .out = {PARA_OUT(node)},
                                               .result = &result,
                                               .result_bytes = sizeof result,
                                               .options.executor = PARA_EXECUTOR_THREADS}),
             "a reduction");
        const int all = joins.at_home + joins.elsewhere;
        const double share = all ? 100.0 * joins.at_home / all : 0;
        best = share > best ? share : best;
        worst = share < worst ? share : worst;
    }
    return outcome(best >= (double)number,
                   "%.1f %% at home at best, %.1f at worst; %d of a node's parts, %d of several's",
                   best, worst, joins.at_home + joins.elsewhere, joins.mixed);
}

static int pins(void)
{
    return pins_after(change);
}

static int unpinned(void)
{
    return unpinned_after(change, (int)number);
}

static int pins_return(void)
{
    return change && back ? pins_return_after(number, change, back) : 2;
}

static int calls_go_on(void)
{
    return change ? calls_go_on_during(change) : 2;
}

typedef struct check {
    const char *name;
    int (*run)(void);
    int form;
} check;

static const check checks[] = {
    {"pins", pins, 0},
    {"unpinned", unpinned, 0},
    {"slices", slices, 0},
    {"interleaved", interleaved, PARA_PLACE_INTERLEAVE},
    {"floating", interleaved, PARA_PLACE_AUTO}, /* a pool whose workers are bound to nothing */
    {"on-node", on_node, PARA_PLACE_NODE},
    {"by-bandwidth", on_node, PARA_PLACE_BANDWIDTH},
    {"moved", moved, 0},
    {"moved-apart", moved_apart, 0},
    {"huge-moved-apart", moved_apart, 1},
    {"shared", shared, 0},
    {"too-large", too_large, 0},
    {"balanced", balanced, 0},
    {"pages-of-2m", huge, PARA_PAGES_2M},
    {"pages-of-1g", huge, PARA_PAGES_1G},
    {"places", places, 0},
    {"spread", spread, 0},
    {"home", at_home, 1},
    {"narrow-home", at_home, 2},
    {"thieves", thieves, 0},
    {"stacks", stacks, 0},
    {"scratch", scratches, 0},
    {"bits", bits, 0},
    {"rank", be_rank, 0},
    {"ranks", ranks, DEAL_BLOCKS},
    {"ranks-in-turn", ranks, DEAL_IN_TURN},
    {"ranks-that-overlap", ranks, DEAL_OVERLAPPING},
    {"ranks-of-one-cpu", ranks, DEAL_ONE_CPU},
    {"folds", folds, 0},
    {"pins-return", pins_return, 0},
    {"calls-go-on", calls_go_on, 0},
};

int main(int argc, char **argv)
{
    list = argc > 2 ? argv[2] : "";
    number = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    change = argc > 3 ? argv[3] : NULL;
    back = argc > 4 ? argv[4] : NULL;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && argc > 1; i++) {
        form = checks[i].form;
        if (strcmp(checks[i].name, argv[1]) == 0)
            return checks[i].run();
    }
    fprintf(stderr, "usage: numa_check NAME [NUMBER|PLACES] [COMMAND [COMMAND]]\n");
    return 2;
}

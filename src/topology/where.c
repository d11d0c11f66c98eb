/* Where pages of memory lie, and moving those that exist. The system is asked about each page by
 * move_pages, in batches.
 *
 * The balancing of NUMA systems marks pages to see which node uses them next. Until that happens
 * move_pages takes a marked page for one that does not exist (seen of Linux 6.1). If a page is said
 * not to exist but is in memory, the system is asked to read a byte of it, which takes the mark
 * off. */
#include "topology/topology.h"

#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGES = 256 }; /* in a batch */

typedef struct batch {
    void *page[PAGES];
    int node[PAGES]; /* where it lies, or -errno */
    size_t count;
} batch;

/* Takes the mark off a page, if it has one. */
static bool unmark(void *page)
{
    unsigned char in_memory = 0;
    char byte;
    const struct iovec own = {&byte, 1}, marked = {page, 1};
    return mincore(page, 1, &in_memory) == 0 && in_memory & 1 &&
           process_vm_readv(getpid(), &own, 1, &marked, 1, 0) == 1;
}

static bool ask(batch *b, const int *target)
{
    return syscall(SYS_move_pages, 0, b->count, b->page, target, b->node,
                   target ? MPOL_MF_MOVE : 0) >= 0;
}

/* Asks where the pages of a batch lie; with a target for each, after they were moved there. */
static bool ask_of_all(batch *b, const int *target)
{
    if (!ask(b, target))
        return false;
    batch marked = {.count = 0};
    int marked_target[PAGES];
    size_t index[PAGES];
    for (size_t i = 0; i < b->count; i++) {
        const bool seems_absent = b->node[i] == -ENOENT || b->node[i] == -EFAULT; /* huge ones */
        if (!seems_absent || !unmark(b->page[i]))
            continue;
        index[marked.count] = i;
        marked_target[marked.count] = target ? target[i] : 0;
        marked.page[marked.count++] = b->page[i];
    }
    if (marked.count && !ask(&marked, target ? marked_target : NULL))
        return false;
    for (size_t i = 0; i < marked.count; i++)
        b->node[index[i]] = marked.node[i];
    return true;
}

/* The next pages of [*at, end). */
static void fill(batch *b, uintptr_t *at, uintptr_t end)
{
    const size_t page = para__page_bytes();
    for (b->count = 0; b->count < PAGES && *at < end; *at += page)
        b->page[b->count++] = (void *)*at; /* NOLINT(performance-no-int-to-ptr): its address */
}

static para_status cannot_ask(int saved)
{
    const int error = errno;
    errno = saved;
    return para__fail(error == ENOSYS ? PARA_ERR_UNSUPPORTED : PARA_ERR_DENIED,
                      "asking where pages lie: %s", strerror(error));
}

para_status para__memory_where(const void *data, size_t bytes, size_t *bytes_of, unsigned nodes)
{
    const size_t page = para__page_bytes();
    const uintptr_t begin = (uintptr_t)data, end = begin + bytes;
    const int saved = errno;
    memset(bytes_of, 0, nodes * sizeof *bytes_of);
    for (uintptr_t at = begin & ~(uintptr_t)(page - 1); at < end;) {
        batch b;
        fill(&b, &at, end);
        if (!ask_of_all(&b, NULL))
            return cannot_ask(saved);
        for (size_t i = 0; i < b.count; i++) {
            const uintptr_t low = para__max((uintptr_t)b.page[i], begin);
            const uintptr_t high = para__min((uintptr_t)b.page[i] + page, end);
            if (b.node[i] >= 0 && (unsigned)b.node[i] < nodes)
                bytes_of[b.node[i]] += high - low;
        }
    }
    errno = saved;
    return PARA_OK;
}

para_status para__memory_check(const void *data, size_t bytes, unsigned node)
{
    size_t bytes_of[PARA__NODES_MAX];
    size_t all = 0;
    const para_status status = para__memory_where(data, bytes, bytes_of, PARA__NODES_MAX);
    for (unsigned n = 0; n < PARA__NODES_MAX && !status; n++)
        all += bytes_of[n];
    if (status || (node < PARA__NODES_MAX && bytes_of[node] == all))
        return status;
    return para__fail(PARA_ERR_DENIED, "%zu KiB of %zu could not be moved to node %u",
                      (all - (node < PARA__NODES_MAX ? bytes_of[node] : 0)) / 1024, all / 1024,
                      node);
}

/* Pages of 4 KiB in turn, and huge pages in turn, which move as a whole with their first one. */
static unsigned turn_of_page(uintptr_t page)
{
    return (unsigned)(page / para__page_bytes() + page / PARA__HUGE_PAGE_BYTES);
}

para_status para__memory_spread(void *memory, size_t bytes, const para__cpus *nodes)
{
    const int saved = errno;
    const uintptr_t end = (uintptr_t)memory + bytes;
    int node[PARA__CPUS_MAX];
    unsigned count = 0;
    size_t stayed = 0;
    for (unsigned n = 0; n < PARA__CPUS_MAX; n++)
        if (para__cpus_has(nodes, n))
            node[count++] = (int)n;
    for (uintptr_t at = (uintptr_t)memory; at < end && count;) {
        batch b;
        int target[PAGES];
        fill(&b, &at, end);
        for (size_t i = 0; i < b.count; i++)
            target[i] = node[turn_of_page((uintptr_t)b.page[i]) % count];
        if (!ask_of_all(&b, target))
            return cannot_ask(saved);
        for (size_t i = 0; i < b.count; i++)
            stayed += b.node[i] == -EACCES || b.node[i] == -EPERM || b.node[i] == -ENOMEM;
    }
    errno = saved;
    if (stayed == 0)
        return PARA_OK;
    return para__fail(PARA_ERR_DENIED, "%zu pages could not be moved", stayed);
}

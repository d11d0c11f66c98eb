#define _GNU_SOURCE
#include "pages.h"

#include "kernel.h"
#include "steps.h"

#include <stdlib.h>

int slices_are(const int node[PAGES], int few)
{
    int pages_of[NODES];
    int workers_of[NODES] = {0};
    cpu_set_t mask[THREADS];
    count_nodes(node, pages_of);
    int workers = worker_masks(mask);
    if (workers == 0) { /* the main thread is the only one */
        workers = 1;
        sched_getaffinity(0, sizeof mask[0], &mask[0]);
    }
    int changes = 0;
    int used = 0;
    bool in_proportion = true;
    for (int n = 0; n < NODES; n++) {
        const cpu_set_t cpus = cpus_of_node(n);
        for (int w = 0; w < workers; w++) {
            cpu_set_t common;
            CPU_AND(&common, &cpus, &mask[w]);
            if (CPU_EQUAL(&common, &mask[w]))
                workers_of[memory_of(n)]++;
        }
    }
    for (int n = 0; n < NODES; n++) {
        const int due = PAGES * workers_of[n] / workers;
        in_proportion &= abs(pages_of[n] - due) <= few;
        used += pages_of[n] > 0;
    }
    for (int i = 1; i < PAGES; i++)
        changes += node[i] != node[i - 1];
    return outcome(in_proportion && changes == used - 1, "%d workers, pages by node%s, %d runs",
                   workers, in_words(pages_of), changes + 1);
}

int huge_pages_are(para_pages asked, size_t bytes)
{
    static int node[PAGES];
    para_buffer *buffer = NULL;
    para_buffer_info info = {.size = sizeof info};
    para_buffer_config config = PARA_BUFFER_CONFIG_INIT;
    config.pages = asked;
    must(para_buffer_create(&buffer, make_pool(), PAGES, PAGE, &config), "making a buffer");
    must(para_buffer_get_info(buffer, &info), "asking the buffer");
    const mapping found = mapping_of(para_buffer_data(buffer), (size_t)PAGES * PAGE);
    const size_t reserved = bytes == PAGE ? 0 : (size_t)PAGES * PAGE;
    if (found.page_bytes != bytes || info.page_bytes != bytes || info.place_status ||
        (reserved ? found.reserved_bytes < reserved : found.reserved_bytes > 0))
        return outcome(false, "pages of %zu bytes, %zu bytes on reserved ones; para said %zu, %s",
                       found.page_bytes, found.reserved_bytes, info.page_bytes,
                       para_status_text(info.place_status));
    read_nodes(para_buffer_data(buffer), node);
    if (bytes < (size_t)PAGES * PAGE)
        return slices_are(node, HUGE_PAGE / PAGE);
    int pages_of[NODES];
    count_nodes(node, pages_of);
    return outcome(node[0] >= 0 && pages_of[node[0]] == PAGES,
                   "a page of %zu bytes on node %d, %zu bytes reserved for it", found.page_bytes,
                   node[0], found.reserved_bytes);
}

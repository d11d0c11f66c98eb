/* The drawing is para's own view of the machine, with the workers on it, which hwloc's lstopo does
 * not know. hwloc's library draws nothing.
 *
 * All nodes have one size, and so have all domains and all cores, so that they stand in line. Sizes
 * are in px. */
#include "cli/drawing.h"

#include "base/bounds.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARGIN = 16,
    GAP = 6,           /* between boxes of one kind */
    CORE_PAD = 3,      /* from a core's border to its threads */
    TITLE_HEIGHT = 20, /* of a node or a domain */
    CPU_HEIGHT = 28,
    LINE_HEIGHT = 18,
    SWATCH = 12,
    TABLE_CELL_WIDTH = 34,
    TABLE_CELL_HEIGHT = 20
};

/* An upper bound of the width of a text: fonts differ. */
static unsigned text_width(size_t characters, unsigned font_px)
{
    return (unsigned)(0.62 * (double)characters * font_px) + 1;
}

typedef struct grid {
    unsigned columns, rows;
    unsigned width, height; /* of one box */
} grid;

/* Where box number i stands, from the grid's corner. */
static unsigned grid_x(const grid *g, unsigned i)
{
    return i % g->columns * (g->width + GAP);
}

static unsigned grid_y(const grid *g, unsigned i)
{
    return i / g->columns * (g->height + GAP);
}

static unsigned grid_width(const grid *g)
{
    return g->columns * (g->width + GAP) - GAP;
}

static unsigned grid_height(const grid *g)
{
    return g->rows * (g->height + GAP) - GAP;
}

/* So many boxes, about 1.4 times as wide as high, or as wide as there is room for anyway; full rows
 * if that is near. */
static grid grid_of(unsigned boxes, unsigned width, unsigned height, unsigned room)
{
    const unsigned even = (unsigned)lround(sqrt(1.4 * boxes * height / width));
    const unsigned ideal = para__max(even, (room + GAP) / (width + GAP));
    const unsigned least = para__min(para__max(ideal, 1), para__max(boxes, 1));
    unsigned columns = least;
    while (columns < boxes && columns < least + least / 2 && boxes % columns != 0)
        columns++;
    if (boxes % columns != 0)
        columns = least;
    return (grid){columns, para__max((boxes + columns - 1) / columns, 1), width, height};
}

/* What stands where. */
typedef struct layout {
    const para__view *view;
    unsigned *worker;         /* [machine.cpus]: workers placed there */
    unsigned *first_worker;   /* [machine.cpus]: the first of these */
    unsigned *domain_in_node; /* [machine.domains]: its number within its node */
    unsigned *core_in_domain; /* [machine.cores] */
    unsigned *node_of_domain; /* [machine.domains]: a place in view->node */
    unsigned threads;         /* of a core, at most */
    unsigned placed;          /* workers with a CPU of their own */
    unsigned cpu_width;
    bool boxes_domains; /* some node has several */
    grid cores, domains, nodes;
    unsigned top, width, height;
} layout;

static bool layout_begin(layout *l)
{
    const para_topology_info *const m = &l->view->machine;
    l->worker = calloc(m->cpus, sizeof *l->worker);
    l->first_worker = calloc(m->cpus, sizeof *l->first_worker);
    l->domain_in_node = calloc(m->domains, sizeof *l->domain_in_node);
    l->node_of_domain = calloc(m->domains, sizeof *l->node_of_domain);
    l->core_in_domain = calloc(m->cores, sizeof *l->core_in_domain);
    return l->worker && l->first_worker && l->domain_in_node && l->node_of_domain &&
           l->core_in_domain;
}

static void layout_end(layout *l)
{
    free(l->worker);
    free(l->first_worker);
    free(l->domain_in_node);
    free(l->node_of_domain);
    free(l->core_in_domain);
}

static unsigned node_place(const para__view *view, unsigned os_index)
{
    for (unsigned i = 0; i < view->machine.nodes; i++)
        if (view->node[i].os_index == os_index)
            return i;
    return 0;
}

static void place_workers(layout *l)
{
    for (unsigned w = l->view->pool.workers; w-- > 0;) {
        const unsigned at = para__view_place(l->view, w);
        if (at == l->view->machine.cpus)
            continue;
        l->worker[at]++;
        l->first_worker[at] = w;
        l->placed++;
    }
}

/* Numbers domains within nodes and cores within domains; returns the most of either. */
static bool number_parts(layout *l, unsigned *domains_most, unsigned *cores_most)
{
    const para_topology_info *const m = &l->view->machine;
    unsigned *const cores = calloc(m->domains, sizeof *cores);
    unsigned *const domains = calloc(m->nodes + 1ul, sizeof *domains);
    *domains_most = *cores_most = 1;
    for (unsigned i = 0; cores && domains && i < m->cpus; i++) {
        const para_cpu_info *const cpu = &l->view->cpu[i];
        l->threads = para__max(l->threads, cpu->sibling + 1);
        if (cpu->sibling > 0)
            continue;
        const unsigned node = node_place(l->view, cpu->numa_node);
        if (cores[cpu->domain] == 0) {
            l->node_of_domain[cpu->domain] = node;
            l->domain_in_node[cpu->domain] = domains[node]++;
        }
        l->core_in_domain[cpu->core] = cores[cpu->domain]++;
        *domains_most = para__max(*domains_most, domains[node]);
        *cores_most = para__max(*cores_most, cores[cpu->domain]);
    }
    const bool done = cores && domains;
    free(cores);
    free(domains);
    return done;
}

static size_t digits(unsigned number)
{
    return number < 10 ? 1 : 1 + digits(number / 10);
}

/* A worker's label: "w3", or "w3+1" with another one on the same CPU. */
static void label_worker(const layout *l, unsigned cpu, char text[static 32])
{
    const unsigned more = l->worker[cpu] - 1;
    snprintf(text, 32, more ? "w%u+%u" : "w%u", l->first_worker[cpu], more);
}

static void size_boxes(layout *l, unsigned domains_most, unsigned cores_most)
{
    const para_topology_info *const m = &l->view->machine;
    size_t characters = 2;
    for (unsigned i = 0; i < m->cpus; i++) {
        char label[32] = "";
        if (l->worker[i])
            label_worker(l, i, label);
        characters = para__max(characters, digits(l->view->cpu[i].os_index));
        characters = para__max(characters, strlen(label));
    }
    l->cpu_width = text_width(characters, 10) + 8;
    l->cores =
        grid_of(cores_most, l->threads * l->cpu_width + 2 * CORE_PAD, CPU_HEIGHT + 2 * CORE_PAD,
                domains_most > 1 ? text_width(13, 10) : text_width(22, 12));
    l->boxes_domains = domains_most > 1;
    const unsigned border = l->boxes_domains ? 2 * GAP : 0;
    const unsigned domain_width = para__max(grid_width(&l->cores) + border,
                                            l->boxes_domains ? text_width(13, 10) + border : 0);
    const unsigned domain_height =
        grid_height(&l->cores) + (l->boxes_domains ? TITLE_HEIGHT + GAP : 0);
    l->domains = grid_of(domains_most, domain_width, domain_height, text_width(22, 12));
    const unsigned node_width = para__max(grid_width(&l->domains), text_width(22, 12)) + 2 * GAP;
    l->nodes = grid_of(m->nodes, node_width, grid_height(&l->domains) + TITLE_HEIGHT + 2 * GAP, 0);
}

/* ---- Writing ------------------------------------------------------------------------- */

static void box(FILE *to, const char *kind, unsigned x, unsigned y, unsigned width, unsigned height)
{
    fprintf(to, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"3\"/>\n",
            kind, x, y, width, height);
}

__attribute__((format(printf, 5, 6))) static void text(FILE *to, const char *kind, unsigned x,
                                                       unsigned y, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(to, "<text class=\"%s\" x=\"%u\" y=\"%u\">", kind, x, y);
    vfprintf(to, format, arguments);
    fputs("</text>\n", to);
    va_end(arguments);
}

static const char style[] =
    "<style>\n"
    "text { font-family: Helvetica, Arial, 'DejaVu Sans', sans-serif; font-size: 11px; "
    "fill: #222 }\n"
    ".head { font-size: 14px; font-weight: bold }\n"
    ".title { font-size: 12px; font-weight: bold }\n"
    ".small { font-size: 10px; fill: #555 }\n"
    ".number, .on, .planned { font-size: 10px; text-anchor: middle }\n"
    ".number { fill: #555 }\n"
    ".on { fill: #fff }\n"
    ".worker { font-weight: bold }\n"
    ".center { text-anchor: middle }\n"
    "rect { stroke-width: 1 }\n"
    ".paper { fill: #fff }\n"
    ".node { fill: #f3f4f6; stroke: #6b7280 }\n"
    ".domain { fill: #fff; stroke: #9ca3af }\n"
    ".core, .kind { fill: #e2e8f0; stroke: #94a3b8 }\n"
    ".slow { fill: #fdecc8; stroke: #d0a24c }\n"
    ".cpu { fill: #fff; stroke: #94a3b8 }\n"
    ".busy { fill: #1d4f91; stroke: #1d4f91 }\n"
    ".plan { fill: #bcd3ef; stroke: #5b86bd }\n"
    ".cell { stroke: #fff }\n"
    "</style>\n";

static const char *cpu_kind(const layout *l, unsigned cpu)
{
    return l->worker[cpu] == 0 ? "cpu" : l->view->machine.this_system ? "cpu busy" : "cpu plan";
}

static void draw_cpu(FILE *to, const layout *l, unsigned cpu, unsigned x, unsigned y)
{
    const bool is_on = l->worker[cpu] > 0 && l->view->machine.this_system;
    const unsigned middle = x + l->cpu_width / 2;
    box(to, cpu_kind(l, cpu), x, y, l->cpu_width, CPU_HEIGHT);
    text(to, is_on ? "on" : "number", middle, y + 11, "%u", l->view->cpu[cpu].os_index);
    if (l->worker[cpu]) {
        char label[32];
        label_worker(l, cpu, label);
        text(to, is_on ? "on worker" : "planned worker", middle, y + 23, "%s", label);
    }
}

/* The corner of a domain's cores. */
static void find_domain(const layout *l, unsigned domain, unsigned *x, unsigned *y)
{
    const unsigned node = l->node_of_domain[domain];
    const unsigned place = l->domain_in_node[domain];
    *x = MARGIN + grid_x(&l->nodes, node) + GAP + grid_x(&l->domains, place);
    *y = l->top + grid_y(&l->nodes, node) + TITLE_HEIGHT + GAP + grid_y(&l->domains, place);
}

static void draw_nodes(FILE *to, const layout *l)
{
    for (unsigned i = 0; i < l->view->machine.nodes; i++) {
        const para_node_info *const node = &l->view->node[i];
        const unsigned x = MARGIN + grid_x(&l->nodes, i);
        const unsigned y = l->top + grid_y(&l->nodes, i);
        const char *const memory = !node->memory_known  ? "memory unknown"
                                   : node->memory_bytes ? para__view_bytes(node->memory_bytes).text
                                                        : "no memory";
        box(to, "node", x, y, l->nodes.width, l->nodes.height);
        text(to, "title", x + GAP, y + 15, "node %u", node->os_index);
        fprintf(to, "<text class=\"small\" text-anchor=\"end\" x=\"%u\" y=\"%u\">%s</text>\n",
                x + l->nodes.width - GAP, y + 15, memory);
        if (node->cpus == 0)
            text(to, "small", x + GAP, y + TITLE_HEIGHT + 16, "no CPU of the process");
    }
}

static void draw_domains(FILE *to, const layout *l)
{
    for (unsigned i = 0; i < l->view->machine.domains && l->boxes_domains; i++) {
        unsigned x;
        unsigned y;
        find_domain(l, i, &x, &y);
        box(to, "domain", x, y, l->domains.width, l->domains.height);
        text(to, "small", x + GAP, y + 14, "domain %u (L3)", i);
    }
}

static void draw_cores(FILE *to, const layout *l)
{
    const unsigned border = l->boxes_domains ? GAP : 0;
    for (unsigned i = 0; i < l->view->machine.cpus; i++) {
        const para_cpu_info *const cpu = &l->view->cpu[i];
        const unsigned place = l->core_in_domain[cpu->core];
        unsigned x;
        unsigned y;
        find_domain(l, cpu->domain, &x, &y);
        x += border + grid_x(&l->cores, place);
        y += (l->boxes_domains ? TITLE_HEIGHT : 0) + grid_y(&l->cores, place);
        if (cpu->sibling == 0)
            box(to, cpu->kind + 1 < l->view->machine.core_kinds ? "core slow" : "core", x, y,
                l->cores.width, l->cores.height);
        draw_cpu(to, l, i, x + CORE_PAD + cpu->sibling * l->cpu_width, y + CORE_PAD);
    }
}

/* Distances as a table, the further the darker. */
static void draw_distances(FILE *to, const layout *l, unsigned y)
{
    const unsigned nodes = l->view->machine.nodes;
    unsigned most = 11;
    text(to, "title", MARGIN, y + 13, "distance");
    if (!l->view->has_distances) {
        text(to, "small", MARGIN + 70, y + 13, "unknown");
        return;
    }
    text(to, "small", MARGIN + 70, y + 13, "from a row's node to a column's memory");
    for (unsigned i = 0; i < nodes * nodes; i++)
        most = para__max(most, l->view->distance[i]);
    y += TITLE_HEIGHT;
    for (unsigned i = 0; i <= nodes; i++) {
        const unsigned row_y = y + i * TABLE_CELL_HEIGHT;
        for (unsigned k = 0; k <= nodes; k++) {
            const unsigned x = MARGIN + k * TABLE_CELL_WIDTH;
            const unsigned middle = x + TABLE_CELL_WIDTH / 2;
            if (i == 0 || k == 0) {
                if (i + k > 0)
                    text(to, "title center", middle, row_y + 14, "%u",
                         l->view->node[i + k - 1].os_index);
                continue;
            }
            const unsigned distance = para__view_distance(l->view, i - 1, k - 1);
            const unsigned light = 250 - 90 * (distance > 10 ? distance - 10 : 0) / (most - 10);
            fprintf(to,
                    "<rect class=\"cell\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" "
                    "fill=\"rgb(%u,%u,250)\"/>\n",
                    x, row_y, TABLE_CELL_WIDTH, TABLE_CELL_HEIGHT, light, light);
            if (distance)
                text(to, "center", middle, row_y + 14, "%u", distance);
            else
                text(to, "center", middle, row_y + 14, "?");
        }
    }
}

typedef struct text_line {
    char text[160];
} text_line;

static text_line head_line(const para_topology_info *m)
{
    text_line made;
    snprintf(made.text, sizeof made.text, "%u core%s, %u hardware thread%s, %u NUMA node%s",
             m->cores, m->cores == 1 ? "" : "s", m->cpus, m->cpus == 1 ? "" : "s", m->nodes,
             m->nodes == 1 ? "" : "s");
    return made;
}

static text_line cache_line(const para_topology_info *m)
{
    const size_t bytes[] = {m->l1_bytes, m->l2_bytes, m->l3_bytes};
    text_line made = {"caches of the first core:"};
    for (int i = 0; i < 3; i++) {
        const size_t used = strlen(made.text);
        snprintf(made.text + used, sizeof made.text - used, "%s L%d %s", i ? "," : "", i + 1,
                 bytes[i] ? para__view_bytes(bytes[i]).text : "unknown");
    }
    return made;
}

static text_line pool_line(const layout *l)
{
    const para_pool_info *const p = &l->view->pool;
    const char *const how = !l->view->machine.this_system && l->placed ? ", where they would run"
                            : p->pinned == 0                           ? ", not pinned"
                            : p->pinned < p->workers                   ? ", some of them pinned"
                            : l->placed < p->workers                   ? ", each bound to a domain"
                                                                       : ", each pinned";
    text_line made;
    snprintf(made.text, sizeof made.text, "%u worker%s (w)%s", p->workers,
             p->workers == 1 ? "" : "s", how);
    return made;
}

/* A sample and what it stands for; returns where the next one begins. */
static unsigned draw_key(FILE *to, const char *kind, const char *meaning, unsigned x, unsigned y)
{
    box(to, kind, x, y + 3, SWATCH, SWATCH);
    text(to, "small", x + SWATCH + 5, y + 13, "%s", meaning);
    return x + SWATCH + 5 + text_width(strlen(meaning), 10) + 12;
}

static unsigned draw_keys(FILE *to, const layout *l, unsigned y)
{
    const bool is_real = l->view->machine.this_system;
    unsigned x = MARGIN;
    x = draw_key(to, "kind", l->view->machine.core_kinds > 1 ? "fast core" : "core", x, y);
    if (l->view->machine.core_kinds > 1)
        x = draw_key(to, "kind slow", "slower core", x, y);
    x = draw_key(to, "key cpu", "hardware thread", x, y);
    if (l->placed)
        x = draw_key(to, is_real ? "key busy" : "key plan", "with a worker", x, y);
    return x;
}

bool para__drawing_write(FILE *to, const para__view *view)
{
    layout l = {.view = view, .threads = 1};
    unsigned domains_most;
    unsigned cores_most;
    const bool done = layout_begin(&l) && number_parts(&l, &domains_most, &cores_most);
    if (done) {
        const text_line head = head_line(&view->machine);
        const text_line caches = cache_line(&view->machine);
        place_workers(&l);
        size_boxes(&l, domains_most, cores_most);
        const text_line pool = pool_line(&l);
        const unsigned nodes = view->machine.nodes;
        const unsigned table =
            nodes < 2 ? 0
                      : TITLE_HEIGHT + (view->has_distances ? nodes + 1 : 0) * TABLE_CELL_HEIGHT;
        l.top = MARGIN + 4 * LINE_HEIGHT + GAP;
        l.height = l.top + grid_height(&l.nodes) + MARGIN + (table ? table + MARGIN : 0);
        unsigned content = para__max(grid_width(&l.nodes), text_width(strlen(head.text), 14));
        content = para__max(content, text_width(strlen(caches.text), 11));
        content = para__max(content, text_width(60, 10)); /* the keys, the table's title */
        content = para__max(content, nodes > 1 ? (nodes + 1) * TABLE_CELL_WIDTH : 0);
        l.width = content + 2 * MARGIN;
        fprintf(to,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
                "viewBox=\"0 0 %u %u\">\n<title>%s</title>\n%s",
                l.width, l.height, l.width, l.height, head.text, style);
        fprintf(to, "<rect class=\"paper\" width=\"%u\" height=\"%u\"/>\n", l.width, l.height);
        text(to, "head", MARGIN, MARGIN + 13, "%s", head.text);
        text(to, "small", MARGIN, MARGIN + LINE_HEIGHT + 13, "%s", caches.text);
        text(to, "small", MARGIN, MARGIN + 2 * LINE_HEIGHT + 13, "%s", pool.text);
        draw_keys(to, &l, MARGIN + 3 * LINE_HEIGHT);
        draw_nodes(to, &l);
        draw_domains(to, &l);
        draw_cores(to, &l);
        if (table)
            draw_distances(to, &l, l.top + grid_height(&l.nodes) + MARGIN);
        fputs("</svg>\n", to);
    }
    layout_end(&l);
    return done;
}

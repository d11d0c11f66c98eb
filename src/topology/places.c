#include "topology/places.h"

#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the text is read into. It is read twice: to check it and to count, and into the memory that
 * is needed then. */
typedef struct place_reader {
    const char *at;
    para__cpus *place, *excluded; /* [places], [exclusions]; NULL: they are only counted */
    unsigned places, exclusions;
} place_reader;

/* ---- Words ----------------------------------------------------------------------------- */

/* Whether the character is next; takes it, and the blanks around it. */
static bool take_sign(place_reader *r, char sign)
{
    r->at += strspn(r->at, " \t");
    if (*r->at != sign)
        return false;
    r->at += 1 + strspn(r->at + 1, " \t");
    return true;
}

/* Takes a number from `least` to PARA__CPUS_MAX. */
static bool take_integer(place_reader *r, long least, long *number)
{
    char *end = NULL;
    const int saved = errno;
    r->at += strspn(r->at, " \t");
    const bool is_number = isdigit((unsigned char)r->at[*r->at == '-']);
    *number = strtol(r->at, &end, 10); /* one that is too large is the largest */
    errno = saved;
    r->at = end;
    return is_number && *number >= least && *number <= PARA__CPUS_MAX;
}

/* Takes `:length` and `:length:stride`, where they are there. */
static bool take_interval(place_reader *r, long *length, long *stride)
{
    *length = *stride = 1;
    return !take_sign(r, ':') || (take_integer(r, 1, length) &&
                                  (!take_sign(r, ':') || take_integer(r, -PARA__CPUS_MAX, stride)));
}

/* ---- Lists of places --------------------------------------------------------------------- */

/* Adds CPUs to a set; whether they have numbers that a system could have. */
static bool add_cpus(para__cpus *set, long first, long length, long stride)
{
    const long last = first + (length - 1) * stride;
    if (first < 0 || last < 0 || first >= PARA__CPUS_MAX || last >= PARA__CPUS_MAX)
        return false;
    for (long i = 0; i < length; i++)
        para__cpus_add(set, (unsigned)(first + i * stride));
    return true;
}

static void take_away(para__cpus *set, const para__cpus *away)
{
    for (size_t i = 0; i < sizeof set->word / sizeof set->word[0]; i++)
        set->word[i] &= ~away->word[i];
}

/* A number, or CPUs in braces. */
static bool take_place(place_reader *r, para__cpus *set)
{
    para__cpus excluded = {{0}};
    long first = 0;
    long length = 1;
    long stride = 1;
    *set = (para__cpus){{0}};
    if (!take_sign(r, '{'))
        return take_integer(r, 0, &first) && add_cpus(set, first, 1, 1);
    do {
        const bool is_excluded = take_sign(r, '!');
        if (!take_integer(r, 0, &first) || (!is_excluded && !take_interval(r, &length, &stride)))
            return false;
        if (!add_cpus(is_excluded ? &excluded : set, first, is_excluded ? 1 : length, stride))
            return false;
    } while (take_sign(r, ','));
    take_away(set, &excluded);
    return take_sign(r, '}');
}

/* The set with all numbers larger by `distance`; whether these are numbers of CPUs. */
static bool move_place(const para__cpus *set, long distance, para__cpus *moved)
{
    *moved = (para__cpus){{0}};
    for (unsigned cpu = 0; cpu < PARA__CPUS_MAX; cpu++)
        if (para__cpus_has(set, cpu) && !add_cpus(moved, (long)cpu + distance, 1, 1))
            return false;
    return true;
}

static bool take_places(place_reader *r)
{
    para__cpus first;
    long length = 1;
    long stride = 1;
    const bool is_excluded = take_sign(r, '!');
    if (!take_place(r, &first) || (!is_excluded && !take_interval(r, &length, &stride)))
        return false;
    for (long i = 0; i < length; i++) {
        para__cpus moved;
        if (!move_place(&first, i * stride, &moved) || r->places > PARA__CPUS_MAX)
            return false;
        unsigned *const count = is_excluded ? &r->exclusions : &r->places;
        para__cpus *const set = is_excluded ? r->excluded : r->place;
        if (set)
            set[*count] = moved;
        ++*count;
    }
    return true;
}

static bool take_list(place_reader *r)
{
    do {
        if (!take_places(r))
            return false;
    } while (take_sign(r, ','));
    return *r->at == '\0';
}

/* Keeps the places that nothing excludes, and of them the CPUs that the machine has. */
static void keep_usable(para__places *places, const place_reader *r, const para__machine *machine)
{
    para__cpus absent;
    memset(&absent, 0xff, sizeof absent);
    for (unsigned i = 0; i < machine->cpu_count; i++) {
        const unsigned cpu = machine->cpu[i].os_index;
        absent.word[cpu / 64] &= ~(UINT64_C(1) << cpu % 64);
    }
    for (unsigned i = 0; i < r->places; i++) {
        bool is_excluded = false;
        for (unsigned j = 0; j < r->exclusions && !is_excluded; j++)
            is_excluded = para__cpus_equal(&r->place[i], &r->excluded[j]);
        if (is_excluded)
            continue;
        para__cpus usable = r->place[i];
        take_away(&usable, &absent);
        if (para__cpus_count(&usable))
            places->place[places->count++] = usable;
        else
            places->dropped++;
    }
}

static para__places *make_list(const para__machine *machine, const char *text,
                               const place_reader *counted)
{
    const size_t sets = counted->places + counted->exclusions;
    para__cpus *const set = para__alloc(sets * sizeof *set);
    para__places *const made = para__alloc(sizeof *made + counted->places * sizeof *made->place);
    if (set && made) {
        place_reader r = {.at = text, .place = set, .excluded = set + counted->places};
        (void)take_list(&r); /* it has been checked */
        keep_usable(made, &r, machine);
    }
    if (!set) {
        para__free(made);
        return NULL;
    }
    para__free(set);
    return made;
}

/* ---- Abstract names ---------------------------------------------------------------------- */

static const struct place_name {
    const char *word;
    para__level group;
} place_names[] = {{"threads", PARA__LEVEL_THREAD},
                   {"cores", PARA__LEVEL_CORE},
                   {"ll_caches", PARA__LEVEL_CACHE},
                   {"numa_domains", PARA__LEVEL_NODE},
                   {"sockets", PARA__LEVEL_SOCKET}};

/* A name, perhaps with a number of places in parentheses. */
static bool take_name(const char *text, para__level *group, long *count)
{
    place_reader r = {.at = text + strspn(text, " \t")};
    const size_t length = strspn(r.at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    const struct place_name *found = NULL;
    for (size_t i = 0; i < sizeof place_names / sizeof place_names[0]; i++)
        if (strlen(place_names[i].word) == length &&
            strncasecmp(r.at, place_names[i].word, length) == 0)
            found = &place_names[i];
    if (!found)
        return false;
    *group = found->group;
    *count = PARA__CPUS_MAX;
    r.at += length;
    if (take_sign(&r, '(') && !(take_integer(&r, 1, count) && take_sign(&r, ')')))
        return false;
    return r.at[strspn(r.at, " \t")] == '\0';
}

/* Puts the CPU into the place of its group, or begins one. */
static void add_to_group(para__places *places, unsigned *group_of, unsigned group, unsigned cpu,
                         unsigned most)
{
    unsigned place = 0;
    while (place < places->count && group_of[place] != group)
        place++;
    if (place == most)
        return;
    if (place == places->count)
        group_of[places->count++] = group;
    para__cpus_add(&places->place[place], cpu);
}

/* Places stand in the order in which pools use CPUs: fast cores first, domain by domain; threads
 * stand core by core. */
static para_status make_groups(para__places **places, const para__machine *machine,
                               para__level group, unsigned most)
{
    const unsigned cpus = machine->cpu_count;
    most = para__min(most, cpus);
    para__places *const made = para__alloc(sizeof *made + most * sizeof *made->place);
    unsigned *const group_of = para__alloc(2 * (size_t)cpus * sizeof *group_of);
    para_status status = made && group_of ? PARA_OK : para__fail(PARA_ERR_MEMORY, NULL);
    unsigned *const group_of_cpu = group_of + cpus; /* behind those of the places */
    if (!status)
        status = para__machine_group(machine, group, group_of_cpu);
    for (unsigned i = 0; i < machine->info.cores && !status; i++)
        for (unsigned j = i; j < cpus; j++)
            if (machine->cpu[j].core == machine->cpu[i].core)
                add_to_group(made, group_of, group_of_cpu[j], machine->cpu[j].os_index, most);
    para__free(group_of);
    if (status)
        para__free(made);
    else
        *places = made;
    return status;
}

/* ---- All of it --------------------------------------------------------------------------- */

para_status para__places_make(para__places **places, const para__machine *machine, const char *text,
                              const char **expected)
{
    place_reader counted = {.at = text};
    para__level group = PARA__LEVEL_THREAD;
    long count = 0;
    const bool is_name = take_name(text, &group, &count);
    *expected = "places, such as {0:4},{4:4} or {0:4}:2:4, or threads, cores, ll_caches, "
                "numa_domains or sockets";
    if (!is_name && !take_list(&counted))
        return PARA_ERR_ARGUMENT;
    if (!machine)
        return PARA_OK;
    if (is_name)
        return make_groups(places, machine, group, (unsigned)count);
    para__places *const made = make_list(machine, text, &counted);
    if (!made)
        return para__fail(PARA_ERR_MEMORY, NULL);
    if (made->count == 0) {
        para__free(made);
        *expected = "a place with a CPU that the process may use";
        return PARA_ERR_ARGUMENT;
    }
    *places = made;
    return PARA_OK;
}

unsigned para__places_workers(const para__places *places, unsigned used,
                              const para__machine *machine)
{
    unsigned cores = 0, cpus = 0;
    for (unsigned core = 0; core < machine->info.cores; core++) {
        const unsigned before = cpus;
        for (unsigned i = 0; i < machine->cpu_count; i++) {
            bool has_cpu = false;
            for (unsigned p = 0; p < used && machine->cpu[i].core == core && !has_cpu; p++)
                has_cpu = para__cpus_has(&places->place[p], machine->cpu[i].os_index);
            cpus += has_cpu;
        }
        cores += cpus > before;
    }
    return para__min(cpus, para__max(cores, used));
}

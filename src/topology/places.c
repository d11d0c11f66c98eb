#include "topology/places.h"

#include "base/bounds.h"
#include "base/memory.h"
#include "base/status.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What the text is read into. It is read twice: to check it and to count, and into the memory that
 * is needed then. */
typedef struct place_reader {
    const char *at;
    para__cpus *place, *excluded; /* [places], [exclusions]; NULL: they are only counted */
    unsigned places, exclusions;
    para__places_fault *fault; /* of a number; stays empty if the text has another form */
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

/* Says what is wrong; false. */
__attribute__((format(printf, 2, 3))) static bool refuse(place_reader *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->fault->text, sizeof r->fault->text, format, arguments);
    va_end(arguments);
    return false;
}

/* What a number is: its name, and how far it may go. */
typedef struct number_kind {
    const char *name;
    long least, most;
} number_kind;

static const number_kind cpu_number = {"the number of a CPU", 0, PARA__CPUS_MAX - 1};
static const number_kind count_number = {"a number of CPUs or places", 1, PARA__CPUS_MAX};
static const number_kind step_number = {"a distance", -PARA__CPUS_MAX, PARA__CPUS_MAX};

static bool take_integer(place_reader *r, const number_kind *kind, long *number)
{
    char *end = NULL;
    char shown[24]; /* in full, of all numbers that are 64 bits wide */
    const int saved = errno;
    r->at += strspn(r->at, " \t");
    const char *const digits = r->at;
    const bool is_number = isdigit((unsigned char)digits[*digits == '-']);
    *number = strtol(digits, &end, 10); /* one that is too large is the largest */
    errno = saved;
    r->at = end;
    if (is_number && (*number < kind->least || *number > kind->most)) {
        snprintf(shown, para__min(sizeof shown, (size_t)(end - digits) + 1), "%s", digits);
        return refuse(r, "%s is not %s, which is %ld to %ld", shown, kind->name, kind->least,
                      kind->most);
    }
    return is_number;
}

/* Takes `:length` and `:length:stride`, where they are there. */
static bool take_interval(place_reader *r, long *length, long *stride)
{
    *length = *stride = 1;
    return !take_sign(r, ':') || (take_integer(r, &count_number, length) &&
                                  (!take_sign(r, ':') || take_integer(r, &step_number, stride)));
}

/* ---- Lists of places --------------------------------------------------------------------- */

/* Adds CPUs to a set; whether they have numbers that a system could have. */
static bool add_cpus(place_reader *r, para__cpus *set, long first, long length, long stride)
{
    const long last = first + (length - 1) * stride;
    const long beyond = first < 0 || first >= PARA__CPUS_MAX ? first : last;
    if (beyond < 0 || beyond >= PARA__CPUS_MAX)
        return refuse(r, "a place would have CPU %ld: the numbers of CPUs are 0 to %d", beyond,
                      PARA__CPUS_MAX - 1);
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
        return take_integer(r, &cpu_number, &first) && add_cpus(r, set, first, 1, 1);
    do {
        const bool is_excluded = take_sign(r, '!');
        if (!take_integer(r, &cpu_number, &first) ||
            (!is_excluded && !take_interval(r, &length, &stride)))
            return false;
        if (!add_cpus(r, is_excluded ? &excluded : set, first, is_excluded ? 1 : length, stride))
            return false;
    } while (take_sign(r, ','));
    take_away(set, &excluded);
    return take_sign(r, '}');
}

/* The set with all numbers larger by `distance`; whether these are numbers of CPUs. */
static bool move_place(place_reader *r, const para__cpus *set, long distance, para__cpus *moved)
{
    *moved = (para__cpus){{0}};
    for (unsigned cpu = 0; cpu < PARA__CPUS_MAX; cpu++)
        if (para__cpus_has(set, cpu) && !add_cpus(r, moved, (long)cpu + distance, 1, 1))
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
        if (!move_place(r, &first, i * stride, &moved))
            return false;
        if (r->places > PARA__CPUS_MAX)
            return refuse(r, "more than %d places", PARA__CPUS_MAX);
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
        place_reader r = {
            .at = text, .place = set, .excluded = set + counted->places, .fault = counted->fault};
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
static bool take_name(const char *text, para__level *group, long *count, para__places_fault *fault)
{
    place_reader r = {.at = text + strspn(text, " \t"), .fault = fault};
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
    if (take_sign(&r, '(') && !(take_integer(&r, &count_number, count) && take_sign(&r, ')')))
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

/* Not one place has a CPU that the process may use. */
static void tell_unusable(const para__machine *machine, unsigned dropped, para__places_fault *fault)
{
    para__cpus usable = {{0}};
    for (unsigned i = 0; i < machine->cpu_count; i++)
        para__cpus_add(&usable, machine->cpu[i].os_index);
    if (dropped)
        snprintf(fault->text, sizeof fault->text,
                 "no place has a CPU that the process may use: it may use CPU%s %s",
                 machine->cpu_count > 1 ? "s" : "", para__cpus_text_of(&usable).text);
    else
        snprintf(fault->text, sizeof fault->text, "all places are excluded");
}

para_status para__places_make(para__places **places, const para__machine *machine, const char *text,
                              para__places_fault *fault)
{
    place_reader counted = {.at = text, .fault = fault};
    para__level group = PARA__LEVEL_THREAD;
    long count = 0;
    *fault = (para__places_fault){""};
    const bool is_name = take_name(text, &group, &count, fault);
    if (!is_name && (*fault->text || !take_list(&counted))) {
        if (!*fault->text)
            snprintf(fault->text, sizeof fault->text,
                     "expected places, such as {0:4},{4:4} or {0:4}:2:4, or threads, cores, "
                     "ll_caches, numa_domains or sockets");
        return PARA_ERR_ARGUMENT;
    }
    if (!machine)
        return PARA_OK;
    if (is_name)
        return make_groups(places, machine, group, (unsigned)count);
    para__places *const made = make_list(machine, text, &counted);
    if (!made)
        return para__fail(PARA_ERR_MEMORY, NULL);
    if (made->count == 0) {
        tell_unusable(machine, made->dropped, fault);
        para__free(made);
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

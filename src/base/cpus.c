#include "base/cpus.h"

#include "base/cancellation.h"
#include "base/tuning.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = PARA__CPUS_MAX / 64 };

unsigned para__cpus_count(const para__cpus *set)
{
    unsigned count = 0;
    for (int i = 0; i < WORDS; i++)
        count += (unsigned)__builtin_popcountll(set->word[i]);
    return count;
}

void para__cpus_unite(para__cpus *set, const para__cpus *with)
{
    for (int i = 0; i < WORDS; i++)
        set->word[i] |= with->word[i];
}

bool para__cpus_include(const para__cpus *set, const para__cpus *part)
{
    for (int i = 0; i < WORDS; i++)
        if (part->word[i] & ~set->word[i])
            return false;
    return true;
}

bool para__cpus_equal(const para__cpus *a, const para__cpus *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

unsigned para__cpus_first(const para__cpus *set)
{
    unsigned cpu = 0;
    while (cpu < PARA__CPUS_MAX && !para__cpus_has(set, cpu))
        cpu++;
    return cpu;
}

para__cpus_text para__cpus_text_of(const para__cpus *set)
{
    para__cpus_text made = {""};
    const size_t room = sizeof made.text - sizeof ",...";
    size_t length = 0;
    for (unsigned first = 0, end; first < PARA__CPUS_MAX; first = end + 1) {
        char range[32];
        for (end = first; para__cpus_has(set, end); end++) {
        }
        if (end == first)
            continue;
        int wide = snprintf(range, sizeof range, "%s%u", length ? "," : "", first);
        if (end - first > 1)
            wide += snprintf(range + wide, sizeof range - (size_t)wide, "-%u", end - 1);
        if (length + (size_t)wide > room) {
            memcpy(made.text + length, ",...", sizeof ",...");
            break;
        }
        memcpy(made.text + length, range, (size_t)wide + 1);
        length += (size_t)wide;
    }
    return made;
}

/* A list of numbers and ranges, given one character at a time. */
typedef struct list {
    unsigned from, number;
    bool digits, range;
} cpu_list;

static void take_character(para__cpus *set, cpu_list *l, char c)
{
    if (c >= '0' && c <= '9') {
        l->number = l->number < PARA__CPUS_MAX ? l->number * 10 + (unsigned)(c - '0') : l->number;
        l->digits = true;
        return;
    }
    if (c == '-' && l->digits) {
        *l = (cpu_list){.from = l->number, .range = true};
        return;
    }
    const unsigned last = l->number < PARA__CPUS_MAX ? l->number : PARA__CPUS_MAX - 1;
    for (unsigned cpu = l->range ? l->from : l->number; l->digits && cpu <= last; cpu++)
        para__cpus_add(set, cpu);
    *l = (cpu_list){0};
}

bool para__cpus_read(para__cpus *set, int directory, const char *name)
{
    const int saved = errno;
    const int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        char piece[256];
        cpu_list l = {0};
        for (ssize_t bytes; (bytes = read(file, piece, sizeof piece)) > 0;)
            for (ssize_t i = 0; i < bytes; i++)
                take_character(set, &l, piece[i]);
        take_character(set, &l, '\n');
        close(file);
    }
    errno = saved;
    return file >= 0;
}

static const char cpus_key[] = "Cpus_allowed_list:";
static const char nodes_key[] = "Mems_allowed_list:";

/* Adds what a file such as /proc/thread-self/status says of a key, unless it has a line that begins
 * with `unless` before. */
static bool read_status(para__cpus *set, const char *path, const char *key, const char *unless)
{
    const size_t length = strlen(key);
    bool found = false;
    bool ends = false;
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    while (file && !ends && getline(&line, &capacity, file) > 0) {
        found = strncmp(line, key, length) == 0;
        ends = found || (unless && strncmp(line, unless, strlen(unless)) == 0);
        cpu_list l = {0};
        for (const char *at = line + length; found && *at; at++)
            take_character(set, &l, *at);
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* Where /proc is not mounted, the system has to be asked. */
static bool ask_system(para__cpus *set)
{
    return sched_getaffinity(0, sizeof *set, (cpu_set_t *)set) == 0;
}

/* Where /sys is not mounted, those that have a line in /proc/stat. */
static bool read_online(para__cpus *set)
{
    if (para__cpus_read(set, AT_FDCWD, "/sys/devices/system/cpu/online"))
        return true;
    FILE *file = fopen("/proc/stat", "re");
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;
    for (unsigned cpu; file && getline(&line, &capacity, file) > 0;) {
        if (sscanf(line, "cpu%u ", &cpu) == 1) {
            para__cpus_add(set, cpu);
            found = true;
        }
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* The kernel's files name CPUs that are switched off, or were never there, as well. */
static bool restrict_to(para__cpus *set, const para__cpus *online)
{
    for (int i = 0; i < WORDS; i++)
        set->word[i] &= online->word[i];
    return para__cpus_first(set) < PARA__CPUS_MAX;
}

bool para__cpus_online(para__cpus *set)
{
    const int saved = errno;
    *set = (para__cpus){{0}};
    const bool known = read_online(set);
    errno = saved;
    return known;
}

bool para__cpus_of_thread(para__cpus *set)
{
    const int saved = errno;
    para__cpus online = {{0}};
    *set = (para__cpus){{0}};
    const bool found = read_online(&online) &&
                       read_status(set, "/proc/thread-self/status", cpus_key, NULL) &&
                       restrict_to(set, &online);
    const bool known = found || ask_system(set);
    errno = saved;
    return known;
}

bool para__cpus_of_process(para__cpus *set)
{
    const int saved = errno;
    para__cpus online = {{0}};
    *set = (para__cpus){{0}};
    const bool found =
        read_online(&online) && read_status(set, "/proc/self/status", cpus_key, NULL);
    DIR *threads = found && !para__cpus_include(set, &online) ? opendir("/proc/self/task") : NULL;
    const struct dirent *thread;
    for (int i = 0; threads && i < PARA__THREADS_ASKED && (thread = readdir(threads)) != NULL;
         i++) {
        char path[300];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", thread->d_name);
        if (*thread->d_name != '.')
            read_status(set, path, cpus_key, "Name:\t" PARA__WORKER_NAME);
    }
    if (threads)
        closedir(threads);
    const bool known = (found && restrict_to(set, &online)) || ask_system(set);
    errno = saved;
    return known;
}

bool para__nodes_with_memory(para__cpus *set)
{
    para__cpus allowed = {{0}};
    *set = (para__cpus){{0}};
    const int saved = errno;
    const bool known = para__cpus_read(set, AT_FDCWD, "/sys/devices/system/node/has_memory") &&
                       (!read_status(&allowed, "/proc/self/status", nodes_key, NULL) ||
                        restrict_to(set, &allowed));
    errno = saved;
    return known;
}

bool para__cpus_are_full(const char *path)
{
    const int saved = errno;
    const int cancellation = para__cancellation_off(); /* files are read */
    char text[64] = "";
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        (void)!read(file, text, sizeof text - 1); /* nothing: not known */
        close(file);
    }
    unsigned ready = 0;
    para__cpus online = {{0}};
    const bool has_room = sscanf(text, "%*s %*s %*s %u", &ready) == 1 && ready > 0 &&
                          read_online(&online) && ready <= para__cpus_count(&online);
    para__cancellation_restore(cancellation);
    errno = saved;
    return !has_room;
}

/* para-model: options of one scenario, or the tables. */
#include "scenario.h"
#include "tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "para-model [OPTION VALUE...]   para's engine on a simulated machine\n"
    "  --cores N --domains D --sockets S   the machine, in equal parts (256, 16, 2)\n"
    "  --nodes N                           NUMA nodes, in equal parts of sockets (the sockets)\n"
    "  --near NS --across NS --beyond NS   a word's way in a domain, a socket, between (20 100 "
    "200)\n"
    "  --wake NS --rouse NS                a wake-up, and what it costs the waker (5000 1500)\n"
    "  --hogs H                            cores shared with another program, 3 ms in turn\n"
    "  --slow N --slowness X               the last cores, on which units take X times as long (0, "
    "2)\n"
    "  --work NS --units U                 a call (100000, 4096)\n"
    "  --pattern even|triangular|lognormal|last1pct|dear1pct\n"
    "  --runtime para|barrier|tree\n"
    "  --lines grouped|flat|each           groups of workers: 16 of a domain, all, one each;\n"
    "                                      they announce a call, balance its work and join it\n"
    "  --preempted P                       cores that are away for 3 ms from each call's begin\n"
    "  --saturate W                        cores that have all of the memory's bandwidth (no "
    "limit)\n"
    "  --price NS                          what a kernel call costs, however short (0)\n"
    "  --contended X                       what units cost with several cores at work (1)\n"
    "  --calls K --warm K --seed X         calls that are measured, and those before (8, 12)\n"
    "  --force                             share every call; --asleep: all sleep between calls\n"
    "  --tune NAME=VALUE                   another value for a constant of src/base/tuning*.h\n"
    "  --constants                         all of these, with their values\n"
    "  --json                              one line of JSON\n"
    "  --report                            the tables\n"
    "  --validate FILE --reach NS          against figures of bench/run.py on two cores, where an\n"
    "                                      empty call takes so long there and back\n";

static const char *const patterns[] = {"even",     "triangular", "lognormal",
                                       "last1pct", "dear1pct",   NULL};
static const char *const runtimes[] = {"para", "barrier", "tree", NULL};
static const char *const kinds_of_lines[] = {"grouped", "flat", "each", NULL};

static void refuse(const char *option, const char *value)
{
    fprintf(stderr, "para-model: %s %s: not understood; --help has what is\n", option, value);
    exit(2);
}

static unsigned choice(const char *option, const char *value, const char *const *names)
{
    for (unsigned i = 0; names[i]; i++)
        if (!strcmp(value, names[i]))
            return i;
    refuse(option, value);
    return 0;
}

static double number(const char *option, const char *value)
{
    char *end = NULL;
    const double n = strtod(value, &end);
    if (end == value || *end || !(n >= 0 && n < 1e15))
        refuse(option, value);
    return n;
}

static void tune(const char *option, const char *value)
{
    char name[64] = "";
    const char *is = strchr(value, '=');
    if (is && (size_t)(is - value) < sizeof name)
        memcpy(name, value, (size_t)(is - value));
    if (!is || !tuning_set(name, number(option, is + 1)))
        refuse(option, value);
}

static void print(const scenario *s, const outcome *o, bool json)
{
    const double efficiency = s->work_ns / o->mean_ns / s->on.cores;
    printf(
        json ? "{\"mean_ns\": %.1f, \"least_ns\": %.1f, \"most_ns\": %.1f, \"efficiency\": %.4f, "
               "\"publish_ns\": %.1f, \"spread_ns\": %.1f, \"work_ns\": %.1f, "
               "\"beyond\": %.6f, \"width\": %.0f, "
               "\"workers\": %.0f, \"transfers\": %.1f, \"round_trip_ns\": %.1f, "
               "\"per_helper_ns\": %.2f, \"far_ns\": %.1f, \"wake_ns\": %.1f, \"why\": \"%s\", "
               "\"exact\": %s, "
               "\"events\": %llu}\n"
             : "a call         %.1f ns (%.1f to %.1f)\nefficiency     %.4f\n"
               "of it          published %.1f, all began %.1f, last chunk ended %.1f\n"
               "beyond         %.6f of the units\n"
               "width          %.0f, %.0f of use\ntransfers      %.1f a call\n"
               "reach          %.1f ns, each %.2f, far %.1f, wake %.1f\nwhy            %s\n"
               "exact          %s\nevents         %llu\n",
        o->mean_ns, o->least_ns, o->most_ns, efficiency, o->publish_ns, o->spread_ns, o->work_ns,
        o->beyond, o->width, o->workers, o->transfers, o->round_trip_ns, o->per_helper_ns,
        o->far_ns, o->wake_ns, o->why, o->exact ? "true" : "false", (unsigned long long)o->events);
}

int main(int argc, char **argv)
{
    scenario s = {
        .on = MACHINE_LARGE, .work_ns = 100000, .units = 4096, .warm_calls = 12, .calls = 8};
    bool json = false;
    bool tables = false;
    double round_trip_ns = 400;
    const char *measured = NULL;
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i];
        if (!strcmp(o, "--help"))
            return fputs(help, stdout) < 0;
        if (!strcmp(o, "--constants")) {
            tuning_list(stdout);
            return 0;
        }
        bool *flag = !strcmp(o, "--json")     ? &json
                     : !strcmp(o, "--report") ? &tables
                     : !strcmp(o, "--force")  ? &s.forced
                     : !strcmp(o, "--asleep") ? &s.asleep
                                              : NULL;
        if (flag) {
            *flag = true;
            continue;
        }
        const char *v = i + 1 < argc ? argv[++i] : "";
        if (!strcmp(o, "--pattern"))
            s.pattern = (pattern)choice(o, v, patterns);
        else if (!strcmp(o, "--runtime"))
            s.runtime = (runtime)choice(o, v, runtimes);
        else if (!strcmp(o, "--lines"))
            s.lines = (lines)choice(o, v, kinds_of_lines);
        else if (!strcmp(o, "--validate"))
            measured = v;
        else if (!strcmp(o, "--tune"))
            tune(o, v);
        else if (!strcmp(o, "--work"))
            s.work_ns = number(o, v);
        else if (!strcmp(o, "--units"))
            s.units = (size_t)number(o, v);
        else if (!strcmp(o, "--calls"))
            s.calls = (unsigned)number(o, v);
        else if (!strcmp(o, "--warm"))
            s.warm_calls = (unsigned)number(o, v);
        else if (!strcmp(o, "--saturate"))
            s.saturate = (unsigned)number(o, v);
        else if (!strcmp(o, "--price"))
            s.price_ns = number(o, v);
        else if (!strcmp(o, "--contended"))
            s.contended = number(o, v);
        else if (!strcmp(o, "--preempted"))
            s.preempted = (unsigned)number(o, v);
        else if (!strcmp(o, "--cores"))
            s.on.cores = (unsigned)number(o, v);
        else if (!strcmp(o, "--domains"))
            s.on.domains = (unsigned)number(o, v);
        else if (!strcmp(o, "--sockets"))
            s.on.sockets = (unsigned)number(o, v);
        else if (!strcmp(o, "--nodes"))
            s.on.nodes = (unsigned)number(o, v);
        else if (!strcmp(o, "--near"))
            s.on.near_ns = number(o, v);
        else if (!strcmp(o, "--across"))
            s.on.across_ns = number(o, v);
        else if (!strcmp(o, "--beyond"))
            s.on.socket_ns = number(o, v);
        else if (!strcmp(o, "--wake"))
            s.on.wake_ns = number(o, v);
        else if (!strcmp(o, "--rouse"))
            s.on.wake_cost_ns = number(o, v);
        else if (!strcmp(o, "--hogs"))
            s.on.hogs = (unsigned)number(o, v);
        else if (!strcmp(o, "--slow"))
            s.on.slow = (unsigned)number(o, v);
        else if (!strcmp(o, "--slowness"))
            s.on.slowness = number(o, v);
        else if (!strcmp(o, "--seed"))
            s.on.seed = (uint64_t)number(o, v);
        else if (!strcmp(o, "--reach"))
            round_trip_ns = number(o, v);
        else
            refuse(o, v);
    }
    if (s.on.cores < 1 || s.on.cores > MODEL_CORES_MAX || s.on.domains < 1 || s.on.sockets < 1 ||
        s.on.domains > s.on.cores || s.on.sockets > s.on.domains || s.on.nodes > s.on.domains ||
        s.on.nodes % s.on.sockets || s.on.slow >= s.on.cores || s.units < 1 || s.units > 1e8 ||
        s.calls < 1 || s.calls > 1e6)
        refuse("a number", "out of range");
    if (measured)
        return validate(measured, &s, round_trip_ns);
    if (tables) {
        report(&s);
        return 0;
    }
    const outcome o = scenario_run(&s);
    print(&s, &o, json);
    return o.exact ? 0 : 1;
}

/* The para command: finds the command that was typed and sees to it that its output arrived. */
#include "base/resembles.h"
#include "cli/commands.h"
#include "cli/say.h"
#include "kernels/kernels.h"

#include <para/version.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char general_help[] =
    "usage: para map KERNEL IN.npy... -o OUT.npy     fill an array from arrays\n"
    "       para reduce KERNEL IN.npy...             fold arrays to one value\n"
    "       para calibrate [-o FILE]                 measure the machine and the kernels on it\n"
    "       para info                                show the machine and the workers\n"
    "       para kernels                             list the built-in kernels\n"
    "       para top PID|FILE                        show what a program does now\n"
    "       para trace FILE                          tell where the time of a trace went\n"
    "       para --version, para -V                  show the version\n"
    "       para help [COMMAND], para COMMAND -h     show this, or how to use a command\n"
    "\n"
    "Arrays are NumPy files of float32 or float64; '-' is the standard input or output. Exit "
    "status: 0,\n"
    "1 (failed), 2 (usage).\n";

#define RUN_HELP                                                                                   \
    "  --arg NAME=VALUE     an argument of the kernel, such as a=2.5\n"                            \
    "  --workers N          use N threads (default: the CPUs that the process may use)\n"          \
    "  --chunk N            hand out N elements at a time\n"                                       \
    "  --executor WHO       threads: share the work however small it is; serial: do not;\n"        \
    "                       openmp: on the threads of an OpenMP team;\n"                           \
    "                       processes: in processes, so that a kernel may crash;\n"                \
    "                       default: whatever is predicted to be faster\n"                         \
    "  --on-crash WHAT      with processes: retry: try elements thrice, then fail (default);\n"    \
    "                       fail: at once; fill[=VALUE]: find the bad elements, fill them (with\n" \
    "                       nan), say which, and succeed\n"                                        \
    "  --limit-time S       with processes: what takes longer, in seconds, has crashed\n"          \
    "  --limit-memory N     with processes: address space of each, in bytes, or as 500M, 2G\n"     \
    "  --sandbox            with processes: no files, network, other programs for the kernel\n"    \
    "  --calibration FILE   begin with what 'para calibrate -o FILE' has measured\n"               \
    "  --check              run it a second time in another way, and fail if anything differs\n"   \
    "  --report             say how it ran, on stderr or in the JSON object\n"                     \
    "  --json               print one JSON object and nothing else; nothing on failure\n"          \
    "  -h, --help           this text\n"                                                           \
    "\n"

#define OBJECT_HELP                                                                               \
    "f reads one file of float64, unless the object says otherwise in variables beside it:\n"     \
    "    const unsigned f_inputs = 2;  const char f_dtype[] = \"float32\";\n"                     \
    "    const char f_args[] = \"low high\";\n"                                                   \
    "Its arg points to 16 doubles: the values of --arg, then zeros. f_args names all arguments\n" \
    "and gives their order; without it any name is taken, in the order of the command line.\n"    \
    "In C++ all of these are extern \"C\".\n"

#define INPUT_HELP \
    "An input is a file, a pipe, or '-' for an array that comes through the standard input.\n"

static const char map_help[] =
    "usage: para map KERNEL IN.npy... -o OUT.npy\n"
    "\n"
    "Runs a kernel over arrays of one shape and element type and writes an array of the same shape "
    "and\n"
    "type (row-norm: one number for each row of a matrix). OUT.npy appears when it is complete, or "
    "not at\n"
    "all; it may be one of the inputs.\n" INPUT_HELP "\n"
    "  -o, --output FILE    where to write; '-': to the standard output, in one go at the "
    "end\n" RUN_HELP
    "KERNEL is a name from 'para kernels', or OBJECT:SYMBOL, such as ./lib.so:f, a para_map_fn of\n"
    "<para/kernel.h>. Its inputs are the files in their order, its output has their element "
    "type.\n" OBJECT_HELP;

static const char reduce_help[] =
    "usage: para reduce KERNEL IN.npy...\n"
    "\n"
    "Folds arrays of one shape and element type to one value and prints it. The value is the same, "
    "bit\n"
    "for bit, whatever the number of workers and the chunk.\n" INPUT_HELP "\n"
    "  --format g|hex       how to print it: %.17g (default), or hexadecimal; both are "
    "exact\n" RUN_HELP
    "KERNEL is a name from 'para kernels', or OBJECT:SYMBOL, such as ./lib.so:f: then f is a\n"
    "para_reduce_fn and f_combine a para_combine_fn of <para/kernel.h>, both on an accumulator of "
    "one\n"
    "double. Each partial result starts from 0, or from the double f_identity: a neutral "
    "value.\n" OBJECT_HELP;

static const char calibrate_help[] =
    "usage: para calibrate [--load FILE] [-o FILE] [--json]\n"
    "\n"
    "Measures what sharing a call costs on this machine, runs the built-in kernels on arrays of "
    "some sizes,\n"
    "and shows what they cost once they are known, how many workers ran them, and why.\n"
    "\n"
    "  --load FILE          begin with what is in a file that -o has written\n"
    "  -o, --output FILE    save what is known of kernels; FILE appears when it is complete\n"
    "  --json               print one JSON object and nothing else; nothing on failure\n"
    "  -h, --help           this text\n"
    "\n"
    "para map and para reduce take the file as --calibration FILE, programs by "
    "para_calibration_load.\n";

static const char info_help[] =
    "usage: para info [--workers N] [--executor threads|openmp] [--json] [--svg FILE]\n"
    "\n"
    "Shows the machine as para sees it, the share of it that this process may use, and where the\n"
    "workers of a pool run; NUMA nodes, the load, and what sharing a call costs. What is unknown\n"
    "is called unknown, and what is assumed, assumed.\n"
    "\n"
    "  --workers N          of a pool of N threads\n"
    "  --executor openmp    of a pool that OpenMP lends its threads\n"
    "  --json               print one JSON object and nothing else\n"
    "  --svg FILE           draw the nodes, cores and workers; FILE appears when it is complete\n"
    "  -h, --help           this text\n";

static const char kernels_help[] = "usage: para kernels [--json]\n"
                                   "\n"
                                   "Lists the built-in kernels.\n";

static const char top_help[] =
    "usage: para top PID|FILE [--json]\n"
    "\n"
    "Shows what a program does: how busy its threads are, its kernels, how long tasks wait. The "
    "program\n"
    "publishes that if it was started with PARA_PAGE=1 (then PID is its number) or "
    "PARA_PAGE=FILE. On a\n"
    "terminal this is shown anew each second, else once, with means since the program's start.\n"
    "\n"
    "  --json               print one JSON object and nothing else: what was counted\n"
    "  -h, --help           this text\n";

static const char trace_help[] =
    "usage: para trace FILE [--json] [--svg FILE]\n"
    "\n"
    "Tells where the time of a trace went that a program has written with PARA_TRACE=FILE: what "
    "part of\n"
    "it each thread spent in kernels and tasks (stolen: on others' units), on sharing calls, "
    "waiting "
    "and\n"
    "asleep, and what each kernel took. The rest is the program's own code, and looking for work.\n"
    "\n"
    "  --json               print one JSON object and nothing else\n"
    "  --svg FILE           draw what each thread did, along the time; FILE appears when it is "
    "complete\n"
    "  -h, --help           this text\n";

/* allowed: the letters of the options it knows, as in options.c. */
static const struct {
    const char *name, *allowed, *help;
    int (*run)(const para__request *request);
} commands[] = {
    {"map", "oawckerjpxtmb", map_help, para__command_map},
    {"reduce", "awckefrjpxtmb", reduce_help, para__command_reduce},
    {"calibrate", "loj", calibrate_help, para__command_calibrate},
    {"info", "wejs", info_help, para__command_info},
    {"kernels", "j", kernels_help, para__command_kernels},
    {"top", "j", top_help, para__command_top},
    {"trace", "js", trace_help, para__command_trace},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int refuse_unknown(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (para__resembles(name, commands[i].name))
            return para__say_usage(NULL, "unknown command '%s': is it '%s'?", name,
                                   commands[i].name);
    const para_builtin *kernel = para_builtin_find(name);
    if (kernel)
        return para__say_usage(NULL, "unknown command '%s': it is a kernel, for 'para %s %s'", name,
                               kernel->reduces ? "reduce" : "map", name);
    return para__say_usage(NULL, "unknown command '%s'", name);
}

static int show_version(void)
{
    printf("para %s\n", para_version());
    return 0;
}

/* "help" and what follows it. */
static int show_help(int argc, char **argv)
{
    if (argc == 1) {
        fputs(general_help, stdout);
        return 0;
    }
    if (argc > 2)
        return para__say_usage(NULL, "unexpected '%s'", argv[2]);
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            fputs(commands[i].help, stdout);
            return 0;
        }
    return refuse_unknown(argv[1]);
}

static bool is_either(const char *word, const char *one, const char *other)
{
    return strcmp(word, one) == 0 || strcmp(word, other) == 0;
}

static int dispatch(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (!name) {
        fputs(general_help, stderr);
        return PARA__EXIT_USAGE;
    }
    if (strcmp(name, "help") == 0)
        return show_help(argc - 1, argv + 1);
    if (is_either(name, "--help", "-h"))
        return show_help(1, argv);
    if (is_either(name, "--version", "-V"))
        return show_version();
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        para__request request;
        const int status = para__options_parse(&request, argc - 1, argv + 1, commands[i].allowed);
        if (status)
            return status;
        if (request.version)
            return show_version();
        if (request.help) {
            fputs(commands[i].help, stdout);
            return 0;
        }
        return commands[i].run(&request);
    }
    return refuse_unknown(name);
}

/* Where a standard stream is closed, the next file that is opened would take its place and receive
 * what is printed. Something is put there that cannot be written to, so that printing fails. */
static void guard_standard_streams(void)
{
    for (int descriptor = 0; descriptor <= 2; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0)
            (void)open("/dev/null", O_RDONLY); /* takes the lowest free number: this one */
}

int main(int argc, char **argv)
{
    guard_standard_streams();
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error (EFBIG) like any other */
    int status = dispatch(argc, argv);
    signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error like any other */
    errno = 0;
    const int written = ferror(stdout) == 0;
    if (fclose(stdout) != 0 ||
        !written) /* a full disk or a closed descriptor shows here at the latest */
        status = para__say_failed("standard output: %s", strerror(errno ? errno : EIO));
    return status;
}

#include "cli/options.h"

#include "cli/say.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const unsigned workers_max = 1024; /* what para_pool_config allows */

/* The letters name options to the table of commands; only -o, -h and -V can be typed as such. */
static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"arg", required_argument, NULL, 'a'},
    {"workers", required_argument, NULL, 'w'},
    {"chunk", required_argument, NULL, 'c'},
    {"executor", required_argument, NULL, 'e'},
    {"on-crash", required_argument, NULL, 'x'},
    {"limit-time", required_argument, NULL, 't'},
    {"limit-memory", required_argument, NULL, 'm'},
    {"sandbox", no_argument, NULL, 'b'},
    {"format", required_argument, NULL, 'f'},
    {"load", required_argument, NULL, 'l'},
    {"calibration", required_argument, NULL, 'k'},
    {"svg", required_argument, NULL, 's'},
    {"report", no_argument, NULL, 'r'},
    {"check", no_argument, NULL, 'p'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* A whole number from 1 to most, in digits alone. */
static bool parse_count(const char *text, uintmax_t most, uintmax_t *count)
{
    uintmax_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++)
        if (!isdigit((unsigned char)*text) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uintmax_t)(*text - '0'), &value))
            return false;
    *count = value;
    return value >= 1 && value <= most;
}

static int parse_arg(para__request *request, const char *text)
{
    const char *equals = strchr(text, '=');
    char *end = NULL;
    if (!equals || equals == text)
        return para__say_usage(request->command, "--arg '%s' is not NAME=VALUE", text);
    const size_t length = (size_t)(equals - text);
    errno = 0;
    const double value = strtod(equals + 1, &end);
    if (end == equals + 1 || *end || isspace((unsigned char)equals[1]) ||
        (errno == ERANGE && isinf(value)))
        return para__say_usage(request->command, "--arg '%s': the value is not a number", text);
    for (size_t i = 0; i < request->arg_count; i++)
        if (request->args[i].name_length == length &&
            memcmp(request->args[i].name, text, length) == 0)
            return para__say_usage(request->command, "--arg %.*s is given twice", (int)length,
                                   text);
    if (request->arg_count == PARA__ARG_MAX)
        return para__say_usage(request->command, "more than %d times --arg", PARA__ARG_MAX);
    request->args[request->arg_count++] = (para__named){text, length, value};
    return 0;
}

/* WHO: worker processes are a pool of their own, and so is an OpenMP team. */
static int parse_executor(para__request *request, const char *text)
{
    request->on_openmp = strcmp(text, "openmp") == 0;
    request->on_processes = strcmp(text, "processes") == 0;
    request->options.executor = PARA_EXECUTOR_AUTO;
    if (request->on_openmp && !PARA__HAS_OPENMP)
        return para__say_usage(request->command,
                               "--executor openmp: this para was built without OpenMP");
    if (request->on_openmp || request->on_processes)
        return 0;
    if (strcmp(text, "threads") != 0 && strcmp(text, "serial") != 0)
        return para__say_usage(request->command,
                               "--executor '%s' is neither threads, serial, processes nor openmp",
                               text);
    request->options.executor = *text == 't' ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_SERIAL;
    return 0;
}

/* ---- Of worker processes ----------------------------------------------------------------- */

static int parse_on_crash(para__request *request, const char *text)
{
    para__isolating *const is = &request->isolating;
    char *end = NULL;
    is->fills = strncmp(text, "fill", 4) == 0 && (text[4] == '\0' || text[4] == '=');
    is->tries_once = strcmp(text, "fail") == 0;
    is->says_fill = is->fills && text[4] == '=';
    is->fill = NAN;
    if (!is->fills && !is->tries_once && strcmp(text, "retry") != 0)
        return para__say_usage(request->command,
                               "--on-crash '%s' is neither retry, fail, fill nor fill=VALUE", text);
    if (!is->says_fill)
        return 0;
    is->fill = strtod(text + 5, &end);
    return end != text + 5 && !*end && !isspace((unsigned char)text[5])
               ? 0
               : para__say_usage(request->command, "--on-crash '%s': the value is not a number",
                                 text);
}

/* Seconds, with a fraction. */
static int parse_seconds(para__request *request, const char *text)
{
    char *end = NULL;
    const double seconds = strtod(text, &end);
    if (end == text || *end || !isdigit((unsigned char)(*text == '.' ? text[1] : *text)) ||
        !(seconds >= 0.001 && seconds <= 1e9))
        return para__say_usage(request->command,
                               "--limit-time '%s' is not a number of seconds from 0.001 to 1e9",
                               text);
    request->isolating.chunk_ns = (uint64_t)(seconds * 1e9);
    return 0;
}

/* Bytes, or as many K, M, G or T of them. */
static int parse_bytes(para__request *request, const char *text)
{
    static const char units[] = "KMGT";
    char digits[32] = "";
    uintmax_t bytes = 0;
    const size_t length = strlen(text);
    const char *const unit = length ? strchr(units, text[length - 1]) : NULL;
    const unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (length < sizeof digits)
        memcpy(digits, text, length - (unit != NULL));
    if (!parse_count(digits, (SIZE_MAX / 2) >> shift, &bytes))
        return para__say_usage(request->command,
                               "--limit-memory '%s' is not a number of bytes, K, M, G or T", text);
    request->isolating.memory_bytes = (size_t)bytes << shift;
    if (request->isolating.memory_bytes < (size_t)1 << 20) /* a stack grows by more */
        return para__say_usage(request->command, "--limit-memory '%s' is less than 1M", text);
    return 0;
}

static const char *name_of_option(int letter)
{
    const struct option *option = long_options;
    while (option->val != letter)
        option++;
    return option->name;
}

static int parse_isolating(para__request *request, int letter, const char *text)
{
    request->isolating.option = name_of_option(letter);
    switch (letter) {
    case 'x':
        return parse_on_crash(request, text);
    case 't':
        return parse_seconds(request, text);
    case 'm':
        return parse_bytes(request, text);
    default:
        request->isolating.sandbox = true;
        return 0;
    }
}

static int check_isolating(const para__request *request)
{
    if (request->isolating.option && !request->on_processes)
        return para__say_usage(request->command, "--%s is for --executor processes",
                               request->isolating.option);
    if (request->check && request->on_processes)
        return para__say_usage(request->command, "--check is not for --executor processes");
    return 0;
}

static int parse_option(para__request *request, int letter, const char *text)
{
    uintmax_t count;
    switch (letter) {
    case 'o':
        if (!*text)
            return para__say_usage(request->command, "the output's name is empty");
        if (request->output)
            return para__say_usage(request->command, "-o is given twice");
        request->output = text;
        return 0;
    case 'a':
        return parse_arg(request, text);
    case 'w':
        if (!parse_count(text, workers_max, &count))
            return para__say_usage(request->command, "--workers '%s' is not a number from 1 to %u",
                                   text, workers_max);
        request->options.workers = (unsigned)count;
        return 0;
    case 'c':
        if (!parse_count(text, SIZE_MAX, &count))
            return para__say_usage(request->command, "--chunk '%s' is not a positive number", text);
        request->options.chunk = (size_t)count;
        return 0;
    case 'e':
        return parse_executor(request, text);
    case 'x':
    case 't':
    case 'm':
    case 'b':
        return parse_isolating(request, letter, text);
    case 'f':
        if (strcmp(text, "g") != 0 && strcmp(text, "hex") != 0)
            return para__say_usage(request->command, "--format '%s' is neither g nor hex", text);
        request->hexadecimal = *text == 'h';
        return 0;
    case 'k': /* of map and reduce */
    case 'l': /* of calibrate */
        request->calibration = text;
        return 0;
    case 's':
        if (!*text)
            return para__say_usage(request->command, "the drawing's name is empty");
        if (request->drawing)
            return para__say_usage(request->command, "--svg is given twice");
        request->drawing = text;
        return 0;
    case 'r':
        request->report = true;
        return 0;
    case 'p':
        request->check = true;
        return 0;
    case 'j':
        request->json = true;
        return 0;
    case 'V':
        request->version = true;
        return 0;
    default:
        request->help = true;
        return 0;
    }
}

int para__options_parse(para__request *request, int argc, char **argv, const char *allowed)
{
    int letter;
    *request = (para__request){.command = argv[0], .isolating.fill = NAN};
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":o:hV", long_options, NULL)) != -1) {
        if (letter == '?' && optopt && strchr("ohV", optopt) == NULL && argv[optind - 1][1] != '-')
            return para__say_usage(request->command, "unknown option '-%c'", optopt);
        if (letter == '?')
            return para__say_usage(request->command, "unknown option '%s'", argv[optind - 1]);
        if (letter == ':')
            return para__say_usage(request->command, "option '%s' needs a value", argv[optind - 1]);
        if (!strchr("hV", letter) && !strchr(allowed, letter))
            return para__say_usage(request->command, "'%s' has no option --%s", request->command,
                                   name_of_option(letter));
        const int status = parse_option(request, letter, optarg);
        if (status)
            return status;
    }
    request->operands = argv + optind;
    request->operand_count = (size_t)(argc - optind);
    return request->help || request->version ? 0 : check_isolating(request);
}

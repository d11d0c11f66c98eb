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
        request->on_openmp = strcmp(text, "openmp") == 0;
        request->options.executor = PARA_EXECUTOR_AUTO;
        if (request->on_openmp)
            return PARA__HAS_OPENMP
                       ? 0
                       : para__say_usage(request->command,
                                         "--executor openmp: this para was built without OpenMP");
        if (strcmp(text, "threads") != 0 && strcmp(text, "serial") != 0)
            return para__say_usage(request->command,
                                   "--executor '%s' is neither threads, serial nor openmp", text);
        request->options.executor = *text == 't' ? PARA_EXECUTOR_THREADS : PARA_EXECUTOR_SERIAL;
        return 0;
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
    *request = (para__request){.command = argv[0]};
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":o:hV", long_options, NULL)) != -1) {
        if (letter == '?' && optopt && strchr("ohV", optopt) == NULL && argv[optind - 1][1] != '-')
            return para__say_usage(request->command, "unknown option '-%c'", optopt);
        if (letter == '?')
            return para__say_usage(request->command, "unknown option '%s'", argv[optind - 1]);
        if (letter == ':')
            return para__say_usage(request->command, "option '%s' needs a value", argv[optind - 1]);
        if (!strchr("hV", letter) && !strchr(allowed, letter)) {
            const struct option *option = long_options;
            while (option->val != letter)
                option++;
            return para__say_usage(request->command, "'%s' has no option --%s", request->command,
                                   option->name);
        }
        const int status = parse_option(request, letter, optarg);
        if (status)
            return status;
    }
    request->operands = argv + optind;
    request->operand_count = (size_t)(argc - optind);
    return 0;
}

/* The command line, read into one struct. */
#ifndef PARA_CLI_OPTIONS_H
#define PARA_CLI_OPTIONS_H

/* Whether the command is built with libpara-openmp. */
#ifndef PARA__HAS_OPENMP
#define PARA__HAS_OPENMP 0
#endif

#include <para/call.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARA__ARG_MAX 16

/* --arg NAME=VALUE */
typedef struct para__named {
    const char *name; /* name_length bytes, not ended by a zero */
    size_t name_length;
    double value;
} para__named;

/* What is asked of worker processes. */
typedef struct para__isolating {
    const char *option; /* one that was given, by its name; NULL: none */
    bool fills, tries_once;
    bool says_fill; /* with a value, */
    double fill;    /* or NaN */
    uint64_t chunk_ns;
    size_t memory_bytes;
    bool sandbox;
} para__isolating;

typedef struct para__request {
    const char *command;
    char **operands; /* the kernel first, then the files */
    size_t operand_count;
    const char *output;
    const char *calibration; /* a file to learn from */
    const char *drawing;     /* a file to draw into */
    para__named args[PARA__ARG_MAX];
    size_t arg_count;
    bool on_openmp;    /* the threads are those of an OpenMP team */
    bool on_processes; /* worker processes run it */
    para__isolating isolating;
    para_options options; /* workers, chunk and executor, 0 where not given */
    bool check;           /* whether the kernel is pure */
    bool report, json, hexadecimal, help, version;
} para__request;

/* Reads argv, whose first word is the command's name. allowed: the letters of the options that the
 * command knows, see options.c. Returns 0, or the exit status after having said what is wrong. */
int para__options_parse(para__request *request, int argc, char **argv, const char *allowed);

#endif

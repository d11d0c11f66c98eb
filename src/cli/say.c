#include "cli/say.h"

#include "base/bounds.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The length of the UTF-8 sequence at p, 0 if there is none: the table of RFC 3629, section 4. */
static size_t utf8_length(const unsigned char *p)
{
    const size_t length = p[0] < 0x80   ? 1
                          : p[0] < 0xc2 ? 0
                          : p[0] < 0xe0 ? 2
                          : p[0] < 0xf0 ? 3
                          : p[0] < 0xf5 ? 4
                                        : 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return length;
}

char *para__say_escaped(const char *text)
{
    char *const escaped = malloc(4 * strlen(text) + 1); /* each byte becomes four at most */
    char *to = escaped;
    if (!escaped)
        return NULL;
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const size_t length = utf8_length(p);
        const size_t bytes = length ? length : 1;
        const bool control = *p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
        for (size_t i = 0; i < bytes; i++)
            to += sprintf(to, length && !control ? "%c" : "\\x%02x", p[i]);
        p += bytes;
    }
    *to = '\0';
    return escaped;
}

static void complain(const char *format, va_list arguments)
{
    char *sentence = NULL;
    if (vasprintf(&sentence, format, arguments) < 0)
        sentence = NULL;
    char *escaped = sentence ? para__say_escaped(sentence) : NULL;
    fprintf(stderr, "para: %s\n", escaped ? escaped : para_status_text(PARA_ERR_MEMORY));
    free(escaped);
    free(sentence);
}

int para__say_failed(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(format, arguments);
    va_end(arguments);
    return PARA__EXIT_FAILED;
}

int para__say_usage(const char *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try 'para %s%s--help'.\n", command ? command : "", command ? " " : "");
    return PARA__EXIT_USAGE;
}

int para__say_status(para_status status)
{
    const char *detail = para_status_detail();
    if (status == PARA_ERR_FILE && *detail) /* path and fault say it all */
        return para__say_failed("%s", detail);
    return para__say_failed("%s%s%s", para_status_text(status), *detail ? ": " : "", detail);
}

const char *para__say_plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* The sign of a NaN differs from machine to machine, so that none is shown. */
static void format_value(char text[32], double value, bool hexadecimal)
{
    if (isnan(value))
        snprintf(text, 32, "nan");
    else
        snprintf(text, 32, hexadecimal ? "%a" : "%.17g", value);
}

void para__say_value(double value, bool hexadecimal)
{
    char text[32];
    format_value(text, value, hexadecimal);
    fputs(text, stdout);
}

void para__say_json_value(const char *name, double value)
{
    char number[32];
    char hexadecimal[32];
    format_value(number, value, false);
    format_value(hexadecimal, value, true);
    printf("\"%s\": %s, \"%s_hex\": \"%s\"", name, isfinite(value) ? number : "null", name,
           hexadecimal);
}

void para__say_json_number(double value)
{
    if (isfinite(value))
        printf("%.17g", value);
    else
        printf("null");
}

void para__say_json_string(const char *text)
{
    putchar('"');
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const size_t length = utf8_length(p);
        if (length == 0)
            printf("\\udc%02x", *p);
        else if (*p < 0x20 || *p == 0x7f)
            printf("\\u%04x", *p);
        else
            printf("%s%.*s", *p == '"' || *p == '\\' ? "\\" : "", (int)length, (const char *)p);
        p += length ? length : 1;
    }
    putchar('"');
}

void para__say_report(const para_report *report, unsigned workers)
{
    fprintf(stderr, "para: %u of %u worker%s, %zu chunk%s of %s%zu element%s, %.3f ms; %s\n",
            report->workers, workers, para__say_plural(workers), report->chunks,
            para__say_plural(report->chunks), report->chunks == 1 ? "" : "at most ", report->chunk,
            para__say_plural(report->chunk), (double)report->time_ns / 1e6,
            para_why_text(report->why));
}

void para__say_json_report(const para_report *report, unsigned workers)
{
    printf("\"report\": {\"workers\": %u, \"width\": %u, \"pool_workers\": %u, \"chunks\": %zu, "
           "\"chunk\": %zu, \"time_ns\": %" PRIu64 ", \"why\": ",
           report->workers, report->width, workers, report->chunks, report->chunk, report->time_ns);
    para__say_json_string(para_why_text(report->why));
    putchar('}');
}

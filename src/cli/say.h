/* What the command says: errors to stderr, values and JSON to stdout. */
#ifndef PARA_CLI_SAY_H
#define PARA_CLI_SAY_H

#include <para/call.h>
#include <para/status.h>
#include <stdbool.h>
#include <stddef.h>

/* The exit statuses. */
enum { PARA__EXIT_OK = 0, PARA__EXIT_FAILED = 1, PARA__EXIT_USAGE = 2 };

/* Both print "para: " and the sentence to stderr. The second adds where help is, for the command of
 * that name (NULL: for none). They return the exit status that the sentence stands for. */
int para__say_failed(const char *format, ...) __attribute__((format(printf, 1, 2), cold));
int para__say_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3), cold));

/* A failure of the library, with its detail if there is one. */
int para__say_status(para_status status);

/* The text with each control character, and each byte that is not UTF-8, as \x1b: for a terminal.
 * To be freed; NULL if there is no memory. Sentences for stderr are made such as they are said. */
char *para__say_escaped(const char *text);

/* "s", or "" for one. */
const char *para__say_plural(size_t count);

/* A value without a newline: %.17g, or %a, which are exact. Every NaN is "nan". */
void para__say_value(double value, bool hexadecimal);

/* "name": value, "name_hex": "0x..." with null for what JSON has no number for. */
void para__say_json_value(const char *name, double value);

/* A number, or null for one that JSON has not. */
void para__say_json_number(double value);

/* A string in quotes. Bytes that are not UTF-8 become what Python's surrogateescape makes of them.
 */
void para__say_json_string(const char *text);

/* How the call ran: one line on stderr, or a member of a JSON object. */
void para__say_report(const para_report *report, unsigned workers);
void para__say_json_report(const para_report *report, unsigned workers);

#endif

/* A command that runs no kernel is a bystander: it reads what other programs write, perhaps to the
 * files that PARA_TRACE, PARA_METRICS and PARA_PAGE name, since these are exported for all. The
 * library would begin files of its own there before main does, so that is prevented before the
 * library's constructors run. musl has no such place; there the variables are to be unset. */
#include <stdbool.h>
#include <stddef.h>

/* Neither the C library nor a sanitizer's is ready when these run. */
#define EARLY __attribute__((no_sanitize("address", "thread", "undefined")))

/* Whether the text begins with the word, and goes on with that character. */
EARLY static bool begins(const char *text, const char *word, char next)
{
    while (*word && *text == *word) {
        text++;
        word++;
    }
    return !*word && *text == next;
}

EARLY static void hide_variables(int argc, char **argv, char **environment)
{
    static const char *const workers[] = {"map", "reduce", "calibrate"};
    static const char *const files[] = {"PARA_TRACE", "PARA_METRICS", "PARA_PAGE"};
    for (size_t i = 0; i < sizeof workers / sizeof workers[0] && argc > 1; i++)
        if (begins(argv[1], workers[i], '\0'))
            return;
    for (char **variable = environment; *variable; variable++)
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
            if (begins(*variable, files[i], '='))
                (*variable)[0] = '_';
}

__attribute__((section(".preinit_array"),
               used)) static void (*const early)(int, char **, char **) = hide_variables;

#include "engine/settings.h"

#include "base/status.h"
#include "engine/pool.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A variable's value, or NULL if it is not set or empty. */
static const char *value_of(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static para_status malformed(const char *name, const char *value, const char *expected)
{
    return para__fail(PARA_ERR_ENVIRONMENT, "%s=%.80s: expected %s", name, value, expected);
}

/* A thread count; in a list, as OpenMP allows one, the first. */
static para_status read_count(const char *name, bool list, unsigned *count)
{
    const char *value = value_of(name);
    if (!value)
        return PARA_OK;
    const char *digits = value + strspn(value, " \t");
    char *end = NULL;
    const int saved = errno;
    errno = 0;
    const unsigned long n = strtoul(digits, &end, 10);
    const bool overflow = errno != 0;
    errno = saved;
    end += strspn(end, " \t");
    const bool ended = *end == '\0' || (list && *end == ',');
    if (*digits < '0' || *digits > '9' || overflow || !ended || n == 0 || n > PARA__WORKERS_MAX)
        return malformed(name, value, "a number of threads, 1 to 1024");
    *count = (unsigned)n;
    return PARA_OK;
}

static para_status read_binding(para_binding *binding)
{
    static const struct {
        const char *word;
        para_binding binding;
    } words[] = {{"true", PARA_BIND_CORE},
                 {"core", PARA_BIND_CORE},
                 {"domain", PARA_BIND_DOMAIN},
                 {"false", PARA_BIND_NONE}};
    const char *value = value_of("PARA_PROC_BIND");
    if (!value)
        return PARA_OK;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasecmp(value, words[i].word) == 0) {
            *binding = words[i].binding;
            return PARA_OK;
        }
    return malformed("PARA_PROC_BIND", value, "true, false, core or domain");
}

/* A size as OpenMP writes it: a number and a unit, with spaces around either; K if there is none. */
static bool parse_size(const char *value, size_t *bytes)
{
    static const char units[] = "bkmg";
    const char *digits = value + strspn(value, " \t");
    char *end = NULL;
    const int saved = errno;
    errno = 0;
    const unsigned long long n = strtoull(digits, &end, 10);
    const bool overflow = errno != 0;
    errno = saved;
    end += strspn(end, " \t");
    const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
    end += unit != NULL;
    end += strspn(end, " \t");
    const unsigned shift = 10 * (unsigned)(unit ? unit - units : 1);
    if (*digits < '0' || *digits > '9' || overflow || *end || n == 0 || n > SIZE_MAX / 2 >> shift)
        return false;
    *bytes = (size_t)n << shift;
    return true;
}

/* Of OpenMP's variable, which is not ours, what cannot be read is passed over, and less is taken
 * where the system refuses so much. */
static para_status read_stack(para__stack *stack)
{
    const char *value = value_of("PARA_STACKSIZE");
    if (value)
        return parse_size(value, &stack->bytes)
                   ? PARA_OK
                   : malformed("PARA_STACKSIZE", value, "a size, such as 512K, 16M or 1G");
    value = value_of("OMP_STACKSIZE");
    stack->or_less = value && parse_size(value, &stack->bytes);
    return PARA_OK;
}

static para_status read_display(bool *display)
{
    const char *value = value_of("PARA_DISPLAY_ENV");
    if (!value)
        return PARA_OK;
    if (strcasecmp(value, "true") == 0 || strcasecmp(value, "false") == 0) {
        *display = strcasecmp(value, "true") == 0;
        return PARA_OK;
    }
    return malformed("PARA_DISPLAY_ENV", value, "true or false");
}

para_status para__settings_read(para__settings *settings)
{
    para__settings read = {0};
    para_status status = read_count("PARA_NUM_WORKERS", false, &read.workers);
    if (!status && read.workers == 0)
        status = read_count("OMP_NUM_THREADS", true, &read.workers);
    if (!status)
        status = read_binding(&read.binding);
    if (!status)
        status = read_stack(&read.stack);
    if (!status)
        status = read_display(&read.display);
    if (!status)
        *settings = read;
    return status;
}

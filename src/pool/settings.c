#include "pool/settings.h"

#include "base/atomic.h"
#include "base/log.h"
#include "base/resembles.h"
#include "base/status.h"
#include "base/variable.h"
#include "share/lane.h"
#include "topology/places.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static para_status malformed(const char *name, const char *value, const char *expected)
{
    return para__fail(PARA_ERR_ENVIRONMENT, "%s=%.80s: expected %s", name, value, expected);
}

/* Reads a decimal number without a sign and the blanks around it. Returns what follows; NULL if
 * there is no number. One that is too large for the type is the largest. */
static const char *take_count(const char *text, unsigned long *number)
{
    const char *digits = text + strspn(text, " \t");
    if (*digits < '0' || *digits > '9')
        return NULL;
    char *end = NULL;
    const int saved = errno;
    *number = strtoul(digits, &end, 10);
    errno = saved;
    return end + strspn(end, " \t");
}

/* The first number of OMP_NUM_THREADS, which is a list. The variable is OpenMP's, and runtimes
 * differ in what they accept: a value that cannot be read is ignored, and a large one is capped. */
static unsigned openmp_threads(void)
{
    const char *value = para__variable("OMP_NUM_THREADS");
    unsigned long n = 0;
    const char *end = value ? take_count(value, &n) : NULL;
    if (!end || (*end != '\0' && *end != ','))
        return 0;
    return n < PARA__WORKERS_MAX ? (unsigned)n : PARA__WORKERS_MAX;
}

/* Else the first of OMP_NUM_THREADS, where that can be read. */
static para_status read_workers(para__settings *settings)
{
    const char *value = para__variable("PARA_NUM_WORKERS");
    unsigned long n = 0;
    settings->workers = openmp_threads();
    if (!value)
        return PARA_OK;
    const char *end = take_count(value, &n);
    if (!end || *end != '\0' || n == 0 || n > PARA__WORKERS_MAX)
        return malformed("PARA_NUM_WORKERS", value, "a number of threads, 1 to 1024");
    settings->workers = (unsigned)n;
    settings->has_workers = true;
    return PARA_OK;
}

/* Includes the words of OMP_PROC_BIND, some of which may be in a list. */
static const struct binding_word {
    const char *word;
    para_binding binding;
    bool listed;
    para__filling filling;
} binding_words[] = {
    {"true", PARA_BIND_CORE, false, PARA__FILL_CLOSE},
    {"core", PARA_BIND_CORE, false, PARA__FILL_CLOSE},
    {"domain", PARA_BIND_DOMAIN, false, PARA__FILL_CLOSE},
    {"false", PARA_BIND_NONE, false, PARA__FILL_CLOSE},
    {"1", PARA_BIND_CORE, false, PARA__FILL_CLOSE},
    {"0", PARA_BIND_NONE, false, PARA__FILL_CLOSE},
    {"close", PARA_BIND_CORE, true, PARA__FILL_CLOSE},
    {"spread", PARA_BIND_CORE, true, PARA__FILL_SPREAD},
    {"primary", PARA_BIND_DOMAIN, true, PARA__FILL_PACKED},
    {"master", PARA_BIND_DOMAIN, true, PARA__FILL_PACKED},
};

static const struct binding_word *find_binding(const char *word, size_t length, bool listed)
{
    for (size_t i = 0; i < sizeof binding_words / sizeof binding_words[0]; i++)
        if (strlen(binding_words[i].word) == length &&
            strncasecmp(word, binding_words[i].word, length) == 0 &&
            (binding_words[i].listed || !listed))
            return &binding_words[i];
    return NULL;
}

/* OpenMP's lists have a word for each level of nesting: para takes the first. Blanks may stand
 * around each. */
static para_status read_binding(para__settings *settings)
{
    const char *value = para__variable("PARA_PROC_BIND");
    if (!value)
        return PARA_OK;
    const bool listed = strchr(value, ',') != NULL;
    const struct binding_word *first = NULL;
    for (const char *rest = value; rest;) {
        const char *const word = rest + strspn(rest, " \t");
        const size_t length = strcspn(word, ", \t");
        const char after = word[length + strspn(word + length, " \t")];
        const struct binding_word *found = find_binding(word, length, listed);
        if (!found || (after != ',' && after != '\0'))
            return malformed("PARA_PROC_BIND", value,
                             "true, false, core, domain, close, spread or primary");
        first = first ? first : found;
        const char *const comma = strchr(word, ',');
        rest = comma ? comma + 1 : NULL;
    }
    settings->binding = first->binding;
    settings->filling = first->filling;
    return PARA_OK;
}

/* What it means is for a machine to say. */
static para_status read_places(para__settings *settings)
{
    const char *const value = para__variable("PARA_PLACES");
    para__places_fault fault;
    if (value && para__places_make(NULL, NULL, value, &fault))
        return para__fail(PARA_ERR_ENVIRONMENT, "PARA_PLACES=%.80s: %s", value, fault.text);
    settings->places = value;
    return PARA_OK;
}

/* A size in OpenMP's form: a number and a unit, with spaces around either; the default unit is K.
 * And as 8MB. */
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
    end += unit && unit != units && tolower((unsigned char)*end) == 'b';
    end += strspn(end, " \t");
    const unsigned shift = 10 * (unsigned)(unit ? unit - units : 1);
    if (*digits < '0' || *digits > '9' || overflow || *end || n == 0 || n > SIZE_MAX / 2 >> shift)
        return false;
    *bytes = (size_t)n << shift;
    return true;
}

/* A value of OpenMP's variable that cannot be read is ignored. If the system refuses a stack of
 * that size, a smaller one is taken. */
static para_status read_stack(para__settings *settings)
{
    para__stack *const stack = &settings->stack;
    const char *value = para__variable("PARA_STACKSIZE");
    const char *const openmp = para__variable("OMP_STACKSIZE");
    stack->or_less = openmp && parse_size(openmp, &stack->bytes);
    if (!value)
        return PARA_OK;
    if (!parse_size(value, &stack->bytes))
        return malformed("PARA_STACKSIZE", value, "a size, such as 512K, 16M or 1G");
    stack->or_less = false;
    return PARA_OK;
}

/* OpenMP's variable counts only if it asks for less spinning than para's default. */
static para_status read_wait_policy(para__settings *settings)
{
    const char *value = para__variable("PARA_WAIT_POLICY");
    const char *const openmp = para__variable("OMP_WAIT_POLICY");
    if (openmp && strcasecmp(openmp, "passive") == 0)
        settings->wait_policy = PARA_WAIT_PASSIVE;
    if (!value)
        return PARA_OK;
    if (strcasecmp(value, "active") != 0 && strcasecmp(value, "passive") != 0)
        return malformed("PARA_WAIT_POLICY", value, "active or passive");
    settings->wait_policy = strcasecmp(value, "active") == 0 ? PARA_WAIT_ACTIVE : PARA_WAIT_PASSIVE;
    return PARA_OK;
}

static para_status read_display(para__settings *settings)
{
    const char *value = para__variable("PARA_DISPLAY_ENV");
    if (!value)
        return PARA_OK;
    return para__truth(value, &settings->display)
               ? PARA_OK
               : malformed("PARA_DISPLAY_ENV", value, PARA__TRUTHS);
}

/* Each of a variable of its own, and of OpenMP's that stands in for it. */
static para_status (*const readers[])(para__settings *settings) = {
    read_workers, read_binding, read_places, read_stack, read_wait_policy, read_display};
enum { READERS = sizeof readers / sizeof readers[0] };

/* What was meant by a variable's name after "PARA_", or NULL. Those who come from OpenMP try its
 * names. */
static const char *meant_by(const char *name)
{
    static const char *const workers[] = {"NUM_THREADS", "THREADS", "WORKERS"};
    for (size_t i = 0; i < sizeof workers / sizeof workers[0]; i++)
        if (strcasecmp(name, workers[i]) == 0)
            return "NUM_WORKERS";
    for (size_t i = 0; i < PARA__OWN_VARIABLES; i++)
        if (para__resembles(name, para__own_variables[i]))
            return para__own_variables[i];
    return NULL;
}

/* Other programs may have variables that begin as para's do: only those are told that look like a
 * slip. See ADR 127. */
static void tell_misspelt(void)
{
    static para__atomic_bool is_told;
    if (para__swap_relaxed(&is_told, true)) /* no order: it guards nothing */
        return;
    for (char **entry = environ; environ && *entry; entry++) {
        char name[32];
        const size_t length = strcspn(*entry, "=");
        if (strncasecmp(*entry, "PARA_", 5) != 0 || length - 5 >= sizeof name ||
            para__variable_is_own(*entry))
            continue;
        memcpy(name, *entry + 5, length - 5);
        name[length - 5] = '\0';
        const char *const meant = meant_by(name);
        if (strcasecmp(name, "SCHEDULE") == 0)
            para__tell(PARA_LOG_VARIABLE,
                       "%.5s%s: para has no such variable: it divides loops by itself", *entry,
                       name);
        else if (meant)
            para__tell(PARA_LOG_VARIABLE, "%.5s%s: para has no such variable; is PARA_%s meant?",
                       *entry, name, meant);
    }
}

para_status para__settings_read(para__settings *settings)
{
    para__settings read = {0};
    para_status status = PARA_OK;
    tell_misspelt();
    for (size_t i = 0; i < READERS && !status; i++)
        status = readers[i](&read);
    if (!status)
        *settings = read;
    return status;
}

void para__settings_take(para__settings *settings)
{
    static bool told[READERS];
    para__detail kept;
    para__detail_save(&kept);
    *settings = (para__settings){0};
    for (size_t i = 0; i < READERS; i++)
        if (readers[i](settings) && !told[i]) {
            told[i] = true;
            para__tell(PARA_LOG_VARIABLE, "%s; ignored", para_status_detail());
        }
    tell_misspelt();
    para__detail_restore(&kept);
}

#include "cli/loaded.h"

#include "cli/ending.h"
#include "cli/npy.h"
#include "cli/object.h"
#include "cli/say.h"

#include <ctype.h>
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A reduction from an object folds into one double; it starts from 0 unless the object says
 * otherwise. */
static const double zero = 0.0;

static double finish_loaded(const void *acc, size_t count)
{
    (void)count;
    return *(const double *)acc;
}

/* A symbol of an object. */
typedef struct found_symbol {
    void *address;           /* NULL: the object does not have it */
    const ElfW(Sym) * entry; /* its place in the object's table, NULL: it has none */
    bool outside;            /* it is in no object, but each thread has its own */
    bool elsewhere;          /* it is in an object that this one is linked with */
} found_symbol;

static found_symbol find(const para__choice *choice, const char *suffix)
{
    found_symbol found = {0};
    char *name = NULL;
    if (asprintf(&name, "%s%s", choice->symbol, suffix) < 0)
        return found;
    found.address = dlsym(choice->object, name);
    free(name);
    Dl_info object;
#ifdef __GLIBC__
    void *entry = NULL;
    found.outside = found.address && !dladdr1(found.address, &object, &entry, RTLD_DL_SYMENT);
    found.entry = entry;
#else
    found.outside = found.address && !dladdr(found.address, &object);
#endif
    found.elsewhere = found.address && !para__object_has(choice->object, found.address);
    return found;
}

/* An indirect function's address is what it resolves to, which may be static and has no entry. */
static bool is_function(const found_symbol *s)
{
    const int type = s->entry ? ELF64_ST_TYPE(s->entry->st_info) : STT_FUNC;
    return !s->outside && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static bool is_data(const found_symbol *s, size_t least, size_t most)
{
#ifdef __GLIBC__
    return s->entry && ELF64_ST_TYPE(s->entry->st_info) == STT_OBJECT &&
           s->entry->st_size >= least && s->entry->st_size <= most;
#else /* others do not tell type and size */
    return !s->outside && least <= most;
#endif
}

/* The object's name, for what is said about it. */
static int object_length(const para__choice *choice)
{
    return (int)(choice->symbol - 1 - choice->name);
}

static int refuse_symbol(const para__choice *choice, const char *suffix, const char *fault)
{
    return para__say_failed("%.*s: %s%s %s", object_length(choice), choice->name, choice->symbol,
                            suffix, fault);
}

/* Says that the symbol is missing and why; without a reason, adds its purpose. */
static int refuse_missing(const para__choice *choice, const char *suffix, const char *purpose)
{
    char *name = NULL;
    char *why = asprintf(&name, "%s%s", choice->symbol, suffix) < 0
                    ? NULL
                    : para__object_explain(choice->object, name, true);
    const int status =
        para__say_failed("%.*s: there is no symbol '%s%s'%s%s", object_length(choice), choice->name,
                         choice->symbol, suffix, why ? why : "", why ? "" : purpose);
    free(why);
    free(name);
    return status;
}

/* Sets *address to that of symbol + suffix. */
static int find_function(const para__choice *choice, const char *suffix, const char *purpose,
                         void **address)
{
    const found_symbol found = find(choice, suffix);
    *address = found.address;
    if (!found.address)
        return refuse_missing(choice, suffix, purpose);
    if (!is_function(&found))
        return refuse_symbol(choice, suffix, "is not a function");
    return found.elsewhere
               ? refuse_symbol(choice, suffix,
                               "is in another object that this one is linked with: name that")
               : 0;
}

/* Finds an optional variable; address NULL: it is not there. Refuses one that is in the file but
 * not exported, which would be ignored in silence. */
static int find_variable(const para__choice *choice, const char *suffix, found_symbol *found)
{
    char *name = NULL;
    *found = find(choice, suffix);
    if (found->elsewhere)
        *found = (found_symbol){0};
    if (found->address || asprintf(&name, "%s%s", choice->symbol, suffix) < 0)
        return 0;
    char *why = para__object_explain(choice->object, name, false);
    const int status = why ? refuse_missing(choice, suffix, "") : 0;
    free(why);
    free(name);
    return status;
}

/* SYMBOL_inputs */
static int read_inputs(para__choice *choice)
{
    found_symbol inputs;
    unsigned count = 1;
    const int status = find_variable(choice, "_inputs", &inputs);
    if (status)
        return status;
    if (inputs.address) {
        if (is_data(&inputs, sizeof count, sizeof count))
            memcpy(&count, inputs.address, sizeof count);
        else
            count = 0;
        if (count < 1 || count > PARA_IN_MAX)
            return refuse_symbol(choice, "_inputs", "is not an unsigned from 1 to 8");
    }
    choice->loaded.inputs = count;
    choice->says_inputs = inputs.address != NULL;
    return 0;
}

/* SYMBOL_dtype */
static int read_type(para__choice *choice)
{
    found_symbol type;
    const int status = find_variable(choice, "_dtype", &type);
    choice->type = PARA_FLOAT64;
    choice->says_type = type.address != NULL;
    if (status || !type.address)
        return status;
    for (int t = 0; t < PARA_DTYPE_COUNT; t++) {
        const char *name = para__dtype_name((para_dtype)t);
        choice->type = (para_dtype)t;
        if (is_data(&type, strlen(name) + 1, SIZE_MAX) &&
            memcmp(type.address, name, strlen(name) + 1) == 0)
            return 0;
    }
    return refuse_symbol(choice, "_dtype",
                         "is neither \"float32\" nor \"float64\", as an array of char");
}

/* Returns the index of a name in a list of names separated by spaces; -1: not found. */
static int place_in(const char *names, const char *name, size_t length)
{
    int place = 0;
    for (const char *p = names + strspn(names, " "); *p; place++) {
        const size_t own = strcspn(p, " ");
        if (own == length && memcmp(p, name, own) == 0)
            return place;
        p += own + strspn(p + own, " ");
    }
    return -1;
}

/* Stores each --arg at the index of its name in SYMBOL_args. Requires all names and no others. */
static int take_named(para__choice *choice, const para__request *request, const char *names)
{
    bool given[PARA__ARG_MAX] = {false};
    int place = 0;
    for (size_t i = 0; i < request->arg_count; i++) {
        const para__named *arg = &request->args[i];
        place = place_in(names, arg->name, arg->name_length);
        if (place < 0)
            return para__say_usage(request->command,
                                   "kernel %s has no argument '%.*s': %s_args is "
                                   "\"%s\"",
                                   choice->name, (int)arg->name_length, arg->name, choice->symbol,
                                   names);
        choice->values[place] = arg->value;
        given[place] = true;
    }
    place = 0;
    for (const char *p = names + strspn(names, " "); *p; place++) {
        const size_t own = strcspn(p, " ");
        if (!given[place])
            return para__say_usage(request->command, "kernel %s needs --arg %.*s=VALUE",
                                   choice->name, (int)own, p);
        p += own + strspn(p + own, " ");
    }
    return 0;
}

enum { LIST_MOST = 4096 }; /* bytes of a list whose size is not known */

/* Whether SYMBOL_args is a list of at most PARA__ARG_MAX different names. */
static bool is_list(const found_symbol *args)
{
    const char *names = args->address;
    int count = 0;
    if (!is_data(args, 1, SIZE_MAX) ||
        !memchr(names, '\0', args->entry ? args->entry->st_size : LIST_MOST))
        return false;
    for (const char *p = names + strspn(names, " "); *p; count++) {
        const size_t own = strcspn(p, " ");
        for (size_t i = 0; i < own; i++)
            if (!isgraph((unsigned char)p[i]))
                return false;
        if (memchr(p, '=', own) || place_in(names, p, own) != count || count == PARA__ARG_MAX)
            return false;
        p += own + strspn(p + own, " ");
    }
    return true;
}

/* Stores the values of --arg, in the order of SYMBOL_args or in their own, in read-only pages: a
 * reduction's kernel that is run as a map's takes them for its accumulator. */
static int take_values(para__choice *choice, const para__request *request)
{
    const size_t bytes = PARA__ARG_MAX * sizeof *choice->values;
    found_symbol args;
    void *values = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (values == MAP_FAILED)
        return para__say_status(PARA_ERR_MEMORY);
    choice->values = values;
    choice->arg = values;
    int status = find_variable(choice, "_args", &args);
    if (status)
        return status;
    if (args.address && !is_list(&args))
        return refuse_symbol(
            choice, "_args",
            "is not an array of char with at most 16 names, each once, and spaces between them");
    if (args.address)
        status = take_named(choice, request, args.address);
    for (size_t i = 0; i < request->arg_count && !args.address; i++)
        choice->values[i] = request->args[i].value;
    char *sentence = NULL;
    char *name = para__say_escaped(choice->name);
    if (name && asprintf(&sentence, "para: kernel %s writes to its arg, which it may only read%s\n",
                         name, choice->loaded.reduces ? "" : ": is it one for 'para reduce'?") < 0)
        sentence = NULL;
    if (sentence && mprotect(values, bytes, PROT_READ) == 0)
        para__ending_watch_constant(values, bytes, sentence);
    free(sentence);
    free(name);
    return status;
}

/* Refuses the kernel and the combine function of a reduction in a map. */
static int check_kind(const para__choice *choice, const para__request *request)
{
    const size_t length = strlen(choice->symbol);
    const size_t end = strlen("_combine");
    char *kernel = length > end && strcmp(choice->symbol + length - end, "_combine") == 0
                       ? strndup(choice->symbol, length - end)
                       : NULL;
    const bool joins = kernel && dlsym(choice->object, kernel);
    const int status =
        joins ? para__say_usage(request->command,
                                "kernel %s joins the results of %s, which is the kernel",
                                choice->name, kernel)
              : 0;
    free(kernel);
    if (joins)
        return status;
    static const char *const parts[] = {"_combine", "_identity"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const found_symbol found = find(choice, parts[i]);
        if (found.address && !found.elsewhere)
            return para__say_usage(request->command,
                                   "kernel %s is for 'para reduce': there is a %s%s", choice->name,
                                   choice->symbol, parts[i]);
    }
    return 0;
}

static int read_functions(para__choice *choice, const para__request *request)
{
    para_builtin_code *code = &choice->loaded.code[choice->type];
    void *address;
    found_symbol identity;
    int status = find_function(choice, "", "", &address);
    if (status)
        return status;
    if (!choice->loaded.reduces) {
        memcpy(&code->map, &address, sizeof address); /* POSIX: a function fits a void * */
        return check_kind(choice, request);
    }
    memcpy(&code->reduce, &address, sizeof address);
    status = find_function(choice, "_combine",
                           ", which a kernel for 'para reduce' needs; without it, it is one for "
                           "'para map'",
                           &address);
    if (status)
        return status;
    memcpy(&code->combine, &address, sizeof address);
    status = find_variable(choice, "_identity", &identity);
    if (!status && identity.address && !is_data(&identity, sizeof(double), sizeof(double)))
        status = refuse_symbol(choice, "_identity", "is not a double");
    code->acc_bytes = sizeof(double);
    code->identity = identity.address ? identity.address : &zero;
    code->finish = finish_loaded;
    return status;
}

/* Returns the colon between object and symbol; NULL: none. Skips the "::" of C++. */
static char *find_colon(char *name)
{
    char *colon = strrchr(name, ':');
    while (colon && colon > name && colon[-1] == ':') {
        colon[-1] = '\0'; /* as if the name ended there */
        char *before = strrchr(name, ':');
        colon[-1] = ':';
        colon = before;
    }
    return colon;
}

/* "./lib.so:symbol" */
int para__loaded_open(para__choice *choice, const para__request *request, bool reduces)
{
    choice->name = strdup(request->operands[0]);
    if (!choice->name)
        return para__say_status(PARA_ERR_MEMORY);
    char *colon = find_colon(choice->name);
    if (!colon || colon == choice->name || !colon[1])
        return para__say_usage(request->command, "kernel '%s' is not OBJECT:SYMBOL",
                               request->operands[0]);
    choice->symbol = colon + 1;
    *colon = '\0';
    choice->object = para__object_open(choice->name);
    *colon = ':';
    if (!choice->object)
        return PARA__EXIT_FAILED;
    choice->loaded = (para_builtin){.name = choice->name, .reduces = reduces};
    choice->kernel = &choice->loaded;
    int status = read_type(choice);
    if (!status)
        status = read_functions(choice, request);
    if (!status)
        status = read_inputs(choice);
    return status ? status : take_values(choice, request);
}

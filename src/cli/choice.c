#include "cli/choice.h"

#include "cli/npy.h"
#include "cli/say.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A reduction from an object folds into one double; it starts from 0 unless the object says
 * otherwise. */
static const double zero = 0.0;

static double finish_loaded(const void *acc, size_t count)
{
    (void)count;
    return *(const double *)acc;
}

/* A symbol of an object. */
typedef struct symbol {
    void *address;           /* NULL: the object does not have it */
    const ElfW(Sym) * entry; /* its place in the object's table, NULL: it has none */
    bool outside;            /* it is in no object, but each thread has its own */
} symbol;

static symbol find(const para__choice *choice, const char *suffix)
{
    symbol found = {0};
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
    return found;
}

/* An indirect function's address is what it resolves to, which may be static and has no entry. */
static bool is_function(const symbol *s)
{
    const int type = s->entry ? ELF64_ST_TYPE(s->entry->st_info) : STT_FUNC;
    return !s->outside && (type == STT_FUNC || type == STT_GNU_IFUNC);
}

static bool is_data(const symbol *s, size_t least, size_t most)
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

/* Sets *address to that of symbol + suffix. */
static int find_function(const para__choice *choice, const char *suffix, void **address)
{
    const symbol found = find(choice, suffix);
    *address = found.address;
    if (!found.address)
        return para__say_failed("%.*s: there is no symbol '%s%s'", object_length(choice),
                                choice->name, choice->symbol, suffix);
    return is_function(&found) ? 0 : refuse_symbol(choice, suffix, "is not a function");
}

/* What the object says of the kernel in variables beside it. */
static int read_description(para__choice *choice)
{
    const symbol inputs = find(choice, "_inputs");
    const symbol type = find(choice, "_dtype");
    unsigned count = 1;
    if (inputs.address) {
        if (is_data(&inputs, sizeof count, sizeof count))
            memcpy(&count, inputs.address, sizeof count);
        else
            count = 0;
        if (count < 1 || count > PARA_IN_MAX)
            return refuse_symbol(choice, "_inputs", "is not an unsigned from 1 to 8");
    }
    choice->loaded.inputs = count;
    choice->type = PARA_FLOAT64;
    choice->says_type = type.address != NULL;
    choice->says_inputs = inputs.address != NULL;
    if (!type.address)
        return 0;
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

static int read_functions(para__choice *choice, bool reduces)
{
    para_builtin_code *code = &choice->loaded.code[choice->type];
    void *address;
    int status = find_function(choice, "", &address);
    if (status)
        return status;
    if (!reduces) {
        memcpy(&code->map, &address, sizeof address); /* POSIX: a function fits a void * */
        return 0;
    }
    memcpy(&code->reduce, &address, sizeof address);
    status = find_function(choice, "_combine", &address);
    memcpy(&code->combine, &address, sizeof address);
    const symbol identity = find(choice, "_identity");
    if (!status && identity.address && !is_data(&identity, sizeof(double), sizeof(double)))
        status = refuse_symbol(choice, "_identity", "is not a double");
    code->acc_bytes = sizeof(double);
    code->identity = identity.address ? identity.address : &zero;
    code->finish = finish_loaded;
    return status;
}

/* "./lib.so:symbol" */
static int load(para__choice *choice, const para__request *request, bool reduces)
{
    choice->name = strdup(request->operands[0]);
    if (!choice->name)
        return para__say_status(PARA_ERR_MEMORY);
    char *colon = strrchr(choice->name, ':');
    choice->symbol = colon + 1;
    if (colon == choice->name || !*choice->symbol)
        return para__say_usage(request->command, "kernel '%s' is not OBJECT:SYMBOL",
                               request->operands[0]);
    *colon = '\0';
    choice->object = dlopen(choice->name, RTLD_NOW | RTLD_LOCAL);
    *colon = ':';
    if (!choice->object)
        return para__say_failed("%s", dlerror());
    choice->loaded = (para_builtin){.name = choice->name, .reduces = reduces};
    choice->kernel = &choice->loaded;
    int status = read_description(choice);
    if (!status)
        status = read_functions(choice, reduces);
    for (size_t i = 0; i < request->arg_count; i++)
        choice->values[i] = request->args[i].value;
    choice->arg = choice->values;
    return status;
}

/* A built-in kernel takes its own parameter and no other. */
static int take_parameter(para__choice *choice, const para__request *request)
{
    const char *name = request->operands[0];
    const char *parameter = choice->kernel->parameter;
    bool given = false;
    for (size_t i = 0; i < request->arg_count; i++) {
        const para__named *arg = &request->args[i];
        if (!parameter || strlen(parameter) != arg->name_length ||
            memcmp(parameter, arg->name, arg->name_length) != 0)
            return para__say_usage(request->command, "kernel %s has no argument '%.*s'", name,
                                   (int)arg->name_length, arg->name);
        choice->builtin_arg.a = arg->value;
        given = true;
    }
    if (parameter && !given)
        return para__say_usage(request->command, "kernel %s needs --arg %s=VALUE", name, parameter);
    choice->arg = &choice->builtin_arg;
    return 0;
}

int para__choice_make(para__choice *choice, const para__request *request, bool reduces)
{
    *choice = (para__choice){0};
    const size_t files = request->operand_count ? request->operand_count - 1 : 0;
    if (request->operand_count == 0)
        return para__say_usage(request->command, "a kernel is missing");
    if (files > PARA_IN_MAX)
        return para__say_usage(request->command, "more than %d input files", PARA_IN_MAX);
    const char *name = request->operands[0];
    if (strchr(name, ':')) {
        const int status = load(choice, request, reduces);
        if (status)
            return status;
    } else {
        choice->kernel = para_builtin_find(name);
        if (!choice->kernel)
            return para__say_usage(request->command, "unknown kernel '%s'", name);
        if (choice->kernel->reduces != reduces)
            return para__say_usage(request->command, "kernel %s is for 'para %s'", name,
                                   reduces ? "map" : "reduce");
    }
    const unsigned inputs = choice->kernel->inputs;
    const bool assumed = choice->object && !choice->says_inputs;
    if (files != inputs)
        return para__say_usage(request->command,
                               "kernel %s reads %u input file%s; given: %zu%s%s%s", name, inputs,
                               para__say_plural(inputs), files, assumed ? " (there is no " : "",
                               assumed ? choice->symbol : "", assumed ? "_inputs)" : "");
    return choice->object ? 0 : take_parameter(choice, request);
}

void para__choice_close(para__choice *choice)
{
    if (choice->object)
        dlclose(choice->object);
    free(choice->name);
    choice->object = NULL;
    choice->name = NULL;
}

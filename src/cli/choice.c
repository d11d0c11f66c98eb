#include "cli/choice.h"

#include "cli/say.h"

#include <dlfcn.h>
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

/* The address of symbol + suffix; NULL if the object does not have it. */
static void *find(void *object, const char *symbol, const char *suffix)
{
    char *name;
    if (asprintf(&name, "%s%s", symbol, suffix) < 0)
        return NULL;
    void *address = dlsym(object, name);
    free(name);
    return address;
}

/* "./lib.so:symbol". The same functions serve both element types: the file's type is what they get.
 */
static int load(para__choice *choice, const para__request *request, bool reduces)
{
    choice->name = strdup(request->operands[0]);
    if (!choice->name)
        return para__say_status(PARA_ERR_MEMORY);
    char *colon = strrchr(choice->name, ':');
    const char *symbol = colon + 1;
    *colon = '\0';
    if (colon == choice->name || !*symbol)
        return para__say_usage(request->command, "kernel '%s' is not OBJECT:SYMBOL",
                               request->operands[0]);
    choice->object = dlopen(choice->name, RTLD_NOW | RTLD_LOCAL);
    if (!choice->object)
        return para__say_failed("%s", dlerror());
    void *kernel = find(choice->object, symbol, "");
    void *combine = reduces ? find(choice->object, symbol, "_combine") : NULL;
    const void *identity = reduces ? find(choice->object, symbol, "_identity") : NULL;
    if (!kernel || (reduces && !combine))
        return para__say_failed("%s: there is no symbol '%s%s'", choice->name, symbol,
                                kernel ? "_combine" : "");
    *colon = ':';

    para_builtin_code code = {0};
    if (reduces) {
        code = (para_builtin_code){.acc_bytes = sizeof(double),
                                   .identity = identity ? identity : &zero,
                                   .finish = finish_loaded};
        memcpy(&code.reduce, &kernel,
               sizeof kernel); /* POSIX: a function's address fits a void * */
        memcpy(&code.combine, &combine, sizeof combine);
    } else {
        memcpy(&code.map, &kernel, sizeof kernel);
    }
    choice->loaded = (para_builtin){.name = choice->name,
                                    .inputs = (unsigned)request->operand_count - 1,
                                    .reduces = reduces,
                                    .code = {code, code}};
    choice->kernel = &choice->loaded;
    for (size_t i = 0; i < request->arg_count; i++)
        choice->values[i] = request->args[i].value;
    choice->arg = request->arg_count ? choice->values : NULL;
    return 0;
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
    const bool object = strchr(name, ':') != NULL;
    if (!object) {
        choice->kernel = para_builtin_find(name);
        if (!choice->kernel)
            return para__say_usage(request->command, "unknown kernel '%s'", name);
        if (choice->kernel->reduces != reduces)
            return para__say_usage(request->command, "kernel %s is for 'para %s'", name,
                                   reduces ? "map" : "reduce");
    }
    if (object ? files == 0 : files != choice->kernel->inputs)
        return para__say_usage(request->command, "kernel %s reads %s%u input file%s; given: %zu",
                               name, object ? "at least " : "", object ? 1 : choice->kernel->inputs,
                               object || choice->kernel->inputs == 1 ? "" : "s", files);
    return object ? load(choice, request, reduces) : take_parameter(choice, request);
}

void para__choice_close(para__choice *choice)
{
    if (choice->object)
        dlclose(choice->object);
    free(choice->name);
    choice->object = NULL;
    choice->name = NULL;
}

#include "cli/choice.h"

#include "base/resembles.h"
#include "cli/ending.h"
#include "cli/loaded.h"
#include "cli/say.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static int refuse_unknown_kernel(const para__request *request)
{
    const char *name = request->operands[0];
    const para_builtin *near = NULL;
    const para_builtin *kernel;
    for (size_t i = 0; (kernel = para_builtin_at(i)) != NULL; i++)
        if (para__resembles(name, kernel->name))
            near = kernel;
    if (ends_with(name, ".so"))
        return para__say_usage(request->command,
                               "unknown kernel '%s': name the function in it, too, as in %s:f",
                               name, name);
    if (ends_with(name, ".npy"))
        return para__say_usage(request->command,
                               "unknown kernel '%s': the kernel comes first, "
                               "'para kernels' lists them",
                               name);
    return para__say_usage(request->command, "unknown kernel '%s': %s%s%s'para kernels' lists them",
                           name, near ? "is it '" : "", near ? near->name : "", near ? "'? " : "");
}

/* As many files as the kernel reads. */
static int check_files(const para__choice *choice, const para__request *request, size_t files)
{
    const unsigned inputs = choice->kernel->inputs;
    const bool assumed = choice->object && !choice->says_inputs;
    if (files == inputs)
        return 0;
    const bool each = inputs == 1 && files > 1 && !assumed;
    return para__say_usage(
        request->command, "%skernel %s reads %u input file%s; given: %zu%s%s%s%s",
        files > PARA_IN_MAX ? "more than 8 input files: " : "", request->operands[0], inputs,
        para__say_plural(inputs), files, assumed ? " (there is no " : "",
        assumed ? choice->symbol : "", assumed ? "_inputs)" : "",
        !each ? ""
        : choice->kernel->reduces
            ? ": run it on each, as in 'for f in *.npy; do para reduce KERNEL "
              "\"$f\"; done'"
            : ": run it on each, as in 'for f in *.npy; do para map KERNEL "
              "\"$f\" -o \"out/$f\"; done'");
}

int para__choice_make(para__choice *choice, const para__request *request, bool reduces)
{
    *choice = (para__choice){0};
    if (request->operand_count == 0)
        return para__say_usage(request->command, "a kernel is missing: 'para kernels' lists them");
    const size_t files = request->operand_count - 1;
    const char *name = request->operands[0];
    int status = 0;
    if (strchr(name, ':')) {
        status = para__loaded_open(choice, request, reduces);
    } else {
        choice->kernel = para_builtin_find(name);
        if (!choice->kernel)
            return refuse_unknown_kernel(request);
        if (choice->kernel->reduces != reduces)
            return para__say_usage(request->command, "kernel %s is for 'para %s'", name,
                                   reduces ? "map" : "reduce");
    }
    if (!status)
        status = check_files(choice, request, files);
    return status || choice->object ? status : take_parameter(choice, request);
}

void para__choice_close(para__choice *choice)
{
    if (choice->values) {
        para__ending_forget(choice->values);
        munmap(choice->values, PARA__ARG_MAX * sizeof *choice->values);
    }
    if (choice->object)
        dlclose(choice->object);
    free(choice->name);
    *choice = (para__choice){0};
}

/* `para kernels`: the built-in kernels. */
#include "kernels/kernels.h"

#include "cli/commands.h"
#include "cli/say.h"

#include <stdio.h>

int para__command_kernels(const para__request *request)
{
    const para_builtin *kernel;
    if (request->operand_count)
        return para__say_usage(request->command, "unexpected '%s'", request->operands[0]);
    if (request->json)
        printf("{\"kernels\": [");
    else
        printf("%-10s%-8s%-8s%-11s%s\n", "KERNEL", "FOR", "INPUTS", "ARGUMENTS", "COMPUTES");
    for (size_t i = 0; (kernel = para_builtin_at(i)) != NULL; i++) {
        const char *command = kernel->reduces ? "reduce" : "map";
        const char *parameter = kernel->parameter ? kernel->parameter : "";
        if (request->json)
            printf("%s{\"name\": \"%s\", \"command\": \"%s\", \"inputs\": %u, \"arguments\": "
                   "[%s%s%s], "
                   "\"computes\": \"%s\", \"dtypes\": [\"float32\", \"float64\"]}",
                   i ? ", " : "", kernel->name, command, kernel->inputs, *parameter ? "\"" : "",
                   parameter, *parameter ? "\"" : "", kernel->formula);
        else
            printf("%-10s%-8s%-8u%-11s%s\n", kernel->name, command, kernel->inputs,
                   *parameter ? parameter : "-", kernel->formula);
    }
    if (request->json)
        printf("]}\n");
    return 0;
}

#include "cli/svg.h"

#include "cli/ending.h"
#include "cli/say.h"

#include <errno.h>
#include <string.h>

int para__svg_run(const para__request *request,
                  int (*command)(const para__request *request, para__target *target))
{
    para__target target = {.folder = -1, .descriptor = -1};
    if (!request->drawing)
        return command(request, NULL);
    if (strcmp(request->drawing, "-") == 0)
        return para__say_usage(request->command, "--svg needs the name of a file: the standard "
                                                 "output has the text");
    para__ending_watch();
    int status = para__target_create(&target, request->drawing, "");
    if (!status)
        status = command(request, &target);
    para__target_discard(&target);
    para__ending_release();
    return status;
}

int para__svg_save(para__target *target, int (*draw)(FILE *to, const void *of), const void *of)
{
    FILE *const stream = para__target_stream(target);
    if (!stream)
        return PARA__EXIT_FAILED;
    const int status = draw(stream, of);
    const bool failed = ferror(stream) != 0;
    if (fclose(stream) != 0 || failed)
        return para__target_fail(target, strerror(errno));
    return status ? status : para__target_commit(target);
}

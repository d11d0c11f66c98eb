#include "observe/file.h"

#include "base/descriptor.h"
#include "base/unique.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

typedef struct writing {
    para_status (*fill)(void *of, FILE *stream);
    void *of;
} writing;

bool para__file_name(char *to, size_t bytes, const char *path)
{
    char folder[4096] = "";
    const char *const mark = strstr(path, "%p");
    const char *const rest = mark ? mark + 2 : path + strlen(path);
    const int before = (int)(mark ? mark - path : rest - path);
    char number[24] = "";
    if (mark)
        snprintf(number, sizeof number, "%ld", (long)getpid());
    const bool is_relative = *path != '/' && getcwd(folder, sizeof folder);
    const int n = snprintf(to, bytes, "%s%s%.*s%s%s", is_relative ? folder : "",
                           is_relative ? "/" : "", before, path, number, rest);
    return n >= 0 && (size_t)n < bytes;
}

/* Writes a new file beside path, whose name it stores in temporary, and renames that to path. */
static para_status write_beside(const writing *w, const char *path, char *temporary,
                                const struct stat *old)
{
    const char *slash = strrchr(path, '/');
    const size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    const int file =
        para__descriptor_keep(para__unique_create(AT_FDCWD, path, folder, temporary, 0666));
    FILE *stream = file >= 0 ? fdopen(file, "w") : NULL;
    para_status status = PARA_OK;
    if (!stream) {
        status = para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
    } else {
        if (old)
            (void)fchmod(file, old->st_mode & 0777); /* whoever could read it still can */
        status = w->fill(w->of, stream);
        if (fclose(stream) != 0 && !status)
            status = para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
        if (!status && rename(temporary, path) != 0)
            status = para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
    }
    if (status && file >= 0)
        unlink(temporary);
    return status;
}

sigset_t para__file_signal_off(void)
{
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    return before;
}

void para__file_signal_restore(const sigset_t *before)
{
    const int saved = errno;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGXFSZ);
    if (!sigismember(before, SIGXFSZ))
        while (sigtimedwait(&signals, NULL, &(struct timespec){0}) > 0)
            continue;
    pthread_sigmask(SIG_SETMASK, before, NULL);
    errno = saved;
}

para_status para__file_replace(const char *path, para_status (*fill)(void *of, FILE *stream),
                               void *of)
{
    const writing w = {fill, of};
    struct stat there; /* a file is replaced, and nothing else: no device, no pipe */
    const bool exists = stat(path, &there) == 0;
    if (exists && !S_ISREG(there.st_mode))
        return para__fail(PARA_ERR_FILE, "%s: not a regular file", path);
    char *target = para__unique_resolve(path); /* a link stays a link */
    if (!target && errno != ENOMEM)
        return para__fail(PARA_ERR_FILE, "%s: %s", path, strerror(errno));
    char *temporary = target ? malloc(strlen(target) + PARA__UNIQUE_MAX) : NULL;
    const sigset_t before = para__file_signal_off();
    const para_status status = temporary
                                   ? write_beside(&w, target, temporary, exists ? &there : NULL)
                                   : para__fail(PARA_ERR_MEMORY, "%s", path);
    para__file_signal_restore(&before);
    free(temporary);
    free(target);
    return status;
}

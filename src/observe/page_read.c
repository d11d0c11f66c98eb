/* A page as its readers see it. It is read by read(), not mapped: a file that is cut off meanwhile
 * would end a reader that maps it.
 *
 * Who publishes holds a lock on the file. The system takes it back when the process has ended, so a
 * page without one is that of the dead, also in another container, where process numbers differ. */
#include "base/status.h"
#include "base/tuning_observe.h"
#include "observe/page_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- Bytes ---------------------------------------------------------------------------- */

_Static_assert(sizeof(para_page) % sizeof(uint64_t) == 0, "a page is words");
_Static_assert(offsetof(para_page, checksum) == PARA__PAGE_SUM_AT * sizeof(uint64_t), "its place");

uint64_t para_page_sum(const para_page *page)
{
    uint64_t sum = 14695981039346656037u;
    if (!page)
        return 0;
    for (size_t i = 0; i < sizeof *page / sizeof(uint64_t); i++) {
        uint64_t word;
        memcpy(&word, (const char *)page + i * sizeof word, sizeof word);
        if (i != PARA__PAGE_SUM_AT)
            sum = (sum ^ word) * 1099511628211u;
    }
    return sum;
}

para_status para__page_check(para_page *page, size_t bytes, bool *is_torn)
{
    *is_torn = false;
    if (bytes < offsetof(para_page, checksum) ||
        memcmp(page->magic, PARA__PAGE_MAGIC, sizeof page->magic) != 0)
        return para__fail(PARA_ERR_FILE, "this is no page of para");
    if (page->version != PARA_PAGE_VERSION || page->bytes != sizeof *page)
        return para__fail(PARA_ERR_VERSION, "a page of version %u, not %d", page->version,
                          PARA_PAGE_VERSION);
    if (bytes < sizeof *page)
        return para__fail(PARA_ERR_FILE, "the page is cut off");
    *is_torn = page->checksum != para_page_sum(page);
    if (*is_torn || page->threads > PARA_PAGE_THREADS || page->kernels > PARA_PAGE_KERNELS)
        return para__fail(PARA_ERR_FILE, "the page is damaged");
    page->program[sizeof page->program - 1] = '\0';
    for (unsigned t = 0; t < PARA_PAGE_THREADS; t++)
        page->thread[t].name[sizeof page->thread[t].name - 1] = '\0';
    for (unsigned k = 0; k < PARA_PAGE_KERNELS; k++) {
        page->kernel[k].name[sizeof page->kernel[k].name - 1] = '\0';
        page->kernel[k].place[sizeof page->kernel[k].place - 1] = '\0';
    }
    return PARA_OK;
}

/* ---- Files ---------------------------------------------------------------------------- */

/* What is no file is found out by fstat, and must not hold up the open. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

/* Whether a process holds the lock, or it cannot be told. */
static bool has_publisher(int fd)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

static size_t read_bytes(int fd, para_page *page)
{
    size_t done = 0;
    ssize_t n;
    memset(page, 0, sizeof *page);
    do {
        n = pread(fd, (char *)page + done, sizeof *page - done, (off_t)done);
        done += n > 0 ? (size_t)n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    return done;
}

static para_status read_page(int fd, para_page *page)
{
    struct stat facts;
    bool is_torn = true;
    para_status status = PARA_OK;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode))
        return para__fail(PARA_ERR_FILE, "this is no page of para");
    for (unsigned i = 0; i < PARA__PAGE_READS && is_torn; i++) {
        if (i > 0)
            nanosleep(&(struct timespec){.tv_nsec = PARA__PAGE_PAUSE_NS}, NULL);
        status = para__page_check(page, read_bytes(fd, page), &is_torn);
    }
    if (!status && !has_publisher(fd))
        status = para__fail(PARA_ERR_FILE, "process %jd has ended", (intmax_t)page->pid);
    return status;
}

/* The detail, with a name in front. */
static para_status name_fault(para_status status, const char *name)
{
    para__detail kept;
    para__detail_save(&kept);
    return para__fail(status, "%.120s: %.120s", name, kept.text);
}

/* Reads into *page, which is the caller's to overwrite only with a page. */
static para_status read_file(int fd, const char *name, para_page *page)
{
    para_page *const found = malloc(sizeof *found);
    para_status status = found ? read_page(fd, found) : para__fail(PARA_ERR_MEMORY, "a page");
    if (!status)
        *page = *found;
    free(found);
    return status ? name_fault(status, name) : PARA_OK;
}

static para_status check_room(const para_page *page, size_t page_bytes)
{
    return page && page_bytes == sizeof *page
               ? PARA_OK
               : para__fail(PARA_ERR_ARGUMENT, "%s", page ? "page_bytes" : "no page");
}

para_status para_page_read(const char *path, para_page *page, size_t page_bytes)
{
    if (!path || check_room(page, page_bytes))
        return path ? PARA_ERR_ARGUMENT : para__fail(PARA_ERR_ARGUMENT, "no path");
    const int saved = errno;
    const int fd = open(path, OPEN_FLAGS);
    para_status status = fd >= 0 ? read_file(fd, path, page)
                                 : para__fail(PARA_ERR_FILE, "%.160s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    errno = saved;
    return status;
}

/* ---- Processes ------------------------------------------------------------------------ */

/* Among the files that the process has open. */
static int open_of_process(int folder, DIR *opened)
{
    const struct dirent *file;
    while ((file = readdir(opened))) {
        char target[64] = "";
        if (readlinkat(folder, file->d_name, target, sizeof target - 1) > 0 &&
            strcmp(target, "/memfd:" PARA__PAGE_MAGIC " (deleted)") == 0)
            return openat(folder, file->d_name, OPEN_FLAGS);
    }
    errno = 0;
    return -1;
}

para_status para_page_read_process(int64_t pid, para_page *page, size_t page_bytes)
{
    char name[64], path[64];
    if (check_room(page, page_bytes))
        return PARA_ERR_ARGUMENT;
    const int saved = errno;
    snprintf(name, sizeof name, "process %jd", (intmax_t)pid);
    snprintf(path, sizeof path, "/proc/%jd/fd", (intmax_t)pid);
    DIR *const opened = opendir(path);
    const int fd = opened ? open_of_process(dirfd(opened), opened) : -1;
    para_status status = PARA_OK;
    if (fd >= 0)
        status = read_file(fd, name, page);
    else if (!opened)
        status = para__fail(PARA_ERR_FILE, "%s: %s", name,
                            errno == ENOENT ? "there is none" : strerror(errno));
    else
        status = para__fail(PARA_ERR_FILE, "%s: %s", name,
                            errno ? strerror(errno) : "it publishes no page: see PARA_PAGE");
    if (fd >= 0)
        close(fd);
    if (opened)
        closedir(opened);
    errno = saved;
    return status;
}

/* The page of this process. It is composed in private memory and written by one pwrite: a mapping
 * would end the program with SIGBUS if somebody cut the file off, and a full disk likewise. */
#include "base/descriptor.h"
#include "base/fork.h"
#include "base/log.h"
#include "base/process.h"
#include "base/tuning_observe.h"
#include "base/unique.h"
#include "base/variable.h"
#include "observe/timer.h"
#include "observe/file.h"
#include "observe/numbers.h"
#include "observe/page_check.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

static para__guard publishing = PARA__GUARD_INIT; /* who starts and stops; then the writer's */

static struct {
    unsigned forks; /* the process that publishes; 0: none */
    int fd;
    dev_t device; /* and whose file that is: a program may close what it does not know */
    ino_t inode;
    char *path; /* NULL: it has none */
    bool has_failed;
    uint64_t number, started_ns;
    para_page page; /* what is written next */
} the_page;

/* ---- Writing -------------------------------------------------------------------------- */

static void fill_rows(para_page *page)
{
    for (unsigned t = 0; t < page->stats.threads && page->threads < PARA_PAGE_THREADS; t++) {
        para_thread_stats *const row = &page->thread[page->threads];
        row->size = sizeof *row;
        page->threads += para__numbers_of(t, row) && !row->has_ended;
    }
    if (page->threads < PARA_PAGE_THREADS) /* the last one has ended */
        memset(&page->thread[page->threads], 0, sizeof page->thread[0]);
    page->kernels = (uint32_t)para__numbers_of_kernels(page->kernel, PARA_PAGE_KERNELS);
}

static void fill_page(para_page *page)
{
    memset(page, 0, sizeof *page);
    memcpy(page->magic, PARA__PAGE_MAGIC, sizeof page->magic);
    page->version = PARA_PAGE_VERSION;
    page->bytes = sizeof *page;
    page->number = ++the_page.number;
    page->started_ns = the_page.started_ns;
    page->pid = getpid();
    snprintf(page->program, sizeof page->program, "%s", program_invocation_short_name);
    page->stats.size = sizeof page->stats;
    if (para_stats_get(&page->stats) == PARA_OK)
        fill_rows(page);
    page->written_ns = para__now_ns();
    page->checksum = para_page_sum(page);
}

static bool is_own_file(void)
{
    struct stat now;
    return fstat(the_page.fd, &now) == 0 && now.st_dev == the_page.device &&
           now.st_ino == the_page.inode;
}

static void write_page(void)
{
    fill_page(&the_page.page);
    errno = EBADF;
    const bool is_written =
        is_own_file() &&
        pwrite(the_page.fd, &the_page.page, sizeof the_page.page, 0) == sizeof the_page.page;
    if (!is_written && !the_page.has_failed)
        para__tell(PARA_LOG_FILE, "the page of process %ld: %s", (long)getpid(),
                   errno ? strerror(errno) : "the disk is full");
    the_page.has_failed = !is_written;
}

/* ---- Starting and stopping ------------------------------------------------------------ */

/* Makes the file with its first page in it, and takes the lock that says who publishes it. */
static para_status begin_file(const char *name)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat facts;
    struct rlimit most;
    if (the_page.fd < 0 || fstat(the_page.fd, &facts) != 0)
        return para__fail(PARA_ERR_FILE, "%s: %s", name, strerror(errno));
    the_page.device = facts.st_dev;
    the_page.inode = facts.st_ino;
    the_page.number = 0;
    the_page.started_ns = para__now_ns();
    fill_page(&the_page.page);
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur < sizeof the_page.page)
        return para__fail(PARA_ERR_FILE, "%s: %s", name, strerror(EFBIG)); /* else by a signal */
    errno = 0;
    if (pwrite(the_page.fd, &the_page.page, sizeof the_page.page, 0) != sizeof the_page.page)
        return para__fail(PARA_ERR_FILE, "%s: %s", name, strerror(errno ? errno : ENOSPC));
    (void)fcntl(the_page.fd, F_OFD_SETLK, &lock); /* some file systems have none */
    return PARA_OK;
}

/* Beside the path, then under its name. */
static para_status begin_at(const char *path)
{
    struct stat there;
    char full[4096];
    if (!para__file_name(full, sizeof full, path))
        return para__fail(PARA_ERR_FILE, "%.80s...: the path is too long", path);
    if (stat(full, &there) == 0 && !S_ISREG(there.st_mode))
        return para__fail(PARA_ERR_FILE, "%s: not a regular file", full);
    char *const target = para__unique_resolve(full);
    if (!target)
        return para__fail(PARA_ERR_FILE, "%s: %s", full, strerror(errno));
    char *const temporary = malloc(strlen(target) + PARA__UNIQUE_MAX);
    para_status status = temporary ? PARA_OK : para__fail(PARA_ERR_MEMORY, "%s", full);
    if (!status) {
        const char *const slash = strrchr(target, '/');
        const size_t folder = slash ? (size_t)(slash - target) + 1 : 0;
        the_page.fd =
            para__descriptor_keep(para__unique_create(AT_FDCWD, target, folder, temporary, 0666));
        status = begin_file(full);
        if (!status && rename(temporary, target) != 0)
            status = para__fail(PARA_ERR_FILE, "%s: %s", full, strerror(errno));
        if (status && the_page.fd >= 0)
            unlink(temporary);
    }
    free(temporary);
    if (status)
        free(target);
    else
        the_page.path = target;
    return status;
}

/* Removes the file, unless another stands in its place by now. */
static void end_file(void)
{
    struct stat there;
    if (the_page.path && stat(the_page.path, &there) == 0 && there.st_dev == the_page.device &&
        there.st_ino == the_page.inode)
        unlink(the_page.path);
    free(the_page.path);
    the_page.path = NULL;
    if (the_page.fd >= 0 && is_own_file())
        close(the_page.fd);
    the_page.fd = -1;
}

static para_status start_page(const char *path)
{
    if (the_page.forks == para__fork_count())
        return para__fail(PARA_ERR_BUSY, "a page is published already");
    the_page.fd = -1;
    the_page.path = NULL;
    the_page.has_failed = false;
    para_status status = para__numbers_keep();
    if (status)
        return status;
    if (path)
        status = begin_at(path);
    else {
        the_page.fd = para__descriptor_keep(memfd_create(PARA__PAGE_MAGIC, MFD_CLOEXEC));
        status = begin_file("a page in memory");
    }
    if (!status)
        status = para__timer_start(PARA__TIMER_PAGE, (uint64_t)PARA__PAGE_NS, write_page);
    if (status) {
        end_file();
        para__numbers_rest();
        return status;
    }
    the_page.forks = para__fork_count();
    return PARA_OK;
}

para_status para_page_start(const char *path)
{
    if (path && !*path)
        return para__fail(PARA_ERR_ARGUMENT, "an empty path");
    const int saved = errno;
    para__guard_enter(&publishing);
    const para_status status = start_page(path);
    para__guard_leave(&publishing);
    errno = saved;
    return status;
}

para_status para_page_stop(void)
{
    const int saved = errno;
    para__guard_enter(&publishing);
    const bool is_on = the_page.forks == para__fork_count();
    if (is_on) {
        the_page.forks = 0;
        para__timer_stop(PARA__TIMER_PAGE);
        end_file();
        para__numbers_rest();
    }
    para__guard_leave(&publishing);
    errno = saved;
    return is_on ? PARA_OK : para__fail(PARA_ERR_ARGUMENT, "no page is published");
}

/* A child has copies of the descriptor, and with it of the lock: it must not keep the parent's page
 * alive. */
static void forget_page(void)
{
    if (the_page.forks && the_page.fd >= 0 && is_own_file())
        close(the_page.fd);
    the_page.forks = 0;
    the_page.fd = -1;
}

/* ---- PARA_PAGE ------------------------------------------------------------------------ */

__attribute__((constructor(102))) static void begin_page(void)
{
    const char *const value = para__file_variable("PARA_PAGE");
    para__fork_handle(PARA__FORK_PAGE, &publishing, forget_page);
    bool publishes = true;
    const bool is_file = value && !para__truth(value, &publishes);
    if (value && (is_file || publishes) && para_page_start(is_file ? value : NULL) != PARA_OK)
        para__tell(PARA_LOG_FILE, "PARA_PAGE=%.200s: %s; no page is published", value,
                   para_status_detail());
}

__attribute__((destructor)) static void end_page(void)
{
    (void)(para_page_stop() == PARA_OK);
}

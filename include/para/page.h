/* A page of numbers that a program publishes while it runs, for `para top` and others to read.
 *
 *     PARA_PAGE=1 ./program &        para top $!
 *     PARA_PAGE=/run/p.page ./program &        para top /run/p.page
 *
 * The page is written as a whole, four times a second, with a checksum over all of it: so a reader
 * needs no lock, and one that has read while it was written notices that and reads again. */
#ifndef PARA_PAGE_H
#define PARA_PAGE_H

#include <para/stats.h>

enum { PARA_PAGE_VERSION = 1, PARA_PAGE_THREADS = 128, PARA_PAGE_KERNELS = 32 };

/* The bytes of a page, in the order of the machine. Another version has the same first three
 * members. What is not used is zero. */
typedef struct para_page {
    char magic[8];                               /* "parapage", without a zero byte */
    uint32_t version;                            /* PARA_PAGE_VERSION */
    uint32_t bytes;                              /* of the page: sizeof(para_page) */
    uint64_t checksum;                           /* para_page_sum of the page */
    uint64_t number;                             /* of the page: 1, 2, ... */
    uint64_t started_ns;                         /* CLOCK_MONOTONIC: when publishing began, */
    uint64_t written_ns;                         /* and when this was written */
    int64_t pid;                                 /* of the process, as it sees itself */
    char program[32];                            /* its name, cut off if it is longer */
    uint32_t threads;                            /* rows below: of threads that live, */
    uint32_t kernels;                            /* and of kernels, those with most time first */
    para_stats stats;                            /* of all; .size is that of the publisher's */
    para_thread_stats thread[PARA_PAGE_THREADS]; /* the first of them, as far as there is room */
    para_kernel_stats kernel[PARA_PAGE_KERNELS]; /* likewise */
} para_page;

#ifdef __cplusplus
extern "C" {
#endif

/* Publishes a page from now on, and keeps statistics for it (para/stats.h). path NULL: in memory,
 * for readers that know the number of the process; it is gone with the process. Else in that file,
 * which appears when it is complete, and is removed at the end; a %p in path becomes the number of
 * the process. A thread of para's writes it. A child of fork() publishes nothing. Any thread.
 * PARA_PAGE does the same from the program's start: 1, or a path.
 * Errors: PARA_ERR_ARGUMENT (path empty), _BUSY (a page is published, perhaps for PARA_PAGE),
 * _FILE, _MEMORY, _THREAD. */
PARA_NODISCARD_ PARA_API para_status para_page_start(const char *path);

/* Ends that. Any thread. Errors: PARA_ERR_ARGUMENT (none is published). */
PARA_NODISCARD_ PARA_API para_status para_page_stop(void);

/* Reads a page, whole: of a file, or of a process. page_bytes is sizeof(para_page); a library with
 * another layout refuses it. Numbers of rows are within bounds and texts end, whatever the file
 * has. Texts are what the publisher says: who prints them on a terminal looks at their bytes. Any
 * thread.
 * Errors: PARA_ERR_ARGUMENT (NULL, page_bytes), PARA_ERR_FILE: it cannot be opened, or is no page,
 * or is cut off, or damaged; its process has ended, or is another; PARA_ERR_VERSION: of another
 * version. The detail says which. */
PARA_NODISCARD_ PARA_API para_status para_page_read(const char *path, para_page *page,
                                                    size_t page_bytes);

/* The same of a page in a process's memory, by its number. */
PARA_NODISCARD_ PARA_API para_status para_page_read_process(int64_t pid, para_page *page,
                                                            size_t page_bytes);

/* The checksum over all members but the checksum: the 64-bit words of the page, each by xor and a
 * multiplication with an odd number; FNV-1a of words. 0 for NULL. */
PARA_API uint64_t para_page_sum(const para_page *page);

#ifdef __cplusplus
}
#endif
#endif

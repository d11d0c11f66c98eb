/* libpara-openmp. Compiled by whichever compiler builds para; of OpenMP it uses what libgomp and
 * LLVM's libomp both have. */
#include <para/openmp.h>

#include <omp.h>
#include <pthread.h>

/* In a child of fork() libgomp would wait for its parent's threads, for ever. */
static int has_no_team;

static void lose_team(void)
{
    has_no_team = 1;
}

__attribute__((constructor)) static void watch_forks(void)
{
    if (pthread_atfork(0, 0, lose_team) != 0)
        has_no_team = 1; /* then it is not seen in a child */
}

static unsigned openmp_width(void *self)
{
    (void)self;
    if (has_no_team || omp_get_active_level() >= omp_get_max_active_levels())
        return 1;
    const int threads = omp_get_max_threads(), limit = omp_get_thread_limit();
    const int width = threads < limit ? threads : limit;
    return width > 1 ? (unsigned)width : 1;
}

static void openmp_run(void *self, unsigned helpers, void (*help)(void *call), void *call)
{
    (void)self;
#pragma omp parallel num_threads((int)helpers + 1)
    help(call);
}

const para_lender *para_openmp_lender(void)
{
    static const para_lender lender = {sizeof lender, openmp_width, openmp_run, 0};
    return &lender;
}

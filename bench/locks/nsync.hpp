// nsync has no semaphore: its users make one from a mutex and a condition variable.
#include <nsync.h>

constexpr const char *library = "nsync";

struct Mutex {
    nsync::nsync_mu mutex = NSYNC_MU_INIT;
    void lock()
    {
        nsync::nsync_mu_lock(&mutex);
    }
    void unlock()
    {
        nsync::nsync_mu_unlock(&mutex);
    }
};

struct Semaphore {
    nsync::nsync_mu mutex = NSYNC_MU_INIT;
    nsync::nsync_cv more = NSYNC_CV_INIT;
    unsigned units;
    explicit Semaphore(unsigned n) : units(n)
    {
    }
    void acquire()
    {
        nsync::nsync_mu_lock(&mutex);
        while (units == 0)
            nsync::nsync_cv_wait(&more, &mutex);
        units--;
        nsync::nsync_mu_unlock(&mutex);
    }
    void release()
    {
        nsync::nsync_mu_lock(&mutex);
        units++;
        nsync::nsync_mu_unlock(&mutex);
        nsync::nsync_cv_signal(&more);
    }
};

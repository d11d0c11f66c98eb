// para's.
#include <para/mutex.h>
#include <para/semaphore.h>

#include <cstdlib>

constexpr const char *library = "para";

struct Mutex {
    para_mutex mutex = {};
    void lock()
    {
        para_mutex_lock(&mutex);
    }
    void unlock()
    {
        para_mutex_unlock(&mutex);
    }
};

struct Semaphore {
    para_semaphore semaphore;
    explicit Semaphore(unsigned units) : semaphore(PARA_SEMAPHORE_INIT(units, units))
    {
    }
    void acquire()
    {
        if (para_semaphore_acquire(&semaphore) != PARA_OK)
            std::abort();
    }
    void release()
    {
        para_semaphore_release(&semaphore, 1);
    }
};

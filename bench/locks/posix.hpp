// The C library's.
#include <pthread.h>
#include <semaphore.h>

constexpr const char *library = "posix";

struct Mutex {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    void lock()
    {
        pthread_mutex_lock(&mutex);
    }
    void unlock()
    {
        pthread_mutex_unlock(&mutex);
    }
};

struct Semaphore {
    sem_t semaphore;
    explicit Semaphore(unsigned units)
    {
        sem_init(&semaphore, 0, units);
    }
    void acquire()
    {
        while (sem_wait(&semaphore)) { // a signal, such as the one that continues the process
        }
    }
    void release()
    {
        sem_post(&semaphore);
    }
};

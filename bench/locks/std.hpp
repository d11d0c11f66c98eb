// The C++ library's.
#include <mutex>
#include <semaphore>

constexpr const char *library = "std";

using Mutex = std::mutex;

struct Semaphore {
    std::counting_semaphore<> semaphore;
    explicit Semaphore(unsigned units) : semaphore(units)
    {
    }
    void acquire()
    {
        semaphore.acquire();
    }
    void release()
    {
        semaphore.release();
    }
};

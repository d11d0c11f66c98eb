/* Locks held for a block, from C++: given back on every way out, exceptions among them. */
#define PARA_CHECK_LOCKS
#include <mutex>
#include <para/para.h>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

static para_mutex mutex;
static para_semaphore semaphore = PARA_SEMAPHORE_INIT(2, 2);

template <class body> static bool throws(body run)
{
    try {
        run();
    } catch (const std::runtime_error &) {
        return true;
    }
    return false;
}

static int blocks()
{
    CHECK(throws([] {
        PARA_WITH_MUTEX(&mutex)
        {
            PARA_WITH_SEMAPHORE(&semaphore)
            {
                throw std::runtime_error("out of both");
            }
        }
    }));
    CHECK(mutex.word == 0 && para_semaphore_available(&semaphore) == 2);
    CHECK(throws([] {
        para::mutex_guard held(mutex);
        para::semaphore_guard unit(semaphore);
        if (mutex.word == 1 && para_semaphore_available(&semaphore) == 1)
            throw std::runtime_error("out of both");
    }));
    CHECK(mutex.word == 0 && para_semaphore_available(&semaphore) == 2);
    return 0;
}

static int lockable()
{
    static_assert(sizeof(para::mutex) == 4, "a class of the same size");
    para::mutex a, b;
    int count = 0;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] {
            for (int k = 0; k < 1000; k++) {
                std::scoped_lock both(a, b); /* which tries, and gives back */
                count++;
            }
        });
    for (auto &thread : threads)
        thread.join();
    CHECK(count == 4000);
    std::unique_lock<para::mutex> held(a);
    CHECK(a.native_handle()->word == 1 && !std::unique_lock<para::mutex>(a, std::try_to_lock));
    try {
        std::lock_guard<para::mutex> again(a);
        return __LINE__;
    } catch (const std::system_error &error) {
        CHECK(error.code() == std::errc::resource_deadlock_would_occur);
    }
    held.unlock();
    const int line = __LINE__ + 1;
    CHECK(a.try_lock());
    const std::string place = "guards.cpp:" + std::to_string(line);
    CHECK(para_mutex_lock(a.native_handle()) == PARA_ERR_DEADLOCK);
    CHECK(std::string(para_status_detail()).find("since " + place) != std::string::npos);
    a.unlock();
    CHECK(para_mutex_fini(a.native_handle()) == PARA_OK);
    CHECK(para_mutex_fini(b.native_handle()) == PARA_OK);
    return 0;
}

/* Ends with 0, or with the line where something was wrong. */
int main()
{
    try {
        const int line = blocks();
        return line ? line : lockable();
    } catch (...) {
        return __LINE__;
    }
}

/* Locks held for a block, from C++: released on every way out, exceptions included. */
#define PARA_CHECK_LOCKS
#include <csignal>
#include <mutex>
#include <optional>
#include <para/para.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <typeinfo>
#include <unistd.h>
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
    return 0;
}

static bool detail_names(int line)
{
    return std::string(para_status_detail()).find("guards.cpp:" + std::to_string(line)) !=
           std::string::npos;
}

/* mutex_guard names both places, whichever mutex it holds. */
static int places()
{
    para::mutex a;
    int first = 0;
    try {
        first = __LINE__ + 1;
        const para::mutex_guard held(a);
        CHECK(a.native_handle()->word == 1);
        const para::mutex_guard again(a);
        return __LINE__;
    } catch (const std::system_error &error) {
        CHECK(error.code() == std::errc::resource_deadlock_would_occur);
        CHECK(detail_names(first) && detail_names(first + 2));
    }
    CHECK(a.native_handle()->word == 0);
    const int line = __LINE__ + 2;
    try {
        a.unlock();
        return __LINE__;
    } catch (const std::system_error &error) {
        CHECK(error.code() == std::errc::operation_not_permitted);
        CHECK(detail_names(line));
    }
    return 0;
}

/* A mutex that has the place of one that is gone has no part in its orders. */
static int successors()
{
    para::mutex outer;
    for (int round = 0; round < 4; round++) {
        std::optional<para::mutex> inner;
        inner.emplace();
        if (round % 2) {
            const para::mutex_guard first(outer), second(*inner);
        } else {
            const para::mutex_guard first(*inner), second(outer);
        }
    }
    return 0;
}

static void leave(int)
{
    _exit(SIGABRT);
}

/* It would leave its thread with a hold of a mutex that is gone. */
static int end_while_held()
{
    const pid_t child = fork();
    if (child == 0) {
        std::signal(SIGABRT, leave);
        {
            para::mutex held;
            held.lock();
        }
        _exit(0);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == SIGABRT);
    return 0;
}

const std::type_info &unchecked_mutex();
const std::type_info &unchecked_guard();

/* Else the linker would take the functions of one for both. */
static int classes()
{
    CHECK(typeid(para::mutex) != unchecked_mutex());
    CHECK(typeid(para::mutex_guard) != unchecked_guard());
    return 0;
}

/* Ends with 0, or with the line where something was wrong. */
int main()
{
    try {
        for (const auto test : {blocks, lockable, places, successors, end_while_held, classes})
            if (const int line = test())
                return line;
        return 0;
    } catch (...) {
        return __LINE__;
    }
}

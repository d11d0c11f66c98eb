// PARA_WITH_TASKS in C++: a block that is left by its end, by break, by return and by an exception
// waits for its tasks.
#include <para/para.h>

#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <unistd.h>

namespace
{

std::atomic<unsigned> ran;

int run(void *)
{
    usleep(500);
    ran++;
    return 0;
}

enum { N = 20 };
para_task tasks[N];

void submit_all(para_task_group *group)
{
    for (para_task &task : tasks) {
        task = {};
        task.run = run;
        task.group = group;
        para_must(para_submit(nullptr, &task));
    }
}

int leave_by(int way)
{
    para_task_group group = {};
    PARA_WITH_TASKS(&group)
    {
        submit_all(&group);
        if (way == 1)
            break;
        if (way == 2)
            return way;
        if (way == 3)
            throw std::runtime_error("left");
    }
    return way;
}

} // namespace

int main()
{
    for (int way = 0; way < 4; way++) {
        bool threw = false;
        ran = 0;
        try {
            (void)leave_by(way);
        } catch (const std::runtime_error &) {
            threw = true;
        }
        if (ran != N || threw != (way == 3)) {
            std::fprintf(stderr, "way %d: %u tasks had run\n", way, ran.load());
            return 1;
        }
    }
    return 0;
}

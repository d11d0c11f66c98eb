/* Threads of docs/from-threads.md: each with pthreads and with para, with the same results. */
#include <math.h>
#include <para/para.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { n = 40, terms = 2000 };

typedef struct item {
    unsigned number;
    double sum;
} item;

static item items[n];
static double expected[n];
static para_status status;

/* ---- A thread for each piece of work -------------------------------------------------- */

static void work_on(item *work)
{
    work->sum = 0;
    for (unsigned i = 1; i <= terms; i++)
        work->sum += sin(work->number * (double)i) / i;
}

static void *work_thread(void *arg)
{
    work_on(arg);
    return NULL;
}

static int work_task(void *arg)
{
    work_on(arg);
    return 0;
}

static int create_and_join(void)
{
    pthread_t thread[n];
    for (int i = 0; i < n; i++)
        if (pthread_create(&thread[i], NULL, work_thread, &items[i]))
            return 0;
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);

    for (int i = 0; i < n; i++) {
        expected[i] = items[i].sum;
        items[i].sum = 0;
    }

    para_task task[n];
    para_task_group group = {0};
    for (int i = 0; i < n; i++) {
        task[i] = (para_task){.run = work_task, .arg = &items[i], .group = &group};
        para_must(para_submit(NULL, &task[i]));
    }
    status = para_task_group_wait(&group);

    for (int i = 0; i < n; i++)
        if (items[i].sum != expected[i])
            return 0;
    return status == PARA_OK;
}

/* ---- A result, later ------------------------------------------------------------------ */

static int a_future(void)
{
    item work = {.number = 7};
    para_task task = {.run = work_task, .arg = &work};
    para_must(para_submit(NULL, &task)); /* std::async(work_on, &work) */
    /* ...something else... */
    status = para_task_wait(&task); /* future.get(); if nobody has begun it, it runs here */
    return status == PARA_OK && work.sum == expected[7];
}

/* ---- A queue with workers ------------------------------------------------------------- */

/* With pthreads: threads that wait for work, and a queue with room for a few pieces. */
enum { WORKERS = 2, ROOM = 8 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER, room = PTHREAD_COND_INITIALIZER;
static item *queue[ROOM];
static unsigned first, count;
static int is_closed;

static void *work_from_queue(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&mutex);
        while (count == 0 && !is_closed)
            pthread_cond_wait(&some, &mutex);
        if (count == 0) {
            pthread_mutex_unlock(&mutex);
            return NULL;
        }
        item *const work = queue[first++ % ROOM];
        count--;
        pthread_cond_signal(&room);
        pthread_mutex_unlock(&mutex);
        work_on(work);
    }
}

static void enqueue(item *work)
{
    pthread_mutex_lock(&mutex);
    while (count == ROOM)
        pthread_cond_wait(&room, &mutex);
    queue[(first + count++) % ROOM] = work;
    pthread_cond_signal(&some);
    pthread_mutex_unlock(&mutex);
}

static int a_queue(void)
{
    pthread_t thread[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(&thread[i], NULL, work_from_queue, NULL))
            return 0;
    for (int i = 0; i < n; i++)
        enqueue(&items[i]);
    pthread_mutex_lock(&mutex);
    is_closed = 1;
    pthread_cond_broadcast(&some);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(thread[i], NULL);

    for (int i = 0; i < n; i++)
        items[i].sum = 0;

    para_pool *pool = NULL;
    para_pool_config config = PARA_POOL_CONFIG_INIT;
    config.workers = WORKERS;
    config.task_capacity = ROOM;
    para_must(para_pool_create(&pool, &config));
    static para_task task[n];
    for (int i = 0; i < n; i++) {
        task[i] = (para_task){.run = work_task, .arg = &items[i]};
        para_must(para_submit(pool, &task[i])); /* waits while the queue is full */
    }
    for (int i = 0; i < n; i++)
        para_must(para_task_wait(&task[i]));
    para_pool_destroy(pool);

    for (int i = 0; i < n; i++)
        if (items[i].sum != expected[i])
            return 0;
    return 1;
}

int main(void)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } all[] = {{"threads", create_and_join}, {"a future", a_future}, {"a queue", a_queue}};
    int failed = 0;
    for (unsigned i = 0; i < n; i++)
        items[i].number = i;
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        const int is_right = all[i].run();
        printf("%s: %s\n", all[i].name, is_right ? "equal" : "different");
        failed += !is_right;
    }
    return failed;
}

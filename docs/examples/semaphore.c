/* A semaphore limits how many use something at a time: here, three of eight threads may hold a
 * connection. One acquire does not wait longer than it wants to. */
#include <para/para.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 8, ROUNDS = 200, CONNECTIONS = 3 };

static para_semaphore free_connections = PARA_SEMAPHORE_INIT(CONNECTIONS, CONNECTIONS);
static para_mutex mutex;
static int used, most_used, served; /* guarded by the mutex */

static void count(int change)
{
    PARA_WITH_MUTEX(&mutex)
    {
        used += change;
        most_used = used > most_used ? used : most_used;
        served += change > 0;
    }
}

static void *serve(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        PARA_WITH_SEMAPHORE(&free_connections)
        {
            count(1);
            count(-1);
        }
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, serve, NULL))
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (served != THREADS * ROUNDS || most_used > CONNECTIONS || used != 0)
        return 1;

    /* All three at once, and then a fourth, for a millisecond at most. */
    const uint64_t deadline_ns = para_deadline_after(1000000);
    if (para_semaphore_acquire_many(&free_connections, CONNECTIONS) != PARA_OK ||
        para_semaphore_acquire_until(&free_connections, deadline_ns) != PARA_ERR_TIMEOUT ||
        para_semaphore_release(&free_connections, CONNECTIONS) != PARA_OK ||
        para_semaphore_release(&free_connections, 1) != PARA_ERR_MAXIMUM)
        return 1;
    printf("%d served, at most %d at a time\n", served, most_used);
    return 0;
}

/* A cancel token: one request ends the waits of all who were given it, and their loops. */
#include <para/para.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, ENOUGH = 1000 };

static para_cancel cancel; /* zeroed: not requested */
static para_semaphore work = PARA_SEMAPHORE_INIT(0, ENOUGH);
static para_mutex mutex;
static int done; /* guarded by the mutex */

static void *work_until_cancelled(void *failed)
{
    for (;;) {
        const para_status status = para_semaphore_acquire_cancellable(&work, &cancel);
        if (status == PARA_ERR_CANCELLED)
            return NULL;
        if (status != PARA_OK)
            return failed;
        PARA_WITH_MUTEX(&mutex)
        {
            if (++done == ENOUGH)
                para_cancel_request(&cancel);
        }
    }
}

int main(void)
{
    int failure = 0;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work_until_cancelled, &failure))
            return 1;
    for (int i = 0; i < ENOUGH; i++)
        if (para_semaphore_release(&work, 1) != PARA_OK)
            return 1;
    for (int i = 0; i < THREADS; i++) {
        void *result = &failure;
        pthread_join(threads[i], &result);
        if (result)
            return 1;
    }
    printf("%d pieces of work, then cancelled\n", done);
    return done == ENOUGH && para_cancel_requested(&cancel) ? 0 : 1;
}

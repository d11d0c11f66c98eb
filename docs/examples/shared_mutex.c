/* A mutex in memory that processes share. One of them dies while it holds it; the next is told,
 * puts the data in order, and goes on. */
#define _GNU_SOURCE
#include <para/para.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct ledger {
    para_shared_mutex mutex;
    long from, to; /* guarded: their sum is always 100 */
} ledger;

/* Moves one from account to account, if the books are in order; dies on the way if asked to. */
static int move_one(ledger *l, int die)
{
    const para_status status = para_shared_mutex_lock(&l->mutex);
    if (status == PARA_ERR_OWNER_DIED) { /* it is locked, and nobody knows how far the owner came */
        l->to = 100 - l->from;
        if (para_shared_mutex_recover(&l->mutex) != PARA_OK)
            return 1;
    } else if (status != PARA_OK) {
        return 1;
    }
    l->from--;
    if (die)
        _exit(0);
    l->to++;
    return para_shared_mutex_unlock(&l->mutex) == PARA_OK ? 0 : 1;
}

int main(void)
{
    ledger *l = mmap(NULL, sizeof *l, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (l == MAP_FAILED)
        return 1;
    l->from = 100;
    if (para_shared_mutex_init(&l->mutex) != PARA_OK)
        return 1;
    for (int i = 0; i < 10; i++) {
        const pid_t child = fork();
        if (child == 0)
            _exit(move_one(l, i == 4)); /* the fifth dies in the middle */
        int status = 1;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    printf("%ld moved, %ld left\n", l->to, l->from);
    return l->to == 10 && l->from == 90 ? 0 : 1;
}

/* A mutex inside a kernel: each chunk counts words into a table of its own, and adds it to the
 * common one under the lock, once a chunk rather than once an element. */
#include <para/para.h>
#include <stdio.h>

enum { N = 1000000, LENGTHS = 16 };

typedef struct table {
    para_mutex mutex;
    long words[LENGTHS]; /* guarded by the mutex */
} table;

static int count_lengths(const para_chunk *chunk, const void *arg)
{
    table *common = *(table *const *)arg;
    const unsigned char *length = chunk->in[0];
    long words[LENGTHS] = {0};
    for (size_t i = 0; i < chunk->count; i++)
        words[length[i]]++;
    PARA_WITH_MUTEX(&common->mutex) /* unlocked however the block is left */
    {
        for (int k = 0; k < LENGTHS; k++)
            common->words[k] += words[k];
    }
    return 0;
}

int main(void)
{
    static unsigned char length[N];
    long expected[LENGTHS] = {0};
    for (unsigned i = 0; i < N; i++) {
        length[i] = (unsigned char)(i * 2654435761u >> 28);
        expected[length[i]]++;
    }
    static table common; /* zeroed: the mutex is ready */
    table *const address = &common;
    const para_status status = para_pmap(
        NULL,
        &(para_map){.kernel = count_lengths, .arg = &address, .count = N, .in = {PARA_IN(length)}});
    if (status != PARA_OK) {
        fprintf(stderr, "mutex: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }
    for (int k = 0; k < LENGTHS; k++)
        if (common.words[k] != expected[k]) {
            fprintf(stderr, "mutex: %ld words of length %d, expected %ld\n", common.words[k], k,
                    expected[k]);
            return 1;
        }
    printf("%ld words of length 3\n", common.words[3]);
    return 0;
}

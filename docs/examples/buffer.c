/* Buffers: memory whose pages lie where the workers that use them run, and files used as arrays. */
#include <para/para.h>
#include <stdio.h>

enum { n = 1000000 };
static const char path[] = "buffer-example.bin";

static int count_up(const para_chunk *chunk, const void *arg)
{
    float *out = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        out[i] = (float)(chunk->first + i);
    return 0;
}
PARA_MAP_KERNEL(halve, float, float, v, v / 2)

/* Fills the buffer, and writes it to a file. */
static int fill_and_save(para_buffer *buffer)
{
    float *x = para_buffer_data(buffer); /* a plain pointer to work with, zeroed */
    if (para_pmap(NULL, &(para_map){.kernel = count_up, .count = n, .out = {PARA_OUT(x)}}))
        return 0;
    FILE *file = fopen(path, "wb");
    if (!file)
        return 0;
    const size_t written = fwrite(x, 1, para_buffer_bytes(buffer), file);
    return (fclose(file) == 0) & (written == n * sizeof *x);
}

/* Maps the file and changes it in place: no read, no write, no second copy in memory. */
static int halve_file(void)
{
    para_buffer *mapped = NULL;
    const para_status status = para_buffer_map_file(&mapped, path, PARA_FILE_WRITE);
    if (status != PARA_OK) {
        fprintf(stderr, "buffer: %s: %s\n", para_status_text(status), para_status_detail());
        return 0;
    }
    float *x = para_buffer_data(mapped);
    const para_map call = {.kernel = halve, .count = n, .in = {PARA_IN(x)}, .out = {PARA_OUT(x)}};
    int same = para_pmap(NULL, &call) == PARA_OK;
    for (size_t i = 0; i < n; i++)
        same = same && x[i] == (float)i / 2;
    printf("%zu bytes mapped from a file, last value %g\n", para_buffer_bytes(mapped),
           (double)x[n - 1]);
    para_buffer_destroy(mapped);
    return same;
}

int main(void)
{
    para_buffer *buffer = NULL;
    const para_status status = para_buffer_create(&buffer, NULL, n, sizeof(float), NULL);
    if (status != PARA_OK) {
        fprintf(stderr, "buffer: %s %s\n", para_status_text(status), para_status_detail());
        return 1;
    }
    const int good = fill_and_save(buffer) && halve_file();
    para_buffer_destroy(buffer);
    remove(path);

    para_buffer *missing = NULL; /* a failure says which file, and why */
    if (para_buffer_map_file(&missing, "no-such-file.bin", PARA_FILE_READ) != PARA_ERR_FILE)
        return 1;
    printf("as expected: %s\n", para_status_detail());
    return good ? 0 : 1;
}

/* host PLUGIN...: loads each plug-in, has it compute, and unloads it; three times. With
 * HOST_HAS_PARA it is linked with a para of its own. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { N = 1000000 };
static double x[N];

#ifdef HOST_HAS_PARA
#include "../parent/own.c"
#endif

static int compute(double (*sum)(const double *, size_t))
{
    const double expected = N * (N - 1.0) / 2;
    const double total = sum(x, N);
    if (total != expected)
        printf("%g, expected %g\n", total, expected);
    return total != expected;
}

static int use(const char *path)
{
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = plugin ? dlsym(plugin, "own_sum") : NULL;
    if (!symbol) {
        printf("%s\n", dlerror());
        return 1;
    }
    double (*sum)(const double *, size_t);
    memcpy(&sum, &symbol, sizeof sum); /* POSIX: a function fits a void * */
    return compute(sum) || dlclose(plugin) != 0;
}

int main(int argc, char **argv)
{
    for (int i = 0; i < N; i++)
        x[i] = i;
    for (int round = 0; round < 3; round++) {
#ifdef HOST_HAS_PARA
        if (compute(own_sum))
            return 1;
#endif
        for (int i = 1; i < argc; i++)
            if (use(argv[i]))
                return 1;
        usleep(20000); /* threads that went to sleep in a plug-in wake up */
    }
    return 0;
}

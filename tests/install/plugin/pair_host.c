/* pair_host unload|load PLUGIN HOOK
 *
 * unload: a plug-in with a static para, in which no pool was made, is unloaded and leaves nothing
 * behind: no keys of threads, no mappings, and no destructor that runs when the main thread leaves.
 * load: two threads make its default pool at the same time, one of them in a constructor of HOOK
 * within dlopen; neither holds what the other waits for. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int (*function(void *plugin, const char *name))(void)
{
    int (*found)(void) = NULL;
    void *symbol = plugin ? dlsym(plugin, name) : NULL;
    if (!symbol) {
        printf("%s\n", dlerror());
        exit(1);
    }
    memcpy(&found, &symbol, sizeof found); /* POSIX: a function fits a void * */
    return found;
}

static int mappings(void)
{
    int lines = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    for (int c; maps && (c = getc(maps)) != EOF;)
        lines += c == '\n';
    if (maps)
        fclose(maps);
    return lines;
}

static int unload(const char *path)
{
    enum { TIMES = 600 }; /* of 1024 keys, three each */
    int before = 0;
    for (int i = 0; i < TIMES; i++) {
        void *plugin = dlopen(path, RTLD_NOW);
        if (function(plugin, "pair_lock")() || dlclose(plugin))
            return 1;
        before = i == 0 ? mappings() : before;
    }
    pthread_key_t key;
    if (dlopen(path, RTLD_NOW | RTLD_NOLOAD) || pthread_key_create(&key, NULL) ||
        mappings() > before + TIMES / 10) {
        printf("something is left: %d mappings, %d after the first\n", mappings(), before);
        return 1;
    }
    fflush(stdout);
    pthread_exit(NULL); /* the process ends with 0 */
}

static int (*call)(void);
static pthread_barrier_t loading;
static int wrong;

void loading_hook(void);
void loading_hook(void)
{
    pthread_barrier_wait(&loading);
    usleep(100000); /* the other one is at it by then; if not, there is less to find */
    wrong += call();
}

static void *call_meanwhile(void *unused)
{
    pthread_barrier_wait(&loading);
    return call() ? &wrong : unused;
}

static int load(const char *path, const char *hook)
{
    pthread_t thread;
    void *result = NULL;
    call = function(dlopen(path, RTLD_NOW), "pair_call");
    alarm(30);
    if (pthread_barrier_init(&loading, NULL, 2) ||
        pthread_create(&thread, NULL, call_meanwhile, NULL) || !dlopen(hook, RTLD_NOW))
        return 1;
    pthread_join(thread, &result);
    return wrong || result;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 1;
    return strcmp(argv[1], "load") == 0 ? load(argv[2], argv[3]) : unload(argv[2]);
}

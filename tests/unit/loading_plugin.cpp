// A library that makes calls when it is loaded and unloaded. Their kernels need the loader's lock:
// the destruction of a thread-local object is noted under it, and dlsym takes it.
#include "loading.h"

#include <dlfcn.h>
#include <unistd.h>

namespace
{

struct touched {
    int times = 0;
    ~touched()
    {
        times = -1;
    }
};
thread_local touched object;

int number(const para_chunk *chunk, const void *)
{
    if (loading_touches_objects)
        object.times++;
    usleep(500); // so that others come
    for (size_t i = 0; i < chunk->count; i++)
        static_cast<double *>(chunk->out[0])[i] = static_cast<double>(chunk->first + i);
    return 0;
}

int count(const para_chunk *chunk, void *acc, const void *)
{
    (void)dlsym(RTLD_DEFAULT, "no such function");
    usleep(500);
    *static_cast<double *>(acc) += static_cast<double>(chunk->count);
    return 0;
}

struct library {
    library()
    {
        loading_call(number, count);
        loading_make_and_destroy(number, count);
    }
    ~library()
    {
        loading_call(number, count);
        loading_make_and_destroy(number, count);
    }
} itself;

} // namespace

extern "C" void loading_call_from_outside()
{
    loading_call(number, count);
}

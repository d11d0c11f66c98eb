/* A profiler of Kokkos Tools that prints what it is told. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* As the profilers declare them. */
struct Kokkos_Profiling_KokkosPDeviceInfo;
void kokkosp_init_library(int load_sequence, uint64_t version, uint32_t device_count,
                          struct Kokkos_Profiling_KokkosPDeviceInfo *devices);
void kokkosp_finalize_library(void);
void kokkosp_begin_parallel_for(const char *name, uint32_t device, uint64_t *kernel);
void kokkosp_end_parallel_for(uint64_t kernel);
void kokkosp_begin_parallel_reduce(const char *name, uint32_t device, uint64_t *kernel);
void kokkosp_end_parallel_reduce(uint64_t kernel);
void kokkosp_begin_parallel_scan(const char *name, uint32_t device, uint64_t *kernel);
void kokkosp_end_parallel_scan(uint64_t kernel);
void kokkosp_push_profile_region(const char *name);
void kokkosp_pop_profile_region(void);

static uint64_t latest = 100;

static void begin(const char *what, const char *name, uint32_t device, uint64_t *kernel)
{
    *kernel = ++latest;
    printf("begin %s %s %" PRIu32 " %" PRIu64 "\n", what, name, device, latest);
}

void kokkosp_init_library(int load_sequence, uint64_t version, uint32_t device_count,
                          struct Kokkos_Profiling_KokkosPDeviceInfo *devices)
{
    printf("init %d %" PRIu64 " %" PRIu32 " %d\n", load_sequence, version, device_count,
           devices != NULL);
}

void kokkosp_finalize_library(void)
{
    puts("finalize");
}

void kokkosp_begin_parallel_for(const char *name, uint32_t device, uint64_t *kernel)
{
    begin("for", name, device, kernel);
}

void kokkosp_end_parallel_for(uint64_t kernel)
{
    printf("end for %" PRIu64 "\n", kernel);
}

void kokkosp_begin_parallel_reduce(const char *name, uint32_t device, uint64_t *kernel)
{
    begin("reduce", name, device, kernel);
}

void kokkosp_end_parallel_reduce(uint64_t kernel)
{
    printf("end reduce %" PRIu64 "\n", kernel);
}

void kokkosp_begin_parallel_scan(const char *name, uint32_t device, uint64_t *kernel)
{
    begin("scan", name, device, kernel);
}

void kokkosp_end_parallel_scan(uint64_t kernel)
{
    printf("end scan %" PRIu64 "\n", kernel);
}

void kokkosp_push_profile_region(const char *name)
{
    printf("push %s\n", name);
}

void kokkosp_pop_profile_region(void)
{
    puts("pop");
}

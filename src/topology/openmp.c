/* A main thread that libgomp has bound.
 *
 * With OMP_PROC_BIND, OMP_PLACES or GOMP_CPU_AFFINITY libgomp binds the main thread to one OpenMP
 * place before main begins, in a constructor that may run before any of para's. A launcher's mask
 * (taskset, srun, mpirun) is the process's own, and the system cannot tell it from one that libgomp
 * has set later. libgomp can: omp_get_num_procs counts the CPUs that it was started with. If that
 * is more than the process's threads are found on, and as many as the control groups allow at all,
 * the process was given exactly these. Otherwise libgomp's places are certain to be among those
 * that it was given. So para never leaves a launcher's mask.
 *
 * LLVM's runtime is not asked. It binds threads when it is first used, and a question is a first
 * use; once it has run a team, that team's threads are found on all its places.
 *
 * Rejected: the parent's mask, since launchers set the child's; a constructor that runs before
 * libgomp's (-z initfirst), since a process has room for one, and older C libraries have taken it;
 * to trust the variables alone, since a mask may be narrow for another reason. */
#include "topology/openmp.h"

#include "base/process.h"
#include "base/thread.h"
#include "base/variable.h"

#include <dlfcn.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Paths of the shared objects that are libgomp; packages bring copies of their own. */
typedef struct runtimes {
    unsigned count;
    char path[4][1024];
} runtimes;

static int note_runtime(struct dl_phdr_info *object, size_t size, void *arg)
{
    runtimes *const found = arg;
    const char *const slash = strrchr(object->dlpi_name, '/');
    const char *const name = slash ? slash + 1 : object->dlpi_name;
    const size_t bytes = strlen(object->dlpi_name) + 1;
    (void)size;
    if (found->count < 4 && bytes <= sizeof found->path[0] && strncmp(name, "libgomp", 7) == 0)
        memcpy(found->path[found->count++], object->dlpi_name, bytes);
    return 0;
}

/* All CPUs that the control groups grant: a thread that asks for every CPU gets these. A separate
 * thread asks, so that nobody's affinity changes. */
static void *ask_for_all(void *arg)
{
    para__cpus *const allowed = arg;
    para__thread_name("para-affinity");
    memset(allowed, 0xff, sizeof *allowed);
    if (sched_setaffinity(0, sizeof *allowed, (const cpu_set_t *)allowed) != 0 ||
        !para__cpus_of_thread(allowed))
        *allowed = (para__cpus){{0}};
    para__process_thread_ends();
    return NULL;
}

static para__cpus allowed_cpus(void)
{
    para__cpus allowed = {{0}};
    const para__stack stack = {0};
    pthread_t thread;
    if (para__thread_start(&thread, &stack, ask_for_all, &allowed) == 0)
        pthread_join(thread, NULL);
    return allowed;
}

/* Adds the CPUs of all places. */
static void add_places(para__cpus *process, const struct para__openmp_runtime *runtime)
{
    const bool tells = runtime->places && runtime->place_cpus && runtime->place_numbers;
    for (int i = 0; tells && i < runtime->places(); i++) {
        const int cpus = runtime->place_cpus(i);
        int *const cpu = cpus > 0 ? malloc((size_t)cpus * sizeof *cpu) : NULL;
        if (cpu)
            runtime->place_numbers(i, cpu);
        for (int j = 0; cpu && j < cpus; j++)
            para__cpus_add(process, (unsigned)cpu[j]);
        free(cpu);
    }
}

static void ask_runtime(para__cpus *process, const struct para__openmp_runtime *runtime)
{
    const int given = runtime->cpus ? runtime->cpus() : 0;
    if (given <= (int)para__cpus_count(process))
        return;
    const para__cpus allowed = allowed_cpus();
    if ((int)para__cpus_count(&allowed) == given && para__cpus_include(&allowed, process))
        *process = allowed;
    else
        add_places(process, runtime);
}

void para__openmp_find(para__openmp *openmp)
{
    runtimes found = {0};
    openmp->count = 0;
    if (!para__variable("OMP_PROC_BIND") && !para__variable("OMP_PLACES") &&
        !para__variable("GOMP_CPU_AFFINITY"))
        return;
    dl_iterate_phdr(note_runtime, &found);
    for (unsigned i = 0; i < found.count; i++) {
        void *const library = dlopen(found.path[i], RTLD_LAZY | RTLD_NOLOAD);
        if (!library)
            continue;
        openmp->runtime[openmp->count++] = (struct para__openmp_runtime){
            .library = library,
            .cpus = (int (*)(void))dlsym(library, "omp_get_num_procs"),
            .places = (int (*)(void))dlsym(library, "omp_get_num_places"),
            .place_cpus = (int (*)(int))dlsym(library, "omp_get_place_num_procs"),
            .place_numbers = (void (*)(int, int *))dlsym(library, "omp_get_place_proc_ids"),
        };
    }
}

void para__openmp_drop(para__openmp *openmp)
{
    for (unsigned i = 0; i < openmp->count; i++)
        dlclose(openmp->runtime[i].library);
}

void para__openmp_undo(const para__openmp *openmp, para__cpus *process)
{
    for (unsigned i = 0; i < openmp->count; i++)
        ask_runtime(process, &openmp->runtime[i]);
}

"""Kernels of the para command that need much stack. Environment as in test_objects.py."""
import os
import pathlib
import resource
import subprocess
import unittest

import numpy as np

from case import PARA, Case

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # some of the signals would leave one

OBJECT = r"""
#define _GNU_SOURCE
#include <para/kernel.h>
#include <string.h>
#include <unistd.h>

/* arg: 1: on the main thread; 2: on others; 3: on all; then MiB */
static int here(const double *arg)
{
    return ((int)arg[0] & (gettid() == getpid() ? 1 : 2)) != 0;
}
static void __attribute__((noinline)) use(size_t bytes)
{
    volatile char array[bytes];
    for (size_t i = 0; i < bytes; i += 1024) /* from the far end */
        array[i] = 1;
}
static int __attribute__((noinline)) nest(size_t levels)
{
    volatile char array[100];
    array[levels % 100] = 1;
    return (levels ? nest(levels - 1) : 0) + array[levels % 100];
}
int large(const para_chunk *chunk, const void *arg)
{
    memset(chunk->out[0], 0, chunk->count * sizeof(double));
    usleep(1000); /* that others come */
    if (here(arg))
        use((size_t)((const double *)arg)[1] << 20);
    return 0;
}
int deep(const para_chunk *chunk, const void *arg)
{
    memset(chunk->out[0], 0, chunk->count * sizeof(double));
    usleep(1000);
    if (here(arg))
        nest((size_t)((const double *)arg)[1] << 13);
    return 0;
}
int wild(const para_chunk *chunk, const void *arg)
{
    (void)chunk, (void)arg;
    *(volatile int *)8 = 1;
    return 0;
}
"""

SENTENCE = "para: a kernel needs more stack than there is: PARA_STACKSIZE sets that of the workers"


@unittest.skipIf(any(name in pathlib.Path(PARA).read_bytes() for name in [b"__asan_init", b"__tsan_init"]),
                 "sanitizers have a word of their own for this")
class Stacks(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "k.c").write_text(OBJECT)
        subprocess.run([os.environ["CC"], "-O2", "-w", "-shared", "-fPIC", "-I" + os.environ["PARA_INCLUDE"],
                        "k.c", "-o", "k.so"], cwd=self.folder, check=True)
        self.save("x.npy", np.arange(200.0))

    def words(self, kernel, threads, mebibytes):
        return ("map", f"./k.so:{kernel}", "x.npy", "-o", "z.npy", "--workers", "3", "--executor", "threads",
                "--chunk", "1", "--arg", f"on={threads}", "--arg", f"m={mebibytes}")

    def with_limit(self, mebibytes, variable=None):
        environment = {name: value for name, value in os.environ.items() if name != "PARA_STACKSIZE"}
        if variable:
            environment["PARA_STACKSIZE"] = variable
        most = resource.getrlimit(resource.RLIMIT_STACK)[1]
        limit = mebibytes << 20 if mebibytes else most
        return {"env": environment,
                "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_STACK, (limit, most))}

    def test_an_overflow_is_named(self):
        for kernel in ["large", "deep"]:
            for threads in [1, 2, 3]:
                self.refused(1, SENTENCE, *self.words(kernel, threads, 24), **self.with_limit(8))

    def test_a_larger_stack_is_enough(self):
        for kernel in ["large", "deep"]:
            done = self.run_para(*self.words(kernel, 2, 24), **self.with_limit(8, "64M"))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            done = self.run_para(*self.words(kernel, 3, 24), **self.with_limit(40))
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipIf(resource.getrlimit(resource.RLIMIT_STACK)[1] != resource.RLIM_INFINITY, "there is a limit")
    def test_unlimited_is_large(self):
        done = self.run_para(*self.words("large", 3, 100), **self.with_limit(0))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_another_fault_is_not_named_so(self):
        done = self.run_para(*self.words("wild", 3, 1))
        self.assertLess(done.returncode, 0)
        self.assertNotIn("stack", done.stderr)

    def test_a_size_that_is_none_is_refused(self):
        self.refused(1, "PARA_STACKSIZE=big: expected", *self.words("large", 3, 1), **self.with_limit(8, "big"))


if __name__ == "__main__":
    unittest.main()

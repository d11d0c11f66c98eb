"""Kernels from shared objects in the para command, which may do what they like.

Environment: PARA, the command; PARA_INCLUDE, the public headers; CC and CXX, the compilers.
"""
import math
import os
import pathlib
import resource
import signal
import subprocess
import time
import unittest

import numpy as np

from case import PARA, Build

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # some of the signals would leave one

OBJECT = r"""
#include <para/kernel.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

const unsigned mix_inputs = 2;
int mix(const para_chunk *chunk, const void *arg)
{
    const double *x = chunk->in[0], *y = chunk->in[1], *factor = arg;
    double *z = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        z[i] = factor[0] * x[i] + factor[1] * y[i];
    return 0;
}
int halve(const para_chunk *chunk, const void *arg)
{
    const double *x = chunk->in[0];
    double *z = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++)
        z[i] = ((const double *)arg)[0] + x[i] / 2; /* no --arg: zeros */
    return 0;
}
const char twice_dtype[] = "float32";
int twice(const para_chunk *chunk, const void *arg)
{
    const float *x = chunk->in[0];
    float *z = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        z[i] = 2 * x[i];
    return 0;
}
int product(const para_chunk *chunk, void *acc, const void *arg)
{
    const double *x = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)acc *= x[i];
    return 0;
}
void product_combine(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc *= *(const double *)rhs;
}
const double product_identity = 1;
int total(const para_chunk *chunk, void *acc, const void *arg)
{
    const double *x = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)acc += x[i];
    return 0;
}
void total_combine(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}
int lonely(const para_chunk *chunk, void *acc, const void *arg)
{
    return total(chunk, acc, arg);
}
int fails(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    return chunk->first + chunk->count > 500 ? 7 : 0;
}
int hangs(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    (void)arg;
    close(open("started", O_CREAT | O_WRONLY, 0600));
    for (;;)
        usleep(1000);
}
int waits(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    close(open("started", O_CREAT | O_WRONLY, 0600));
    while (access("go", F_OK) != 0)
        usleep(1000);
    const double last = ((const volatile double *)chunk->in[0])[chunk->count - 1];
    return last != last;
}
int leaves(const para_chunk *chunk, const void *arg)
{
    (void)chunk;
    exit((int)*(const double *)arg);
}
int adds_and_leaves(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)acc;
    return leaves(chunk, arg);
}
void adds_and_leaves_combine(void *acc, const void *rhs, const void *arg)
{
    (void)acc, (void)rhs, (void)arg;
}

int number = 1; /* not a function */
__thread int local = 1;
#define SAME(name) \
    int name(const para_chunk *chunk, const void *arg) { return halve(chunk, arg); }
SAME(wide)
const char wide_dtype[] = "float80";
SAME(cut)
const char cut_dtype[7] = "float64"; /* without its end */
SAME(pointed)
const char *pointed_dtype = "float64";
SAME(described)
int described_dtype(void) { return 0; }
SAME(none)
const unsigned none_inputs = 0;
SAME(many)
const unsigned many_inputs = 9;
SAME(large)
const size_t large_inputs = 1;
#define SAME_TOTAL(name) \
    int name(const para_chunk *chunk, void *acc, const void *arg) { return total(chunk, acc, arg); }
SAME_TOTAL(from)
void from_combine(void *acc, const void *rhs, const void *arg) { total_combine(acc, rhs, arg); }
const float from_identity = 0;
SAME_TOTAL(joined)
double joined_combine = 0;
"""

class Objects(Build):
    def setUp(self):
        super().setUp()
        self.build("k", OBJECT)
        self.x = self.save("x.npy", self.values(np.float64, 1000, 0.01))

    def test_map(self):
        self.para("map", "./k.so:halve", "x.npy", "-o", "z.npy")
        np.testing.assert_array_equal(np.load(self.folder / "z.npy"), self.x / 2)
        self.para("map", "./k.so:mix", "x.npy", "z.npy", "-o", "z.npy", "--arg", "p=2", "--arg", "q=-4")
        np.testing.assert_array_equal(np.load(self.folder / "z.npy"), np.zeros(1000))

    def test_reduce(self):
        self.assertAlmostEqual(float(self.para("reduce", "./k.so:total", "x.npy")), math.fsum(self.x))

    def test_reduce_with_identity(self):
        self.assertAlmostEqual(float(self.para("reduce", "./k.so:product", "x.npy")), np.prod(self.x))
        self.save("x.npy", np.ones(0))
        self.assertEqual(self.para("reduce", "./k.so:product", "x.npy"), "1\n")

    def test_float32(self):
        x = self.save("x.npy", self.values(np.float32, 1000, 3))
        self.para("map", "./k.so:twice", "x.npy", "-o", "z.npy")
        np.testing.assert_array_equal(np.load(self.folder / "z.npy"), x + x)

    def test_the_example_of_its_page(self):
        page = (pathlib.Path(os.environ["PARA_INCLUDE"]).parent / "docs" / "command.md").read_text()
        source = next(block.split("\n```", 1)[0] for block in page.split("```c\n") if block.startswith("/* mine.c"))
        self.build("mine", source)
        x = self.save("x.npy", self.values(np.float32, 1000, 3))
        y = self.save("y.npy", self.values(np.float32, 1000, 3))
        self.para("map", "./mine.so:blend", "x.npy", "y.npy", "-o", "z.npy", "--arg", "w=0.5")
        np.testing.assert_array_equal(np.load(self.folder / "z.npy"), np.float32(0.5) * x + np.float32(0.5) * y)
        x = self.save("x.npy", self.values(np.float64, 1000, 3))
        self.assertEqual(float(self.para("reduce", "./mine.so:peak", "x.npy")), np.max(x))

    def test_other_inputs_than_the_kernels_are_refused(self):
        z = ("-o", "z.npy")
        self.save("f.npy", np.ones(3, np.float32))
        self.refused(1, "f.npy: elements are float32; kernel ./k.so:halve takes float64 (there is no halve_dtype)",
                     "map", "./k.so:halve", "f.npy", *z)
        self.refused(1, "x.npy: elements are float64; kernel ./k.so:twice takes float32 (see twice_dtype)",
                     "map", "./k.so:twice", "x.npy", *z)
        self.refused(1, "f.npy: elements are float32; kernel ./k.so:total takes float64",
                     "reduce", "./k.so:total", "f.npy")
        self.refused(2, "kernel ./k.so:halve reads 1 input file; given: 2 (there is no halve_inputs)\n",
                     "map", "./k.so:halve", "x.npy", "x.npy", *z)
        self.refused(2, "kernel ./k.so:mix reads 2 input files; given: 1\n", "map", "./k.so:mix", "x.npy", *z)
        self.refused(2, "kernel ./k.so:halve reads 1 input file; given: 0", "map", "./k.so:halve", *z)

    def test_a_description_that_is_none_is_refused(self):
        for name in ["wide", "cut", "pointed", "described"]:
            self.refused(1, f'./k.so: {name}_dtype is neither "float32" nor "float64"', "map", f"./k.so:{name}",
                         "x.npy", "-o", "z.npy")
        for name in ["none", "many", "large"]:
            self.refused(1, f"./k.so: {name}_inputs is not an unsigned from 1 to 8", "map", f"./k.so:{name}",
                         "x.npy", "-o", "z.npy")
        self.refused(1, "./k.so: from_identity is not a double", "reduce", "./k.so:from", "x.npy")

    def test_what_is_no_function_is_refused(self):
        for name in ["number", "local", "mix_inputs"]:
            self.refused(1, f"./k.so: {name} is not a function", "map", f"./k.so:{name}", "x.npy", "-o", "z.npy")
        self.refused(1, "./k.so: joined_combine is not a function", "reduce", "./k.so:joined", "x.npy")

    def test_what_is_missing_is_named(self):
        self.refused(1, "./none.so", "map", "./none.so:f", "x.npy", "-o", "z.npy")
        self.refused(1, "./k.so: there is no symbol 'nothing'", "map", "./k.so:nothing", "x.npy", "-o", "z.npy")
        self.refused(1, "./k.so: there is no symbol 'lonely_combine', which a kernel for 'para reduce' needs",
                     "reduce", "./k.so:lonely", "x.npy")
        for kernel in ["./k.so:", ":f"]:
            self.refused(2, "is not OBJECT:SYMBOL", "map", kernel, "x.npy", "-o", "z.npy")

    def test_an_error_of_the_kernel_leaves_no_output(self):
        self.refused(1, "kernel ./k.so:fails returned 7 for elements 500 to 599", "map", "./k.so:fails",
                     "x.npy", "-o", "z.npy", "--chunk", "100")

    def start(self, *words, **options):
        """Starts para, and returns it once its kernel runs."""
        process = subprocess.Popen([PARA, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, **options)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        while not (self.folder / "started").exists():
            self.assertIsNone(process.poll())
            time.sleep(0.001)
        return process

    def kill(self, number):
        """Ends para by a signal while its kernel runs; returns the names it leaves behind."""
        before = set(self.files())
        process = self.start("map", "./k.so:hangs", "x.npy", "-o", "z.npy")
        process.send_signal(number)
        self.assertEqual(process.wait(60), -number)
        return set(self.files()) - before - {"started"}

    @unittest.skipIf(b"__tsan_init" in pathlib.Path(PARA).read_bytes(),
                     "gcc 12's ThreadSanitizer loses one signal in 300: it comes, and no handler is called")
    def test_a_signal_leaves_no_output(self):
        for name in "HUP INT QUIT PIPE ALRM TERM USR1 USR2 VTALRM PROF XCPU BUS IO".split():
            self.assertEqual(self.kill(getattr(signal, f"SIG{name}")), set(), name)
            (self.folder / "started").unlink()
        self.assertEqual(self.kill(signal.SIGRTMIN), set())

    def test_a_kill_leaves_no_file_of_that_name(self):
        self.assertNotIn("z.npy", self.kill(signal.SIGKILL))

    def test_a_signal_that_is_ignored_stays_so(self):
        process = self.start("map", "./k.so:waits", "x.npy", "-o", "z.npy",
                             preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        (self.folder / "go").touch()
        self.assertEqual(process.wait(60), 0)
        self.assertTrue((self.folder / "z.npy").exists())

    def test_a_kernel_that_exits_leaves_no_output(self):
        for how in ["serial", "threads"]:
            before = self.files()
            done = self.run_para("map", "./k.so:leaves", "x.npy", "-o", "z.npy", "--arg", "s=7", "--executor", how)
            self.assertEqual((done.returncode, done.stdout), (7, ""))
            self.assertEqual(self.files(), before)
        for words in [("map", "./k.so:leaves", "x.npy", "-o", "z.npy"), ("reduce", "./k.so:adds_and_leaves", "x.npy")]:
            self.refused(1, "para: the kernel ended the process", *words, "--executor", "serial")

    def test_an_input_that_is_cut_short(self):
        for words in [("map", "./k.so:waits", "x.npy", "-o", "z.npy"), ("map", "./k.so:waits", "x.npy", "-o", "z.npy",
                                                                        "--executor", "threads", "--workers", "4")]:
            self.save("x.npy", np.ones(100_000))
            before = set(self.files())
            process = self.start(*words)
            os.truncate(self.folder / "x.npy", 1000)
            (self.folder / "go").touch()
            self.assertEqual(process.communicate(timeout=60),
                             ("", "para: x.npy: the file was cut short while it was read\n"))
            self.assertEqual(process.returncode, 1)
            for name in ["started", "go"]:
                (self.folder / name).unlink()
            self.assertEqual(set(self.files()), before)


    def test_the_folder_of_the_output_is_held(self):
        """It may be moved, and another be put in its place."""
        (self.folder / "d").mkdir()
        process = self.start("map", "./k.so:waits", "x.npy", "-o", "d/z.npy")
        (self.folder / "d").rename(self.folder / "e")
        (self.folder / "d").mkdir()
        (self.folder / "go").touch()
        self.assertEqual(process.wait(60), 0)
        self.assertEqual((os.listdir(self.folder / "d"), os.listdir(self.folder / "e")), ([], ["z.npy"]))

    def test_a_file_in_the_place_of_the_one_in_the_making(self):
        (self.folder / "d").mkdir()
        (self.folder / "victim").write_text("keep")
        process = self.start("map", "./k.so:waits", "x.npy", "-o", "d/z.npy")
        hidden = next((self.folder / "d").iterdir())
        self.assertRegex(hidden.name, r"^\.para-[0-9a-f]{16}\.tmp$")
        hidden.unlink()
        hidden.symlink_to("../victim")
        (self.folder / "go").touch()
        self.assertEqual(process.communicate(timeout=60)[1],
                         "para: d/z.npy: another program has put a file in the place of the temporary one\n")
        self.assertEqual(process.returncode, 1)
        self.assertEqual((self.folder / "victim").read_text(), "keep")
        self.assertFalse((self.folder / "d" / "z.npy").is_symlink())

    def test_a_page_that_cannot_be_read_is_not_called_cut_short(self):
        """A kernel makes one: it puts a file without bytes in the place of its input's first page."""
        self.build("spoils", r"""
#include <para/kernel.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
int spoils(const para_chunk *chunk, const void *arg)
{
    const volatile double *x = chunk->in[0];
    (void)arg;
    mmap((void *)((uintptr_t)x & -(uintptr_t)sysconf(_SC_PAGESIZE)), 1, PROT_READ, MAP_SHARED | MAP_FIXED,
         memfd_create("empty", 0), 0);
    return x[0] == 7;
}
""")
        self.refused(1, "para: x.npy: reading it failed: Input/output error\n", "map", "./spoils.so:spoils", "x.npy",
                     "-o", "z.npy", "--executor", "serial")


if __name__ == "__main__":
    unittest.main(verbosity=2)

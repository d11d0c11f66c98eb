"""What the para command makes of shared objects and of the variables that describe their kernels.

Environment: PARA, the command; PARA_INCLUDE, the public headers; CC and CXX, the compilers.
"""
import os
import unittest

import numpy as np

from case import SANITIZED, Build

DESCRIBED = r"""
#include <para/para.h>
#include <unistd.h>
#define MAP(name) \
    int name(const para_chunk *chunk, const void *arg) \
    { \
        const double *x = chunk->in[0], *a = arg; \
        double *z = chunk->out[0]; \
        for (size_t i = 0; i < chunk->count; i++) \
            z[i] = a[0] * x[i] + a[1]; \
        return 0; \
    }
MAP(line)
const char line_args[] = "slope  start";
MAP(none)
const char none_args[] = "";
MAP(twice)
const char twice_args[] = "a b a";
MAP(equals)
const char equals_args[] = "a=1";
MAP(many)
const char many_args[] = "a b c d e f g h i j k l m n o p q";
MAP(pointer)
const char *pointer_args = (const char *)1; /* an address may by chance be text */
MAP(endless)
const char endless_args[2] = "ab";
int bare(const para_chunk *chunk, void *acc, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++)
        *(double *)acc += ((const double *)chunk->in[0])[i];
    return 0;
}
int total(const para_chunk *chunk, void *acc, const void *arg)
{
    return bare(chunk, acc, arg);
}
void total_combine(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs + getppid() * 0;
}
PARA_MAP_KERNEL(unseen, double, double, x, x)
int (*const uses)(const para_chunk *, const void *) = unseen;
__attribute__((visibility("hidden"))) MAP(hidden)
MAP(blind)
static const char blind_dtype[] __attribute__((used)) = "float32";
"""


class Descriptions(Build):
    def setUp(self):
        super().setUp()
        self.build("k", DESCRIBED)
        self.x = self.save("x.npy", self.values(np.float64, 1000, 3))

    def refused_map(self, status, sentence, kernel, *words, **options):
        self.refused(status, sentence, "map", kernel, "x.npy", "-o", "z.npy", *words, **options)

    def test_arguments_by_name(self):
        for words in [("--arg", "slope=2", "--arg", "start=1"), ("--arg", "start=1", "--arg", "slope=2")]:
            self.para("map", "./k.so:line", "x.npy", "-o", "z.npy", *words)
            np.testing.assert_array_equal(np.load(self.folder / "z.npy"), 2 * self.x + 1)
            (self.folder / "z.npy").unlink()
        self.refused_map(2, "kernel ./k.so:line has no argument 'typo': line_args is \"slope  start\"", "./k.so:line",
                         "--arg", "slope=1", "--arg", "typo=1")
        self.refused_map(2, "kernel ./k.so:line has no argument 'slop'", "./k.so:line", "--arg", "slop=1")
        self.refused_map(2, "kernel ./k.so:line needs --arg start=VALUE", "./k.so:line", "--arg", "slope=1")
        self.refused_map(2, "kernel ./k.so:none has no argument 'a'", "./k.so:none", "--arg", "a=1")
        for name in ["twice", "equals", "many", "pointer", "endless"]:
            self.refused_map(1, f"./k.so: {name}_args is not an array of char with", f"./k.so:{name}", "--arg", "a=1")

    def test_a_kernel_of_the_other_kind(self):
        self.refused_map(2, "kernel ./k.so:total is for 'para reduce': there is a total_combine", "./k.so:total")
        self.refused_map(2, "kernel ./k.so:total_combine joins the results of total, which is the kernel",
                         "./k.so:total_combine")
        self.refused_map(1, "./k.so: getppid is in another object that this one is linked with", "./k.so:getppid")
        self.refused(1, "there is no symbol 'line_combine', which a kernel for 'para reduce' needs; without it, it "
                     "is one for 'para map'", "reduce", "./k.so:line", "x.npy")

    @unittest.skipIf(SANITIZED, "the fault is then the sanitizer's")
    def test_a_kernel_of_the_other_kind_that_nothing_describes(self):
        for how in ["serial", "threads"]:
            self.refused_map(1, "kernel ./k.so:bare writes to its arg, which it may only read: is it one for 'para "
                             "reduce'?", "./k.so:bare", "--executor", how)

    def test_what_cannot_be_seen_from_outside(self):
        for name in ["unseen", "hidden"]:
            self.refused_map(1, f"./k.so: there is no symbol '{name}' that can be seen from outside", f"./k.so:{name}")
        self.refused_map(1, "./k.so: there is no symbol 'blind_dtype' that can be seen from outside", "./k.so:blind")
        self.refused_map(1, "./k.so: there is no symbol 'lime', but 'line'", "./k.so:lime")

    def test_cpp(self):
        self.compile("p.cpp", """
#include <para/kernel.h>
int f(const para_chunk *, const void *) { return 0; }
namespace ns { int g(const para_chunk *, const void *) { return 0; } }
extern "C" int h(const para_chunk *, void *, const void *) { return 0; }
void h_combine(void *, const void *, const void *) {}
extern "C" int k(const para_chunk *, const void *) { return 0; }
extern const char k_dtype[] = "float64";
extern "C" const unsigned l_inputs = 1;
extern "C" int l(const para_chunk *chunk, const void *)
{
    static_cast<double *>(chunk->out[0])[chunk->count - 1] = 1;
    return 0;
}
""", "p.so", "-shared", compiler="CXX")
        for symbol, mangled in [("f", "_Z1fPK10para_chunkPKv"), ("g", "_ZN2ns1gEPK10para_chunkPKv"),
                                ("ns::g", "_ZN2ns1gEPK10para_chunkPKv")]:
            self.refused_map(1, f"./p.so: there is no symbol '{symbol}', but '{mangled}', which is what C++ makes of "
                             "it: declare it extern \"C\"", f"./p.so:{symbol}")
        self.refused(1, "./p.so: there is no symbol 'h_combine', but '_Z9h_combinePvPKvS1_'", "reduce", "./p.so:h",
                     "x.npy")
        self.para("map", "./p.so:l", "x.npy", "-o", "z.npy", "--workers", "1")

    def test_an_object_without_a_slash(self):
        for name in ["k.so", str(self.folder / "k.so")]:
            self.para("map", f"{name}:line", "x.npy", "-o", "z.npy", "--arg", "slope=1", "--arg", "start=0")
            np.testing.assert_array_equal(np.load(self.folder / "z.npy"), self.x)
            (self.folder / "z.npy").unlink()
        self.refused_map(1, "none.so: cannot open shared object file", "none.so:f")

    def test_files_that_are_no_objects(self):
        whole = (self.folder / "k.so").read_bytes()
        self.refused_map(1, "k.c: not a shared object: make one with 'cc", "k.c:line")
        self.compile("k.c", DESCRIBED, "k.o", "-c")
        self.refused_map(1, "k.o: compiled, but not linked: make one with 'cc", "k.o:line")
        self.refused_map(1, ".: not a regular file", ".:line")
        os.mkfifo(self.folder / "pipe.so")
        done = self.run_para("map", "pipe.so:line", "x.npy", "-o", "z.npy")
        self.assertEqual((done.returncode, done.stderr), (1, "para: pipe.so: not a regular file\n"))
        for size in [3, 20, 100, 1000, len(whole) // 2]:
            (self.folder / "cut.so").write_bytes(whole[:size])
            done = self.run_para("map", "cut.so:line", "x.npy", "-o", "z.npy")
            self.assertEqual(done.returncode, 1, size)
            self.assertRegex(done.stderr, r"^para: cut\.so: (not a shared object|the file is cut short)")


if __name__ == "__main__":
    unittest.main(verbosity=2)

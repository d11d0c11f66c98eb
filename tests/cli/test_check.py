"""--check: kernels that are run a second time, and named if they are not pure.

Environment: PARA, the command; PARA_INCLUDE, the public headers; CC, the compiler.
"""
import json
import os
import unittest

import numpy as np

from case import Build

OBJECT = r"""
#include <para/kernel.h>
#include <stdlib.h>
#include <time.h>

#define KERNEL(name, value)                                 \
    int name(const para_chunk *chunk, const void *arg)      \
    {                                                       \
        const double *x = chunk->in[0];                     \
        double *z = chunk->out[0];                          \
        (void)arg, (void)x;                                 \
        for (size_t i = 0; i < chunk->count; i++)           \
            z[i] = value;                                   \
        return 0;                                           \
    }
static _Atomic unsigned calls;
KERNEL(halve, x[i] / 2)
KERNEL(counts, calls++)
KERNEL(rolls, rand())
KERNEL(ticks, (double)clock() + calls++)
KERNEL(groups, (double)chunk->count)
KERNEL(begins, (double)chunk->first)
KERNEL(adds, z[i] + x[i] + 1)
int strays(const para_chunk *chunk, const void *arg)
{
    (void)arg;
    halve(chunk, arg);
    if (chunk->first)
        ((double *)chunk->out[0])[-1] = 7;
    return 0;
}
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
int drifts(const para_chunk *chunk, void *acc, const void *arg)
{
    *(double *)acc += calls++;
    return total(chunk, acc, arg);
}
void drifts_combine(void *acc, const void *rhs, const void *arg)
{
    total_combine(acc, rhs, arg);
}
"""


class Check(Build):
    def setUp(self):
        super().setUp()
        self.build("k", OBJECT)
        self.x = self.save("x.npy", self.random.random(10007))
        self.save("f.npy", np.asfortranarray(self.random.random((101, 33))))  # gathered

    def test_pure_kernels_pass(self):
        for words in [["map", "./k.so:halve", "x.npy", "-o", "z.npy"], ["reduce", "./k.so:total", "x.npy"],
                      ["map", "exp", "f.npy", "-o", "z.npy"], ["map", "row-norm", "f.npy", "-o", "z.npy"],
                      ["map", "axpy", "x.npy", "x.npy", "-o", "x.npy", "--arg", "a=2"],
                      ["reduce", "sum", "f.npy"], ["reduce", "max", "x.npy", "--workers", "3"]]:
            plain = self.para(*words[:-2], *words[-2:])
            self.assertEqual(self.para(*words, "--check"), plain, words)
            self.assertEqual(self.para(*words, "--check", "--chunk", "100", "--executor", "threads"), plain)

    def test_impure_maps_fail(self):
        for name, what in [("counts", "makes element"), ("rolls", "makes element"), ("ticks", "makes element"),
                           ("groups", "makes element"), ("begins", "makes element"), ("adds", "makes element"),
                           ("strays", "outside a chunk")]:
            for file in ["x.npy", "f.npy"]:
                words = ["map", f"./k.so:{name}", file, "-o", "z.npy", "--executor", "serial"]
                with self.subTest(name=name, file=file):
                    self.refused(1, f"kernel ./k.so:{name} is not pure: it ", *words, "--check")
                    self.assertIn(what, self.run_para(*words, "--check").stderr)
                    self.refused(1, "is not pure", *words, "--check", "--json")
        self.para("map", "./k.so:begins", "x.npy", "-o", "z.npy")  # unasked, nothing is checked

    def test_impure_reductions_fail(self):
        self.refused(1, "kernel ./k.so:drifts is not pure: it makes the result 0x",
                     "reduce", "./k.so:drifts", "x.npy", "--check", "--executor", "serial")

    def test_the_environment_asks_for_it_too(self):
        asked = dict(os.environ, PARA_CHECK_KERNELS="1")
        self.refused(1, "is not pure", "map", "./k.so:begins", "x.npy", "-o", "z.npy", env=asked)
        self.assertEqual(self.run_para("reduce", "sum", "x.npy", env=asked).returncode, 0)
        done = self.run_para("reduce", "sum", "x.npy", env=dict(os.environ, PARA_CHECK_KERNELS="yes"))
        self.assertEqual((done.returncode, done.stderr),
                         (0, "para: PARA_CHECK_KERNELS=yes: expected 1 or 0, true or false; ignored\n"))

    def test_large_files(self):
        """Parts that are done with are not let go of: they are read again."""
        np.lib.format.open_memmap(self.folder / "large.npy", "w+", np.float64, (17 << 20,)).flush()
        self.para("map", "square", "large.npy", "-o", "z.npy", "--check")

    def test_usage(self):
        self.refused(2, "'info' has no option --check", "info", "--check")
        self.assertIn("--check", self.para("map", "--help"))
        made = json.loads(self.para("reduce", "sum", "x.npy", "--check", "--json", "--report"))
        self.assertAlmostEqual(made["value"], self.x.sum())


if __name__ == "__main__":
    unittest.main()

"""Maps and reductions of the para command on worker processes: kernels that crash, take too long or
do what they must not.

Environment: PARA, the command; PARA_INCLUDE, the public headers; CC and CXX, the compilers.
"""
import json
import unittest

import numpy as np

from case import Build, SANITIZED

OBJECT = r"""
#include <para/kernel.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Squares, and what is negative ends in a way of its own. */
static void end_as(double x)
{
    if (x == -1)
        raise(SIGSEGV);
    else if (x == -2)
        exit(3);
    else if (x == -3)
        for (;;)
            sleep(1);
    else if (x == -4)
        close(open("/dev/null", O_RDONLY));
    else if (x == -5 && mmap(NULL, (size_t)1 << 33, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        abort();
}
int fragile(const para_chunk *chunk, const void *arg)
{
    const double *x = chunk->in[0];
    double *y = chunk->out[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        y[i] = x[i] * x[i];
        end_as(x[i]);
    }
    return 0;
}
const char fragile4_dtype[] = "float32";
int fragile4(const para_chunk *chunk, const void *arg)
{
    const float *x = chunk->in[0];
    float *y = chunk->out[0];
    for (size_t i = 0; i < chunk->count; i++) {
        y[i] = x[i] * (float)*(const double *)arg;
        end_as((double)x[i]);
    }
    return 0;
}
int total(const para_chunk *chunk, void *acc, const void *arg)
{
    const double *x = chunk->in[0];
    (void)arg;
    for (size_t i = 0; i < chunk->count; i++) {
        *(double *)acc += x[i];
        end_as(x[i]);
    }
    return 0;
}
void total_combine(void *acc, const void *rhs, const void *arg)
{
    (void)arg;
    *(double *)acc += *(const double *)rhs;
}
"""

HERE = ["--executor", "processes", "--workers", 2]


class Processes(Build):
    def setUp(self):
        super().setUp()
        self.build("fragile", OBJECT)
        self.x = np.arange(1.0, 3001.0)

    def map(self, *words, kernel="./fragile.so:fragile"):
        done = self.run_para("map", kernel, "x.npy", "-o", "y.npy", *HERE, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.load(self.folder / "y.npy"), done

    def test_as_on_threads(self):
        self.save("x.npy", self.x)
        y, done = self.map()
        self.assertEqual(done.stderr, "")
        np.testing.assert_array_equal(y, self.x * self.x)
        _, done = self.map("--report")
        self.assertIn("of 2 workers", done.stderr)
        for kernel, words in ("exp", []), ("scale", ["--arg", "a=3"]):
            self.para("map", kernel, "x.npy", "-o", "a.npy", *words)
            self.para("map", kernel, "x.npy", "-o", "b.npy", *words, *HERE)
            self.assertEqual(*[(self.folder / name).read_bytes() for name in ("a.npy", "b.npy")])
        self.assertEqual(self.para("reduce", "sum", "x.npy"), self.para("reduce", "sum", "x.npy", *HERE))

    def test_layouts(self):
        """Arrays that are copied for kernels: in Fortran order, in a pipe, rows, none at all."""
        self.save("f.npy", np.asfortranarray(self.x.reshape(30, 100)))
        self.para("map", "exp", "f.npy", "-o", "a.npy")
        self.para("map", "exp", "f.npy", "-o", "b.npy", *HERE)
        np.testing.assert_array_equal(*[np.load(self.folder / name) for name in ("a.npy", "b.npy")])
        self.assertEqual(self.para("reduce", "sum", "f.npy"), self.para("reduce", "sum", "f.npy", *HERE))
        self.save("r.npy", self.x.reshape(300, 10))
        self.para("map", "row-norm", "r.npy", "-o", "a.npy")
        self.para("map", "row-norm", "r.npy", "-o", "b.npy", *HERE)
        np.testing.assert_array_equal(*[np.load(self.folder / name) for name in ("a.npy", "b.npy")])
        with open(self.folder / "r.npy", "rb") as pipe:
            done = self.run_para("reduce", "sum", "-", *HERE, stdin=pipe)
        self.assertEqual((done.returncode, done.stdout), (0, self.para("reduce", "sum", "r.npy")))
        self.save("x.npy", self.x[:0])
        self.assertEqual(self.map()[0].size, 0)

    def test_filled(self):
        self.x[[17, 1500]] = -1
        self.x[2000] = -2
        self.save("x.npy", self.x)
        y, done = self.map("--on-crash", "fill=-7")
        good = self.x > 0
        np.testing.assert_array_equal(y[good], self.x[good] ** 2)
        np.testing.assert_array_equal(y[~good], -7)
        for line in ("element 17 filled: ", "element 1500 filled: ", "by signal 11 (Segmentation fault)",
                     "element 2000 filled: ", "by exit(3)"):
            self.assertIn(line, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 3)
        y, done = self.map("--on-crash", "fill", "--json")
        self.assertTrue(np.isnan(y[~good]).all())
        self.assertEqual(done.stderr, "")
        damaged = json.loads(done.stdout)["damaged"]
        self.assertEqual([(d["first"], d["count"], d["death"], d["number"]) for d in damaged],
                         [(17, 1, "signal", 11), (1500, 1, "signal", 11), (2000, 1, "exit", 3)])

    def test_filled_float32(self):
        self.x[99] = -1
        self.save("x.npy", self.x.astype(np.float32))
        y, _ = self.map("--on-crash", "fill=0.5", "--arg", "a=2", kernel="./fragile.so:fragile4")
        self.assertEqual(y[99], 0.5)
        self.assertEqual(y[98], 198)

    def test_reductions(self):
        self.x[[17, 18]] = -1
        self.save("x.npy", self.x)
        self.refused(1, "died", "reduce", "./fragile.so:total", "x.npy", *HERE)
        done = self.run_para("reduce", "./fragile.so:total", "x.npy", *HERE, "--on-crash", "fill")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("left out", done.stderr)
        self.assertLess(float(done.stdout), self.x.sum())

    def test_failing(self):
        self.x[17] = -1
        self.save("x.npy", self.x)
        first = "./fragile.so:fragile", "x.npy", "-o", "y.npy"
        self.refused(1, "3 workers died, the last by signal 11", "map", *first, *HERE)
        self.refused(1, "3 workers died", "map", *first, *HERE, "--on-crash", "retry")
        self.refused(1, "1 worker died", "map", *first, *HERE, "--on-crash", "fail")

    def test_limits(self):
        self.x[17] = -3
        self.save("x.npy", self.x)
        y, done = self.map("--on-crash", "fill=1", "--limit-time", "1", "--chunk", "3000")
        self.assertIn("as it took too long", done.stderr)
        self.x[17] = -4
        self.save("x.npy", self.x)
        self.assertEqual(self.map()[0][17], 16)
        y, done = self.map("--on-crash", "fill=1", "--sandbox")
        self.assertEqual((y[17], y[16]), (1, 17 * 17))
        self.assertIn("element 17 filled: ", done.stderr)
        if SANITIZED:
            return
        self.x[17] = -5
        self.save("x.npy", self.x)
        self.assertEqual(self.map()[0][17], 25)
        y, done = self.map("--on-crash", "fill=1", "--limit-memory", "2G")
        self.assertIn("by signal 6", done.stderr)

    def test_usage(self):
        self.save("x.npy", self.x)
        map_it = "map", "./fragile.so:fragile", "x.npy", "-o", "y.npy"
        for words, sentence in [
                (["--on-crash", "fail"], "--on-crash is for --executor processes"),
                (["--limit-time", "1", "--executor", "threads"], "--limit-time is for --executor processes"),
                (["--sandbox"], "--sandbox is for --executor processes"),
                ([*HERE, "--on-crash", "filled"], "neither retry, fail, fill nor fill=VALUE"),
                ([*HERE, "--on-crash", "fill="], "not a number"),
                ([*HERE, "--on-crash", "fill=1x"], "not a number"),
                ([*HERE, "--limit-time", "0"], "not a number of seconds"),
                ([*HERE, "--limit-time", "-1"], "not a number of seconds"),
                ([*HERE, "--limit-time", "nan"], "not a number of seconds"),
                ([*HERE, "--limit-memory", "1Q"], "not a number of bytes"),
                ([*HERE, "--limit-memory", "1"], "is less than 1M"),
                ([*HERE, "--limit-memory", "K"], "not a number of bytes"),
                ([*HERE, "--limit-memory", "99999999999999T"], "not a number of bytes"),
                ([*HERE, "--check"], "--check is not for --executor processes"),
                (["--executor", "process"], "neither threads, serial, processes nor openmp"),
        ]:
            self.refused(2, sentence, *map_it, *words)
        self.refused(2, "no elements to fill", "reduce", "sum", "x.npy", *HERE, "--on-crash", "fill=1")
        self.refused(2, "is for map and reduce", "info", "--executor", "processes")
        self.refused(2, "has no option --sandbox", "kernels", "--sandbox")


if __name__ == "__main__":
    unittest.main()

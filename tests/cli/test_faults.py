"""The para command where something is wrong, and kernels from shared objects, which can be.

Environment: PARA, the command; PARA_INCLUDE, the public headers; CC, the compiler.
"""
import json
import math
import os
import resource
import signal
import subprocess
import time
import unittest

import numpy as np

from case import PARA, Case

OBJECT = r"""
#include <para/kernel.h>
#include <fcntl.h>
#include <unistd.h>

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
        z[i] = arg ? 0 : x[i] / 2; /* no --arg: arg is NULL */
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
"""


class Objects(Case):
    def setUp(self):
        super().setUp()
        (self.folder / "k.c").write_text(OBJECT)
        subprocess.run([os.environ["CC"], "-std=c11", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC",
                        "-I", os.environ["PARA_INCLUDE"], "k.c", "-o", "k.so"], cwd=self.folder, check=True)
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

    def test_what_is_missing_is_named(self):
        self.refused(1, "./none.so", "map", "./none.so:f", "x.npy", "-o", "z.npy")
        self.refused(1, "./k.so: there is no symbol 'none'", "map", "./k.so:none", "x.npy", "-o", "z.npy")
        self.refused(1, "./k.so: there is no symbol 'lonely_combine'", "reduce", "./k.so:lonely", "x.npy")
        for kernel in ["./k.so:", ":f"]:
            self.refused(2, "is not OBJECT:SYMBOL", "map", kernel, "x.npy", "-o", "z.npy")
        self.refused(2, "reads at least 1 input file", "map", "./k.so:halve", "-o", "z.npy")

    def test_an_error_of_the_kernel_leaves_no_output(self):
        self.refused(1, "kernel ./k.so:fails returned 7 for elements 500 to 599", "map", "./k.so:fails",
                     "x.npy", "-o", "z.npy", "--chunk", "100")

    def kill(self, number):
        """Ends para by a signal while its kernel runs; returns the names it leaves behind."""
        before = set(self.files())
        process = subprocess.Popen([PARA, "map", "./k.so:hangs", "x.npy", "-o", "z.npy"], cwd=self.folder)
        while not (self.folder / "started").exists():
            self.assertIsNone(process.poll())
            time.sleep(0.001)
        process.send_signal(number)
        self.assertEqual(process.wait(60), -number)
        return set(self.files()) - before - {"started"}

    def test_a_signal_leaves_no_output(self):
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            self.assertEqual(self.kill(number), set())
            (self.folder / "started").unlink()

    def test_a_kill_leaves_no_file_of_that_name(self):
        self.assertNotIn("z.npy", self.kill(signal.SIGKILL))


class Faults(Case):
    def setUp(self):
        super().setUp()
        self.save("x.npy", np.arange(100.0))

    def sum_refused(self, sentence, name="bad.npy"):
        self.refused(1, f"para: {name}: {sentence}", "reduce", "sum", name)

    def test_files_that_are_no_arrays(self):
        bad = self.folder / "bad.npy"
        self.sum_refused("No such file or directory")
        bad.write_bytes(b"")
        self.sum_refused("the file is empty")
        bad.write_bytes(b"PK\x03\x04 and more of it")
        self.sum_refused("not a .npy file")
        self.sum_refused("not a regular file", ".")
        os.mkfifo(self.folder / "pipe.npy")
        done = self.run_para("reduce", "sum", "pipe.npy")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("pipe.npy: not a regular file", done.stderr)

    def test_truncated_files(self):
        whole = (self.folder / "x.npy").read_bytes()
        for size, sentence in [(528, "truncated: header says 800 bytes of data, file has 400"),
                               (100, "truncated: the header has 128 bytes, the file 100"),
                               (8, "truncated: the file ends within the header")]:
            (self.folder / "bad.npy").write_bytes(whole[:size])
            self.sum_refused(sentence)

    def test_other_element_types(self):
        for name in [">f8", "<i8", "<c16", "<f2", "|O"]:
            self.save("bad.npy", np.ones(3, name))
            self.sum_refused(f"element type '{name}' is not supported")
        self.save("bad.npy", np.zeros(3, [("a", "<f4")]))
        self.sum_refused("a structured element type is not supported")

    def test_fortran_order(self):
        self.save("bad.npy", np.asfortranarray(np.ones((3, 4))))
        self.sum_refused("Fortran order is not supported")

    def test_arrays_that_do_not_fit_together(self):
        self.save("y.npy", np.ones(100, np.float32))
        self.refused(1, "y.npy: elements are float32, those of x.npy are float64", "reduce", "dot",
                     "x.npy", "y.npy")
        self.save("y.npy", np.ones((100, 1)))
        self.refused(1, "y.npy: the shape is not that of x.npy", "reduce", "dot", "x.npy", "y.npy")
        self.refused(1, "x.npy: row-norm needs an array of 2 dimensions, this one has 1", "map", "row-norm",
                     "x.npy", "-o", "z.npy")

    def test_output_that_cannot_be_written(self):
        self.refused(1, "none/z.npy: No such file", "map", "copy", "x.npy", "-o", "none/z.npy")
        self.refused(1, "x.npy/z.npy: Not a directory", "map", "copy", "x.npy", "-o", "x.npy/z.npy")
        self.refused(1, "/proc/z.npy: ", "map", "copy", "x.npy", "-o", "/proc/z.npy")
        self.refused(1, "para: .: Is a directory", "map", "copy", "x.npy", "-o", ".")
        self.refused(1, "/dev/null: ", "map", "copy", "x.npy", "-o", "/dev/null")

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_output_that_is_protected(self):
        self.save("z.npy", np.ones(1))
        (self.folder / "z.npy").chmod(0o444)
        self.refused(1, "z.npy: Permission denied", "map", "copy", "x.npy", "-o", "z.npy")
        self.folder.chmod(0o555)
        self.addCleanup(self.folder.chmod, 0o755)
        self.refused(1, "y.npy: Permission denied", "map", "copy", "x.npy", "-o", "y.npy")

    def test_no_room_for_the_output(self):
        self.refused(1, "z.npy: File too large", "map", "copy", "x.npy", "-o", "z.npy",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)))

    def test_standard_output_that_cannot_be_written(self):
        for words in [("reduce", "sum", "x.npy"), ("info",), ("kernels",), ("--help",), ("--version",)]:
            with open("/dev/full", "w", encoding="ascii") as full:
                self.refused(1, "standard output: No space left on device", *words, stdout=full)

    def test_a_closed_standard_output_does_not_spoil_a_file(self):
        done = self.run_para("map", "copy", "x.npy", "-o", "z.npy", "--json", stdout=None,
                             preexec_fn=lambda: os.close(1))
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output: ", done.stderr)
        np.testing.assert_array_equal(np.load(self.folder / "z.npy"), np.arange(100.0))


class Usage(Case):
    def test_usage_errors(self):
        self.save("x.npy", np.ones(3))
        z = ("-o", "z.npy")
        for sentence, *words in [
            ("unknown command 'frob'", "frob"),
            ("unknown kernel 'cosine'", "map", "cosine", "x.npy", *z),
            ("a kernel is missing", "reduce"),
            ("kernel sum is for 'para reduce'", "map", "sum", "x.npy", *z),
            ("kernel exp is for 'para map'", "reduce", "exp", "x.npy"),
            ("kernel axpy reads 2 input files; given: 1", "map", "axpy", "x.npy", *z, "--arg", "a=1"),
            ("kernel sum reads 1 input file; given: 0", "reduce", "sum"),
            ("more than 8 input files", "reduce", "sum", *["x.npy"] * 9),
            ("-o OUT.npy is missing", "map", "copy", "x.npy"),
            ("kernel scale needs --arg a=VALUE", "map", "scale", "x.npy", *z),
            ("kernel scale has no argument 'b'", "map", "scale", "x.npy", *z, "--arg", "b=1"),
            ("kernel exp has no argument 'a'", "map", "exp", "x.npy", *z, "--arg", "a=1"),
            ("--arg a is given twice", "map", "scale", "x.npy", *z, "--arg", "a=1", "--arg", "a=2"),
            ("--arg 'a' is not NAME=VALUE", "map", "scale", "x.npy", *z, "--arg", "a"),
            ("unknown option '--frob'", "reduce", "sum", "x.npy", "--frob"),
            ("unknown option '-x'", "reduce", "sum", "x.npy", "-x"),
            ("option '--workers' needs a value", "reduce", "sum", "x.npy", "--workers"),
            ("'reduce' has no option --output", "reduce", "sum", "x.npy", *z),
            ("'info' has no option --report", "info", "--report"),
            ("unexpected 'x.npy'", "kernels", "x.npy"),
            ("--executor 'gpu' is neither threads nor serial", "reduce", "sum", "x.npy", "--executor", "gpu"),
            ("--format 'x' is neither g nor hex", "reduce", "sum", "x.npy", "--format", "x"),
        ]:
            self.refused(2, sentence, *words)
        done = self.run_para()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("usage: para", done.stderr)

    def test_numbers_are_read_strictly(self):
        self.save("x.npy", np.ones(3))
        for bad in ["", "0", "-1", "+1", " 1", "1 ", "1.0", "0x1", "x", "1e3", "18446744073709551617"]:
            for option in ["--workers", "--chunk"]:
                self.refused(2, f"{option} '{bad}' is not a", "reduce", "sum", "x.npy", option, bad)
        self.refused(2, "--workers '1025'", "reduce", "sum", "x.npy", "--workers", "1025")
        self.assertEqual(self.para("reduce", "sum", "x.npy", "--chunk", "18446744073709551615"), "3\n")
        for bad in ["a=", "a=x", "a=1x", "a= 1", "a=1e999", "=1"]:
            self.refused(2, f"--arg '{bad}'", "map", "scale", "x.npy", "-o", "z.npy", "--arg", bad)
        for good, value in [("a=1e-3", 1e-3), ("a=-inf", -np.inf), ("a=0x1.8p1", 3)]:
            self.para("map", "scale", "x.npy", "-o", "z.npy", "--arg", good)
            np.testing.assert_array_equal(np.load(self.folder / "z.npy"), np.ones(3) * value)

    def test_help_and_version(self):
        self.assertIn("usage: para map", self.para("--help"))
        self.assertRegex(self.para("--version"), r"^para \d+\.\d+\.\d+\n$")
        for command in ["map", "reduce", "info", "kernels"]:
            self.assertTrue(self.para(command, "--help").startswith(f"usage: para {command}"))

    def test_kernels(self):
        table = json.loads(self.para("kernels", "--json"))["kernels"]
        names = "copy scale axpy square sqrt exp row-norm sum dot mean min max".split()
        self.assertEqual([kernel["name"] for kernel in table], names)
        self.assertEqual([kernel["name"] for kernel in table if kernel["arguments"]], ["scale", "axpy"])
        lines = self.para("kernels").splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["KERNEL", *names])

    def test_info(self):
        made = json.loads(self.para("info", "--json", "--workers", "3"))
        self.assertEqual((made["pool"]["requested"], made["pool"]["workers"]), (3, 3))
        self.assertEqual(len(made["workers"]), 3)
        self.assertGreaterEqual(made["machine"]["cpus"], made["machine"]["cores"])
        self.assertGreaterEqual(made["machine"]["budget"], 1)
        text = self.para("info", "--workers", "3")
        self.assertRegex(text, r"(?m)^budget +\d+ thread")
        self.assertEqual(text.count("\nworker "), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)

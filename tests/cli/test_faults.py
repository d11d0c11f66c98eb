"""The para command where something is wrong with files or words.

Environment: PARA, the command.
"""
import json
import os
import resource
import unittest

import numpy as np

from case import SANITIZED, Case

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
        self.refused(1, "para: /dev/null: not a regular file", "map", "copy", "x.npy", "-o", "/dev/null")
        (self.folder / "link.npy").symlink_to("none/z.npy")
        (self.folder / "loop.npy").symlink_to("loop.npy")
        for name, fault in [("link.npy", "No such file or directory"),
                            ("loop.npy", "Too many levels of symbolic links")]:
            done = self.run_para("map", "copy", "x.npy", "-o", name)
            self.assertEqual((done.returncode, done.stderr), (1, f"para: {name}: {fault}\n"))
            self.assertTrue((self.folder / name).is_symlink())

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

    @unittest.skipIf(SANITIZED, "a sanitizer reserves more addresses than any limit leaves")
    def test_no_addresses_for_the_output(self):
        mebibyte = 1 << 20
        self.save("x.npy", np.zeros(4 * mebibyte))  # 32 MiB
        seen = set()
        for limit in range(16 * mebibyte, 256 * mebibyte, 16 * mebibyte):
            done = self.run_para("map", "copy", "x.npy", "-o", "z.npy", "--workers", "1",
                                 preexec_fn=lambda most=limit: resource.setrlimit(resource.RLIMIT_AS,
                                                                                  (most, most)))
            seen.add(done.stderr)
            if done.returncode == 0:
                break
        self.assertIn("para: z.npy: Cannot allocate memory\n", seen)
        self.assertFalse([text for text in seen if ".para-" in text])

    def test_control_characters_are_escaped(self):
        self.refused(1, "para: \\x1b[31m\\x0a\\xc2\\x9b\\xff\u00e9\\x7f.npy: No such file", "reduce", "sum",
                     "\x1b[31m\n\x9b\udcff\u00e9\x7f.npy")
        self.refused(1, "PARA_NUM_WORKERS=\\x1b[31m: expected", "info",
                     env={**os.environ, "PARA_NUM_WORKERS": "\x1b[31m"})

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
            ("the output's name is empty", "map", "copy", "x.npy", "-o", ""),
            ("-o is given twice", "map", "copy", "x.npy", *z, "-o", "y.npy"),
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
            ("--executor 'gpu' is neither threads, serial, processes nor openmp", "reduce", "sum", "x.npy", "--executor", "gpu"),
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
        general = self.para("--help")
        self.assertIn("usage: para map", general)
        for word in ["-h", "help"]:
            self.assertEqual(self.para(word), general)
        version = self.para("--version")
        self.assertRegex(version, r"^para \d+\.\d+\.\d+\n$")
        self.assertEqual(self.para("-V"), version)
        for command in ["map", "reduce", "calibrate", "info", "kernels"]:
            text = self.para(command, "--help")
            self.assertTrue(text.startswith(f"usage: para {command}"))
            self.assertEqual(self.para(command, "-h"), text)
            self.assertEqual(self.para("help", command), text)
            self.assertEqual(self.para(command, "-V"), version)
        self.refused(2, "unknown command 'frob'", "help", "frob")
        self.refused(2, "unexpected 'info'", "help", "map", "info")

    def test_what_was_probably_meant(self):
        for name in "xyz":
            self.save(f"{name}.npy", np.ones(3))
        z = ("-o", "o.npy")
        for sentence, *words in [
            ("unknown command 'maps': is it 'map'?", "maps"),
            ("unknown command 'Reduce': is it 'reduce'?", "Reduce"),
            ("unknown command 'sum': it is a kernel, for 'para reduce sum'", "sum", "x.npy"),
            ("unknown command 'exp': it is a kernel, for 'para map exp'", "exp", "x.npy"),
            ("unknown kernel 'cosine': 'para kernels' lists them", "map", "cosine", "x.npy", *z),
            ("unknown kernel 'scal': is it 'scale'? 'para kernels' lists them", "map", "scal", "x.npy", *z),
            ("unknown kernel 'SUM': is it 'sum'? 'para kernels'", "reduce", "SUM", "x.npy"),
            ("unknown kernel 'row_norm': is it 'row-norm'?", "map", "row_norm", "x.npy", *z),
            ("unknown kernel 'x.npy': the kernel comes first, 'para kernels'", "reduce", "x.npy"),
            ("unknown kernel 'mine.so': name the function in it, too, as in mine.so:f", "reduce", "mine.so", "x.npy"),
            ("a kernel is missing: 'para kernels' lists them", "reduce"),
            ("given: 3: run it on each, as in 'for f in *.npy; do para reduce KERNEL \"$f\"; done'", "reduce", "sum",
             "x.npy", "y.npy", "z.npy"),
            ("given: 2: run it on each, as in 'for f in *.npy; do para map KERNEL \"$f\" -o", "map", "exp", "x.npy",
             "y.npy", *z),
            ("more than 8 input files: kernel sum reads 1 input file; given: 9: run it on each", "reduce", "sum",
             *["x.npy"] * 9),
        ]:
            self.refused(2, sentence, *words)

    def test_kernels(self):
        table = json.loads(self.para("kernels", "--json"))["kernels"]
        names = "copy scale axpy square sqrt exp row-norm sum dot mean min max".split()
        self.assertEqual([kernel["name"] for kernel in table], names)
        self.assertEqual([kernel["name"] for kernel in table if kernel["arguments"]], ["scale", "axpy"])
        lines = self.para("kernels").splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["KERNEL", *names])


if __name__ == "__main__":
    unittest.main(verbosity=2)

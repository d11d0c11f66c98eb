"""para map and para reduce: NumPy writes the inputs and judges the outputs."""
import json
import math
import unittest

import numpy as np

from case import Case, HAS_OPENMP

DTYPES = [np.float32, np.float64]


def bits(array):
    return array.view({4: np.uint32, 8: np.uint64}[array.dtype.itemsize])


class Map(Case):
    def test_elementwise_kernels_have_numpys_bits(self):
        for dtype in DTYPES:
            exponent = 120 if dtype == np.float32 else 1000
            x = self.save("x.npy", self.specials(dtype, 100_003, exponent))
            y = self.save("y.npy", self.specials(dtype, 100_003, exponent)[::-1].copy())
            a = dtype(1.1)
            with np.errstate(all="ignore"):
                expected = {
                    ("copy", "x.npy"): x,
                    ("scale", "x.npy", "--arg", "a=1.1"): a * x,
                    ("axpy", "x.npy", "y.npy", "--arg", "a=1.1"): a * x + y,
                    ("square", "x.npy"): x * x,
                    ("sqrt", "x.npy"): np.sqrt(x),
                }
            for words, z in expected.items():
                for how in [(), ("--executor", "threads", "--workers", "3", "--chunk", "1000"),
                            ("--executor", "serial")]:
                    self.para("map", *words, "-o", "z.npy", *how)
                    got = np.load(self.folder / "z.npy")
                    self.assertEqual((got.dtype, got.shape), (z.dtype, z.shape))
                    numbers = ~np.isnan(z)
                    np.testing.assert_array_equal(np.isnan(got), ~numbers)
                    np.testing.assert_array_equal(bits(got)[numbers], bits(z)[numbers], err_msg=str(words))

    def test_exp_is_within_one_ulp(self):
        for dtype, low, high in [(np.float32, -110, 95), (np.float64, -750, 715)]:
            x = self.random.uniform(low, high, 100_000).astype(dtype)
            x[:5] = [0.0, -0.0, np.inf, -np.inf, np.nan]
            self.save("x.npy", x)
            self.para("map", "exp", "x.npy", "-o", "z.npy")
            z = np.load(self.folder / "z.npy")
            with np.errstate(all="ignore"):
                exact = np.exp(x.astype(np.longdouble))
                rounded = exact.astype(dtype)
                finite = np.isfinite(rounded)
                error = np.abs(z[finite].astype(np.longdouble) - exact[finite])
                self.assertLess(np.max(error / np.spacing(rounded[finite])), 1)
            np.testing.assert_array_equal(z[~finite], rounded[~finite])

    def test_row_norm_is_that_of_numpy(self):
        for dtype, tolerance in [(np.float32, 6e-8), (np.float64, 1e-15)]:
            for shape in [(1000, 64), (7, 1), (1, 1000), (33, 17)]:
                x = self.save("x.npy", self.values(dtype, shape, 20))
                self.para("map", "row-norm", "x.npy", "-o", "z.npy")
                z = np.load(self.folder / "z.npy")
                self.assertEqual((z.dtype, z.shape), (dtype, shape[:1]))
                np.testing.assert_allclose(z, np.linalg.norm(x.astype(np.float64), axis=1), rtol=tolerance)

    def test_every_shape_is_kept(self):
        for shape in [(), (1,), (0,), (3, 0, 2), (2, 3, 4), (1,) * 20]:
            x = self.save("x.npy", self.values(np.float64, shape, 3))
            self.para("map", "square", "x.npy", "-o", "z.npy")
            z = np.load(self.folder / "z.npy")
            self.assertEqual(z.shape, shape)
            np.testing.assert_array_equal(z, x * x)
        for shape in [(0, 5), (5, 0), (0, 0)]:
            x = self.save("x.npy", np.ones(shape, np.float32))
            self.para("map", "row-norm", "x.npy", "-o", "z.npy")
            np.testing.assert_array_equal(np.load(self.folder / "z.npy"), np.zeros(shape[0], np.float32))

    def test_every_version_of_the_format_is_read(self):
        x = self.values(np.float64, 100, 3)
        for version in [(1, 0), (2, 0), (3, 0)]:
            with open(self.folder / "x.npy", "wb") as file:
                np.lib.format.write_array(file, x, version=version)
            self.para("map", "copy", "x.npy", "-o", "z.npy")
            np.testing.assert_array_equal(np.load(self.folder / "z.npy"), x)

    def test_output_may_be_an_input(self):
        x = self.save("x.npy", self.values(np.float64, 10_000, 3))
        self.para("map", "square", "x.npy", "-o", "x.npy")
        np.testing.assert_array_equal(np.load(self.folder / "x.npy"), x * x)
        self.assertEqual(list(self.files()), ["x.npy"])

    def test_output_through_a_link_keeps_link_and_mode(self):
        x = self.save("x.npy", np.arange(3.0))
        self.save("real.npy", x)
        (self.folder / "real.npy").chmod(0o640)
        (self.folder / "link.npy").symlink_to("real.npy")
        self.para("map", "square", "x.npy", "-o", "link.npy")
        self.assertTrue((self.folder / "link.npy").is_symlink())
        self.assertEqual((self.folder / "real.npy").stat().st_mode & 0o777, 0o640)
        np.testing.assert_array_equal(np.load(self.folder / "real.npy"), x * x)

    def test_output_through_links_that_point_to_nothing(self):
        x = self.save("x.npy", np.arange(3.0))
        (self.folder / "sub").mkdir()
        (self.folder / "link.npy").symlink_to("sub/next.npy")
        (self.folder / "sub" / "next.npy").symlink_to("../real.npy")
        self.para("map", "square", "x.npy", "-o", "link.npy")
        self.assertTrue((self.folder / "link.npy").is_symlink())
        self.assertTrue((self.folder / "sub" / "next.npy").is_symlink())
        self.assertFalse((self.folder / "real.npy").is_symlink())
        np.testing.assert_array_equal(np.load(self.folder / "link.npy"), x * x)

    def test_json_is_one_object(self):
        self.save("x.npy", np.ones((2, 3)))
        name = 'q"\\\n\x1f\N{GREEK SMALL LETTER ALPHA}.npy'
        made = json.loads(self.para("map", "copy", "x.npy", "-o", name, "--json", "--report"))
        self.assertEqual((made["kernel"], made["dtype"], made["shape"], made["output"]),
                         ("copy", "float64", [2, 3], name))
        self.assertGreaterEqual(made["report"]["workers"], 1)


class Reduce(Case):
    def reduce(self, *words):
        return float.fromhex(self.para("reduce", *words, "--format", "hex").strip())

    def test_sums_are_within_their_bounds(self):
        u = 2.0 ** -53
        for dtype in DTYPES:
            for count in [1, 15, 16, 17, 1000, 300_007]:
                x = self.save("x.npy", self.values(dtype, count, 40))
                y = self.save("y.npy", self.values(dtype, count, 40))
                # b elements in a block in all, however the engine cuts: an upper bound of the bound
                k = math.ceil(count / 16) + 4 + math.ceil(math.log2(count)) + 2
                wide = [x.astype(np.float64), x.astype(np.longdouble) * y.astype(np.longdouble)]
                exact_sum = math.fsum(wide[0])
                exact_dot = np.sum(wide[1])
                bound = 1.001 * k * u
                self.assertLessEqual(abs(self.reduce("sum", "x.npy") - exact_sum),
                                     bound * math.fsum(np.abs(wide[0])))
                self.assertLessEqual(abs(self.reduce("mean", "x.npy") - exact_sum / count),
                                     bound * math.fsum(np.abs(wide[0])) / count)
                self.assertLessEqual(abs(self.reduce("dot", "x.npy", "y.npy") - exact_dot),
                                     bound * float(np.sum(np.abs(wide[1]))))

    def test_min_and_max_are_those_of_numpy(self):
        for dtype in DTYPES:
            for count in [1, 31, 32, 33, 100_000]:
                x = self.save("x.npy", self.values(dtype, count, 100))
                self.assertEqual(self.reduce("min", "x.npy"), float(np.min(x)))
                self.assertEqual(self.reduce("max", "x.npy"), float(np.max(x)))
            x[count // 3] = np.nan
            self.save("x.npy", x)
            self.assertEqual(self.para("reduce", "min", "x.npy"), "nan\n")
            self.assertEqual(self.para("reduce", "max", "x.npy", "--format", "hex"), "nan\n")
            for place in [31, 99_999]:
                x = self.values(dtype, 100_000, 100)
                x[place] = np.nan
                self.save("x.npy", x)
                for kernel in ["min", "max", "sum"]:
                    for how in [["--executor", "serial"], ["--executor", "threads", "--chunk", "1"],
                                ["--executor", "threads", "--workers", "2", "--chunk", "777"]]:
                        self.assertEqual(self.para("reduce", kernel, "x.npy", *how), "nan\n")
            zeros = np.zeros(100_000, dtype)
            zeros[77_777] = -0.0
            self.save("x.npy", zeros)
            self.assertEqual(self.para("reduce", "min", "x.npy"), "-0\n")
            self.assertEqual(self.para("reduce", "max", "x.npy"), "0\n")

    def test_the_bits_do_not_depend_on_workers_or_chunk(self):
        for dtype in DTYPES:
            x = self.save("x.npy", self.values(dtype, (1000, 1001), 30))
            on_openmp = [("--executor", "openmp")] if HAS_OPENMP else []
            for kernel, files in [("sum", 1), ("dot", 2), ("mean", 1), ("min", 1)]:
                seen = set()
                for workers in [1, 2, 3, 5, 8, 64]:
                    for how in [(), ("--chunk", "1"), ("--chunk", "777"), ("--executor", "threads"),
                                ("--executor", "serial"), *on_openmp]:
                        seen.add(self.para("reduce", kernel, *["x.npy"] * files, "--workers", workers, *how,
                                           "--format", "hex"))
                self.assertEqual(len(seen), 1, (kernel, seen))
            self.assertTrue(np.isfinite(x).all())

    def test_values_are_printed_exactly(self):
        self.save("x.npy", np.array([0.1]))
        self.assertEqual(self.para("reduce", "sum", "x.npy"), "0.10000000000000001\n")
        self.assertEqual(self.para("reduce", "sum", "x.npy", "--format", "g"), "0.10000000000000001\n")
        self.assertEqual(self.para("reduce", "sum", "x.npy", "--format", "hex"), "0x1.999999999999ap-4\n")

    def test_no_elements(self):
        self.save("x.npy", np.ones((3, 0)))
        self.assertEqual(self.para("reduce", "sum", "x.npy"), "0\n")
        self.assertEqual(self.para("reduce", "dot", "x.npy", "x.npy"), "0\n")
        for kernel in ["min", "max", "mean"]:
            self.refused(1, f"x.npy: the {kernel} of no elements is not defined", "reduce", kernel, "x.npy")

    def test_json_is_one_object(self):
        for value, number, text in [(1.5, 1.5, "0x1.8p+0"), (np.inf, None, "inf"), (np.nan, None, "nan")]:
            self.save("x.npy", np.array([value], np.float32))
            made = json.loads(self.para("reduce", "sum", "x.npy", "--json", "--report"))
            self.assertEqual((made["value"], made["value_hex"]), (number, text))
            self.assertEqual((made["kernel"], made["dtype"], made["shape"]), ("sum", "float32", [1]))
            self.assertEqual(set(made["report"]), {"workers", "width", "pool_workers", "chunks", "chunk",
                                                   "time_ns", "why"})

    def test_report_goes_to_stderr(self):
        self.save("x.npy", np.ones(1000))
        done = self.run_para("reduce", "sum", "x.npy", "--report", "--workers", "2")
        self.assertEqual((done.returncode, done.stdout), (0, "1000\n"))
        self.assertRegex(done.stderr,
                         r"^para: \d of 2 workers, \d+ chunks? of (at most )?\d+ elements, .* ms; \S.*\n$")
        self.save("x.npy", np.ones(1))
        done = self.run_para("reduce", "sum", "x.npy", "--report", "--workers", "1")
        self.assertRegex(done.stderr, r"^para: 1 of 1 worker, 1 chunk of 1 element, ")


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""What the tests of the para command share. PARA in the environment names the command."""
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

PARA = os.environ["PARA"]
os.environ["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + " atexit_sleep_ms=0"  # else 1 s a run
SANITIZED = any(name in pathlib.Path(PARA).read_bytes() for name in [b"__asan_init", b"__tsan_init"])
# ThreadSanitizer does not see how libgomp's threads wait for each other.
HAS_OPENMP = os.environ.get("PARA_HAS_OPENMP") == "1" and b"__tsan_init" not in pathlib.Path(PARA).read_bytes()
SEED = int(os.environ.get("PARA_TEST_SEED", "20240229"))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.random = np.random.default_rng(SEED)

    def save(self, name, array):
        np.save(self.folder / name, array)
        return array

    def run_para(self, *words, **options):
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([PARA, *map(str, words)], cwd=self.folder, stderr=subprocess.PIPE,
                              text=True, timeout=360 if SANITIZED else 120, check=False, **options)

    def para(self, *words):
        """Runs para, which has to succeed in silence, and returns what it printed."""
        done = self.run_para(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def refused(self, status, sentence, *words, **options):
        """Runs para, which has to fail with that status and sentence and leave the folder as it was."""
        before = self.files()
        done = self.run_para(*words, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(sentence, done.stderr)
        self.assertTrue(done.stderr.startswith("para: "), done.stderr)
        self.assertFalse(done.stdout)
        self.assertEqual(self.files(), before)

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def values(self, dtype, count, exponent):
        """Either sign, magnitudes 2^-exponent to 2^exponent."""
        magnitudes = np.exp2(self.random.uniform(-exponent, exponent, count))
        return (magnitudes * self.random.choice([-1, 1], count)).astype(dtype)

    def specials(self, dtype, count, exponent):
        info = np.finfo(dtype)
        array = self.values(dtype, count, exponent)
        array[:10] = [0.0, -0.0, np.inf, -np.inf, np.nan, info.max, info.tiny, info.smallest_subnormal, 1, -1]
        return array


class Build(Case):
    """With objects that are made by the compilers that CC and CXX name."""
    def compile(self, source, text, name, *flags, compiler="CC"):
        (self.folder / source).write_text(text)
        subprocess.run([*os.environ[compiler].split(), *flags, "-fPIC", "-I", os.environ["PARA_INCLUDE"],
                        source, "-o", name], cwd=self.folder, check=True)

    def build(self, name, source):
        self.compile(f"{name}.c", source, f"{name}.so", "-std=c11", "-D_GNU_SOURCE", "-O2", "-shared")

"""Arrays that others write, and where they lie: headers, pipes, mounts, devices, and files that are large.

Environment: PARA, the command.
"""
import errno
import io
import os
import pathlib
import struct
import subprocess
import threading
import unittest
import warnings

import numpy as np

import refusals
from case import PARA, SANITIZED, Case



def with_header(text, version=1, data=b"\0" * 160):
    """A file with that header as it stands, without padding."""
    text = text.encode("utf8" if version == 3 else "latin1")
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def load(data):
    """The array, if NumPy takes it and its elements are of our types; else None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = np.load(io.BytesIO(data))
    except Exception:  # pylint: disable=broad-except # whatever NumPy finds wrong
        return None
    return array if array.dtype in (np.dtype("<f4"), np.dtype("<f8")) else None


class Headers(Case):
    def check(self, data):
        """para takes what NumPy takes, and nothing else."""
        (self.folder / "x.npy").write_bytes(data)
        expected = load(data)
        done = self.run_para("map", "copy", "x.npy", "-o", "z.npy", "--executor", "serial")
        if expected is None:
            self.assertEqual(done.returncode, 1, data)
            self.assertRegex(done.stderr, r"^para: x\.npy: .+\n$")
        else:
            self.assertEqual((done.returncode, done.stderr), (0, ""), data)
            got = np.load(self.folder / "z.npy")
            self.assertEqual((got.dtype, got.shape), (expected.dtype, expected.shape))
            np.testing.assert_array_equal(got, expected)
        return expected is not None

    def test_types_by_all_their_names(self):
        taken = 0
        for order in ["", "<", "=", "|", ">", "!"]:
            for name in ["f4", "f8", "f", "d", "g", "f2", "f16", "i8", "float32", "float64", "float", "double",
                         "single", "float_", "F8", ""]:
                taken += self.check(with_header(f"{{'descr': '{order}{name}', 'fortran_order': False, "
                                                "'shape': (3,), }\n", data=struct.pack("<20d", *range(20))))
        self.assertEqual(taken, 4 * 4 + 6)

    def test_spellings(self):
        texts = [
            "{'descr':'<f8','fortran_order':False,'shape':(2,3)}",
            "{'shape': (2, 3,), 'fortran_order': False, 'descr': '<f8',}",
            "{ \"descr\" : \"<f8\" , 'fortran_order' : True , 'shape' : ( 2 , 3 , ) , }  \n\n",
            "{u'descr': u'<f8', u'fortran_order': False, u'shape': (2L, 3L)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2L,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (0x2, 0b1, 0o1, 1_0)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (+2, 00)}",
            "{'descr': '<f8',\n 'fortran_order': False,\r\n\t'shape': (2, # rows\n 3)} # end",
            "{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1, 3)}",
            "{'descr': '<f8', 'fortran_order': True, 'shape': (0, 2)}",
            # and what NumPy does not take
            "{'descr': '<f8', 'fortran_order': 1, 'shape': (2,)}",
            "{'descr': '<f8', 'fortran_order': 'False', 'shape': (2,)}",
            "{'descr': '<f8', 'fortran_order': false, 'shape': (2,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': [2]}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (02,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2l,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2.0,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (,)}",
            "{'descr': '<f8', 'fortran_order': False}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'x': 1}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (21,)}",
            "('<f8', False, (2,))",
            "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,)}",
            "\N{GREEK SMALL LETTER ALPHA}",
        ]
        for version in [1, 2, 3, 4]:
            taken = sum(self.check(with_header(text, version, struct.pack("<20d", *range(20)))) for text in texts
                        if version == 3 or text.isascii())
            self.assertEqual(taken, [12, 12, 10, 0][version - 1])  # the third has no long numbers

    def test_data_at_any_offset(self):
        x = self.values(np.float64, 1000, 3)
        for blanks in range(17):
            (self.folder / "x.npy").write_bytes(with_header("{'descr': '<f8', 'fortran_order': False, 'shape': "
                                                            "(1000,)}" + " " * blanks, data=x.tobytes()))
            self.save("y.npy", x)
            self.para("map", "axpy", "x.npy", "y.npy", "-o", "z.npy", "--arg", "a=2", "--executor", "threads",
                      "--workers", "3")
            np.testing.assert_array_equal(np.load(self.folder / "z.npy"), 2 * x + x)

    def test_bits_do_not_depend_on_how_an_array_is_stored(self):
        for dtype, shape in [(np.float32, (300, 401)), (np.float64, (7, 5, 3001)), (np.float64, (1, 100_000))]:
            x = self.save("c.npy", self.values(dtype, shape, 30))
            self.save("f.npy", np.asfortranarray(x))
            data = (self.folder / "c.npy").read_bytes()
            (self.folder / "odd.npy").write_bytes(data[:8] + struct.pack("<H", 119) + data[10:128] + b"\n" + data[128:])
            self.assertEqual(len({self.para("reduce", "dot", "c.npy", name, "--format", "hex", *how)
                                  for name in ["c.npy", "f.npy", "odd.npy"]
                                  for how in [(), ("--executor", "threads", "--workers", "4")]}), 1)
            for name in ["f.npy", "odd.npy"]:
                for how in [(), ("--executor", "threads", "--chunk", "777"), ("--executor", "serial")]:
                    self.para("map", "axpy", name, "c.npy", "-o", "z.npy", "--arg", "a=1", *how)
                    np.testing.assert_array_equal(np.load(self.folder / "z.npy"), x + x)
            if x.ndim == 2:
                self.para("map", "row-norm", "c.npy", "-o", "1.npy")
                for name in ["f.npy", "odd.npy"]:
                    self.para("map", "row-norm", name, "-o", "2.npy")
                    np.testing.assert_array_equal(np.load(self.folder / "1.npy"), np.load(self.folder / "2.npy"))

    def test_big_endian_numbers_and_other_formats_say_what_to_do(self):
        self.save("x.npy", np.ones(3, ">f8"))
        self.refused(1, "x.npy: element type '>f8' is not supported (big-endian numbers): save", "reduce", "sum",
                     "x.npy")
        np.savez(self.folder / "x.npz", x=np.ones(3))
        self.refused(1, "x.npz: not a .npy file, but a zip archive, such as .npz: unpack it, as in 'unzip -p",
                     "reduce", "sum", "x.npz")
        (self.folder / "x.gz").write_bytes(b"\x1f\x8b\x08\0\0\0")
        self.refused(1, "x.gz: not a .npy file, but compressed by gzip: unpack it, as in 'gzip -dc", "reduce", "sum",
                     "x.gz")
        (self.folder / "x.csv").write_text("1.0,2.0\n")
        self.refused(1, "x.csv: not a .npy file, but text: ", "reduce", "sum", "x.csv")


class Pipes(Case):
    def pipe(self, data, *words, **options):
        """Sends data through the standard input; returns the process that has ended."""
        return subprocess.run([PARA, *words], cwd=self.folder, input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, check=False, **options)

    def setUp(self):
        super().setUp()
        self.x = self.save("x.npy", self.values(np.float64, 100_000, 3))
        self.data = (self.folder / "x.npy").read_bytes()

    def test_from_pipe_to_pipe(self):
        for names in [("-", "-"), ("/dev/stdin", "/dev/stdout"), ("x.npy", "-"), ("/dev/fd/0", "/proc/self/fd/1")]:
            done = self.pipe(self.data, "map", "square", names[0], "-o", names[1])
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), self.x * self.x)
        done = self.pipe(self.data, "map", "square", "-", "-o", "-", "--report")
        self.assertRegex(done.stderr, rb"^para: \d+ of \d+ worker")
        self.assertEqual(np.load(io.BytesIO(done.stdout)).shape, self.x.shape)
        done = self.pipe(self.data, "reduce", "dot", "x.npy", "-")
        self.assertEqual(done.stdout.decode(), self.para("reduce", "dot", "x.npy", "x.npy"))

    def test_a_standard_input_with_several_arrays_is_read_one_by_one(self):
        np.save(self.folder / "y.npy", np.ones(3))
        both = self.data + (self.folder / "y.npy").read_bytes()
        (self.folder / "both").write_bytes(both)
        for source in ["cat both |", "exec < both;"]:
            done = subprocess.run(["sh", "-c", f'{source} {{ "$0" reduce max -; "$0" reduce sum -; }}', PARA],
                                  cwd=self.folder, stdout=subprocess.PIPE, timeout=60, check=True, text=True)
            self.assertEqual([float(line) for line in done.stdout.split()], [np.max(self.x), 3])

    def test_a_fifo(self):
        os.mkfifo(self.folder / "pipe.npy")
        writer = threading.Thread(target=(self.folder / "pipe.npy").write_bytes, args=[self.data])
        writer.start()
        self.assertEqual(float(self.para("reduce", "max", "pipe.npy")), np.max(self.x))
        writer.join()

    def test_what_comes_through_a_pipe_may_be_wrong(self):
        for data, sentence in [(b"", "the file is empty"), (self.data[:7], "truncated: the file ends within"),
                               (self.data[:100], "truncated: the header has 128 bytes, the file 100"),
                               (self.data[:528], "truncated: header says 800000 bytes of data, file has 400"),
                               (b"PK\x03\x04", "not a .npy file, but a zip archive"),
                               (b"\x93NUMPY\x02\0\xff\xff\xff\xff", "the header has 4294967295 bytes"),
                               (with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1 << 50,)}"),
                                "malformed header")]:
            done = self.pipe(data, "reduce", "sum", "-")
            self.assertEqual((done.returncode, done.stdout), (1, b""))
            self.assertIn("para: standard input: " + sentence, done.stderr.decode())
        done = self.pipe(with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (0xffffffffffffff,)}"),
                         "reduce", "sum", "-")
        self.assertEqual((done.returncode, done.stderr), (1, b"para: standard input: Cannot allocate memory\n"))

    def test_usage(self):
        self.refused(2, "the standard input is given twice", "reduce", "dot", "-", "/dev/stdin",
                     stdin=subprocess.DEVNULL)
        self.refused(2, "--json and the array cannot both go to the standard output", "map", "copy", "x.npy", "-o", "-",
                     "--json")
        self.refused(2, "-o needs the name of a file", "calibrate", "-o", "-")

    def test_a_terminal_is_neither_input_nor_output(self):
        master, slave = os.openpty()
        try:
            self.refused(1, "standard input: a terminal has no arrays", "reduce", "sum", "-", stdin=slave)
            done = self.run_para("map", "copy", "x.npy", "-o", "-", stdout=slave)
            self.assertEqual(done.returncode, 1)
            self.assertIn("standard output: a terminal cannot show an array", done.stderr)
        finally:
            os.close(master)
            os.close(slave)

    def test_a_reader_that_has_gone(self):
        for words in [("map", "copy", "x.npy", "-o", "-"), ("reduce", "sum", "x.npy"), ("kernels",), ("--help",)]:
            reader, writer = os.pipe()
            os.close(reader)
            done = self.run_para(*words, stdout=writer)
            os.close(writer)
            self.assertEqual((done.returncode, done.stderr), (1, "para: standard output: Broken pipe\n"))

    def test_a_failing_kernel_sends_nothing(self):
        done = self.pipe(self.data[:-8], "map", "copy", "-", "-o", "-")
        self.assertEqual((done.returncode, done.stdout), (1, b""))


class Places(Case):
    def setUp(self):
        super().setUp()
        self.x = self.save("x.npy", self.values(np.float64, 100_000, 3))
        self.bytes = (self.folder / "x.npy").stat().st_size

    def check(self, **options):
        done = self.run_para("map", "square", "x.npy", "-o", "z.npy", **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        np.testing.assert_array_equal(np.load(self.folder / "z.npy"), self.x * self.x)
        self.assertEqual((self.folder / "z.npy").stat().st_size, self.bytes)
        self.assertEqual(sorted(self.files()), ["x.npy", "z.npy"])
        (self.folder / "z.npy").unlink()

    @unittest.skipUnless(refusals.MMAP, "system calls have other numbers here")
    def test_file_systems_that_do_not_map_or_allocate(self):
        self.check(preexec_fn=refusals.refuse(shared=True))
        self.check(preexec_fn=refusals.refuse(length=self.bytes))
        self.check(preexec_fn=refusals.refuse(calls=[(refusals.FALLOCATE, errno.EOPNOTSUPP)]))
        self.check(preexec_fn=refusals.refuse(shared=True, calls=[(refusals.FALLOCATE, errno.EINVAL)]))
        self.refused(1, "z.npy: No space left on device", "map", "copy", "x.npy", "-o", "z.npy",
                     preexec_fn=refusals.refuse(calls=[(refusals.FALLOCATE, errno.ENOSPC)]))

    def in_mounts(self, script, **options):
        """Runs a script of the shell in mounts of its own: $PARA is the command."""
        return subprocess.run(["unshare", "-rm", "sh", "-ec", script], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False, **options)

    @unittest.skipUnless(refusals.can_mount(), "no mounts of our own here")
    def test_an_output_that_is_a_mount_point(self):
        self.save("z.npy", np.ones(1))
        before = self.files()
        for words in ["map copy x.npy -o", "calibrate -o"]:
            done = self.in_mounts(f'mount --bind z.npy z.npy; "$PARA" {words} z.npy')
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertIn("para: z.npy: it is a mount point, which no new file can replace", done.stderr)
            self.assertEqual(self.files(), before)

    @unittest.skipUnless(refusals.can_mount(), "no mounts of our own here")
    def test_a_folder_that_takes_no_file(self):
        (self.folder / "d").mkdir()
        np.save(self.folder / "d" / "z.npy", np.ones(1))
        for words in ["map copy x.npy -o", "calibrate -o"]:
            done = self.in_mounts(f'mount --bind d d; mount -o remount,bind,ro d; "$PARA" {words} d/new.npy')
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertIn("para: d/new.npy: Read-only file system: no file can be made in its folder", done.stderr)

    @unittest.skipUnless(refusals.MMAP and refusals.can_mount(), "no mounts of our own here")
    def test_a_disk_that_fills_up(self):
        (self.folder / "d").mkdir()
        script = 'mount -t tmpfs -o size=64k t d; "$PARA" map square x.npy -o d/z.npy || { ls -A d; exit 3; }'
        none = (refusals.FALLOCATE, errno.EOPNOTSUPP)
        for how in [{}, {"preexec_fn": refusals.refuse(calls=[none])},
                    {"preexec_fn": refusals.refuse(calls=[none, (refusals.FSTATFS, errno.ENOSYS)])},
                    {"preexec_fn": refusals.refuse(shared=True, calls=[none, (refusals.FSTATFS, errno.ENOSYS)])}]:
            done = self.in_mounts(script, **how)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (3, "", "para: d/z.npy: No space left on device\n"))

    @unittest.skipUnless(os.geteuid() == 0, "only root can be two users")
    def test_somebody_elses_file_in_a_folder_for_all(self):
        self.save("z.npy", np.ones(1))
        (self.folder / "z.npy").chmod(0o666)
        self.folder.chmod(0o1777)
        try:
            self.run_para("-V", user=65534)
        except PermissionError:
            self.skipTest("others may not run the command")
        self.refused(1, "para: z.npy: it belongs to another user, and in its folder only the owner may replace it", "map", "copy",
                     "x.npy", "-o", "z.npy", user=65534)

    def test_an_output_is_refused_before_a_pipe_is_read(self):
        reader, writer = os.pipe()
        os.write(writer, (self.folder / "x.npy").read_bytes()[:1000])
        os.close(writer)
        done = self.run_para("map", "copy", "-", "-o", "none/z.npy", stdin=reader)
        self.assertEqual((done.returncode, len(os.read(reader, 2000))), (1, 1000))
        os.close(reader)

    def test_files_that_cannot_be_read_are_not_called_cut_short(self):
        self.refused(1, "para: /proc/self/mem: Input/output error\n", "reduce", "sum", "/proc/self/mem")

    def test_a_file_that_tells_no_size(self):
        self.refused(1, "/proc/self/status: not a .npy file, but text", "reduce", "sum", "/proc/self/status")
        self.refused(1, "/dev/null: the file is empty", "reduce", "sum", "/dev/null")
        self.refused(1, "/dev/zero: not a .npy file", "reduce", "sum", "/dev/zero")

    def test_an_output_that_is_no_file_says_what_to_do(self):
        os.mkfifo(self.folder / "pipe")
        done = self.run_para("map", "copy", "x.npy", "-o", "pipe")
        self.assertEqual(done.returncode, 1)
        self.assertIn("para: pipe: not a regular file: '-o -' writes to the standard output", done.stderr)
        self.assertTrue((self.folder / "pipe").is_fifo())
        reader, writer = os.pipe()
        done = self.run_para("map", "copy", "x.npy", "-o", f"/dev/fd/{writer}", pass_fds=[writer])
        os.close(reader)
        os.close(writer)
        self.assertIn(f"para: /dev/fd/{writer}: not a regular file: ", done.stderr)
        (self.folder / "d").mkdir()
        done = self.run_para("map", "copy", "x.npy", "-o", "d/")
        self.assertEqual((done.returncode, done.stderr), (1, "para: d/: Is a directory\n"))


class Large(Case):
    """Sparse files: their pages are all zero, and none of them is on the disk."""
    GIBIBYTE = 1 << 30

    def make(self, name, numbers, begin=128):
        """Zeros, from that byte on."""
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({numbers},)}}"
        with open(self.folder / name, "wb") as file:
            file.write(with_header(text.ljust(begin - 10), data=b""))
            file.truncate(begin + 8 * numbers)

    def peak(self, *words):
        """Runs para, and returns the most memory it had and the most for page tables, in bytes."""
        process = subprocess.Popen([PARA, *words], cwd=self.folder, stdout=subprocess.DEVNULL)
        tables = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                self.assertEqual(process.returncode, 0)
                return usage.ru_maxrss << 10, tables
            for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmPTE:"):
                    tables = max(tables, int(line.split()[1]) << 10)

    @unittest.skipIf(SANITIZED, "a sanitizer has memory of its own")
    def test_a_reduction_lets_go_of_what_it_has_read(self):
        for begin in [128, 129]:  # aligned, and not
            self.make("x.npy", self.GIBIBYTE // 8, begin)
            memory, tables = self.peak("reduce", "sum", "x.npy", "--workers", "2")
            self.assertLess(memory, self.GIBIBYTE // 4)
            self.assertLess(tables, 1 << 20)

    @unittest.skipIf(SANITIZED, "a sanitizer has memory of its own")
    def test_a_map_lets_go_of_what_it_has_written(self):
        self.make("x.npy", self.GIBIBYTE // 16)
        memory, tables = self.peak("map", "copy", "x.npy", "-o", "z.npy", "--workers", "2")
        self.assertLess(memory, self.GIBIBYTE // 4)
        self.assertLess(tables, 1 << 20)

    def test_the_bits_are_those_of_smaller_pieces_of_memory(self):
        x = self.save("x.npy", self.random.standard_normal(150 << 17))  # 150 MiB
        words = ["reduce", "dot", "x.npy", "x.npy", "--format", "hex"]
        whole = subprocess.run(["sh", "-c", 'cat x.npy | "$0" reduce dot x.npy - --format hex', PARA], cwd=self.folder,
                               check=True, stdout=subprocess.PIPE, text=True).stdout  # one in memory: no windows
        for how in [("--workers", "1"), ("--workers", "3", "--executor", "threads")]:
            self.assertEqual(self.para(*words, *how), whole)
        self.para("map", "square", "x.npy", "-o", "z.npy", "--workers", "3")
        np.testing.assert_array_equal(np.load(self.folder / "z.npy", mmap_mode="r"), x * x)


if __name__ == "__main__":
    unittest.main(verbosity=2)

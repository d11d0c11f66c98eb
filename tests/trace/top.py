#!/usr/bin/python3
"""top.py PROGRAM PARA: a program publishes a page, and `para top` reads it; also pages of the dead, and what is none."""
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = PARA = None
HEADER = struct.Struct("<8sIIQ")  # magic, version, bytes, checksum
MASK = (1 << 64) - 1


def checksum(page):
    total = 14695981039346656037
    for i in range(0, len(page), 8):
        if i != 16:
            total = ((total ^ int.from_bytes(page[i:i + 8], sys.byteorder)) * 1099511628211) & MASK
    return total


def with_checksum(page):
    return page[:16] + checksum(page).to_bytes(8, sys.byteorder) + page[24:]


class Top(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, page):
        env = dict(os.environ, PARA_NUM_WORKERS="3", PARA_PAGE=page, PAGE="other.page")
        program = subprocess.Popen([PROGRAM, "watched"], cwd=self.folder, env=env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(self.end, program)
        self.assertEqual(program.stdout.readline(), "ready\n")
        return program

    def end(self, program):
        if program.stdin and not program.stdin.closed:
            program.stdin.close()
            self.assertIn(program.wait(timeout=60), (0, -signal.SIGKILL))

    def top(self, *words):
        return subprocess.run([PARA, "top", *map(str, words)], cwd=self.folder, capture_output=True, text=True, timeout=60)

    def until(self, *words, **wanted):
        """What the page says, once it has those numbers: it is written now and then."""
        for _ in range(600):
            done = self.top(*words, "--json")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            found = json.loads(done.stdout)
            if all(found[name] == value for name, value in wanted.items()):
                return found
            time.sleep(0.05)
        self.fail(found)

    def refused(self, sentence, *words):
        done = self.top(*words)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertTrue(done.stderr.startswith("para: ") and sentence in done.stderr, done.stderr)

    def check(self, program, word):
        found = self.until(word, calls=40, submitted=420, begun=390, dropped=30)
        self.assertEqual(found["pid"], program.pid)
        self.assertEqual(found["runs"]["count"], 390)
        self.assertEqual({k["name"] for k in found["kernels"]}, {"shared_loop", "alone_loop"})
        self.assertEqual(sum(k["calls"] for k in found["kernels"]), 40)
        self.assertLessEqual(sum(t["calls"] for t in found["threads"]), 40)
        text = self.top(word).stdout
        self.assertRegex(text, rf"^\S+ \({program.pid}\): the last \d+\.\d s, up for \d+ s; .* 0 queued(; the page is .*)?\n")
        self.assertIn("shared_loop (", text)
        self.assertIn("tasks waited", text)

    def test_a_process_is_read_by_its_number(self):
        program = self.start("1")
        self.check(program, program.pid)
        self.assertEqual(os.listdir(self.folder), [])
        self.end(program)
        self.refused(f"process {program.pid}: there is none", program.pid)

    def test_a_page_is_a_file_while_the_program_runs(self):
        program = self.start("p-%p.page")
        name = f"p-{program.pid}.page"
        self.check(program, name)
        self.assertEqual(os.listdir(self.folder), [name])
        self.refused(f"process {program.pid}: it publishes no page: see PARA_PAGE", program.pid)
        self.end(program)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_page_is_never_torn(self):
        program = self.start("p.page")
        numbers = [self.until("p.page")["page"] for _ in range(40)]
        self.assertEqual(numbers, sorted(numbers))
        self.end(program)

    def test_a_terminal_is_refreshed_until_the_end(self):
        program = self.start("1")
        ours, theirs = pty.openpty()
        with subprocess.Popen([PARA, "top", str(program.pid)], stdout=theirs, stderr=subprocess.PIPE, text=True) as shown:
            os.close(theirs)
            text = b""
            while text.count(b"\033[H") < 2:
                text += os.read(ours, 65536)
            self.end(program)
            try:
                while os.read(ours, 65536):
                    pass
            except OSError:
                pass
            os.close(ours)
            self.assertIn(f"process {program.pid}", shown.stderr.read())
            self.assertEqual(shown.wait(timeout=60), 1)

    def test_a_page_is_waited_for(self):
        for word in "late.page", None:  # a slow machine may take longer than that is
            for _ in range(20):
                env = dict(os.environ, PARA_PAGE=word or "1", PARA_NUM_WORKERS="2")
                program = subprocess.Popen(["sh", "-c", 'sleep 0.2; exec "$0" watched', PROGRAM], cwd=self.folder, env=env,
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                self.addCleanup(program.stdout.close)
                done = self.top(word or program.pid, "--json")
                self.assertEqual(program.stdout.readline(), "ready\n")
                self.end(program)
                if done.returncode == 0:
                    break
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(json.loads(done.stdout)["pid"], program.pid)

    def test_an_old_page_says_so(self):
        program = self.start("1")
        self.until(program.pid, calls=40)
        program.send_signal(signal.SIGSTOP)
        for _ in range(600):
            found = json.loads(self.top(program.pid, "--json").stdout)
            if found["age_ns"] > 1.5e9:
                break
            time.sleep(0.05)
        self.assertRegex(self.top(program.pid).stdout, r"^\S+ .* queued; the page is \d+\.\d s old\n")
        program.send_signal(signal.SIGCONT)
        self.end(program)

    def test_pages_of_the_dead_are_told(self):
        program = self.start("p.page")
        program.kill()
        program.wait()
        program.stdin.close()
        self.refused(f"p.page: process {program.pid} has ended", "p.page")
        self.refused("there is none", program.pid)

    def test_a_file_that_cannot_be_is_told_in_one_line(self):
        os.mkdir(self.path("folder"))
        for page, said in [("none/p.page", f"{self.path('none/p.page')}: No such file or directory"),
                           ("folder", f"{self.path('folder')}: not a regular file"),
                           ("/dev/full", "/dev/full: not a regular file")]:
            env = dict(os.environ, PARA_PAGE=page)
            done = subprocess.run([PROGRAM, "exits"], cwd=self.folder, env=env, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (3, f"para: PARA_PAGE={page}: {said}; no page is published\n"))
            self.assertEqual(os.listdir(self.folder), ["folder"])

    def test_what_is_no_page_is_refused(self):
        program = self.start("p.page")
        self.until("p.page", calls=40)
        page = page_of(self.path("p.page"))
        self.end(program)
        self.assertEqual(page, with_checksum(page))
        magic, version, size, _ = HEADER.unpack(page[:HEADER.size])
        self.assertEqual((magic, version, size), (b"parapage", 1, len(page)))
        threads = page.index(b"alone_loop")  # a kernel's name, somewhere in the rows
        rows = 24 + 8 * 4 + 32  # the numbers of rows, behind the program's name
        for name, data, sentence in [
                ("empty", b"", "this is no page of para"), ("short", page[:12], "this is no page of para"),
                ("other", b"\x7fELF" + bytes(len(page)), "this is no page of para"),
                ("cut", page[:-1], "the page is cut off"), ("head", page[:24], "the page is cut off"),
                ("older", with_checksum(page[:8] + b"\2" + page[9:]), "a page of version 2, not 1"),
                ("longer", with_checksum(page[:12] + b"\xff\xff\xff\xff" + page[16:]), "a page of version 1"),
                ("changed", page[:threads] + b"x" + page[threads + 1:], "the page is damaged"),
                ("many", with_checksum(page[:rows] + b"\xff" * 8 + page[rows + 8:]), "the page is damaged"),
                ("dead", page, f"process {program.pid} has ended")]:
            with open(self.path(name), "wb") as file:
                file.write(data)
            self.refused(f"{name}: {sentence}", name)
        os.mkfifo(self.path("pipe"))
        self.refused("pipe: this is no page of para", "pipe")
        self.refused(".: this is no page of para", ".")
        self.refused("none: No such file", "none")
        self.refused("process 999999999: there is none", 999999999)
        self.assertEqual(self.top().returncode, 2)
        self.assertEqual(self.top("a", "b").returncode, 2)
        self.assertEqual(self.top("a", "--svg", "x").returncode, 2)

    def test_texts_of_a_page_do_not_reach_the_terminal_as_they_are(self):
        program = self.start("p.page")
        self.until("p.page", calls=40)
        page = page_of(self.path("p.page"))
        at = page.index(b"alone_loop")
        with open(self.path("p.page"), "r+b") as file:  # whose publisher lives
            for _ in range(100):
                file.seek(0)
                file.write(with_checksum(page[:at] + b"\033[2J\xff" + b"y" * 59 + page[at + 64:]))
                file.flush()
                text = self.top("p.page").stdout
                if "yyyy" in text:
                    break
        self.assertIn("\\x1b[2J\\xff" + "y" * 58 + " (", text)
        self.end(program)


def page_of(path):
    """Whole: read again if it was written meanwhile."""
    while True:
        with open(path, "rb") as file:
            page = file.read()
        if page == with_checksum(page):
            return page


if __name__ == "__main__":
    PROGRAM, PARA = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main()

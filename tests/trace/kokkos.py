#!/usr/bin/python3
"""kokkos.py PROGRAM TOOL OTHER: a profiler of Kokkos Tools is told of what a program does; OTHER is a library that is none."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = TOOL = OTHER = None


class Kokkos(unittest.TestCase):
    def run_program(self, scenario, libraries, said="", status=0):
        env = dict(os.environ, PARA_NUM_WORKERS="3", KOKKOS_TOOLS_LIBS=libraries)
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([PROGRAM, scenario], cwd=folder, env=env, capture_output=True, text=True, timeout=300)
        self.assertEqual((done.returncode, done.stderr), (status, said))
        return done.stdout.splitlines()

    def check(self, lines):
        """Begins and ends are pairs, within each other."""
        self.assertEqual(lines[0], "init 0 20211015 0 0")
        self.assertEqual(lines[-1], "finalize")
        stack, told = [], []
        for line in lines[1:-1]:
            word, *rest = line.split()
            if word == "begin":
                form, name, device, kernel = rest
                self.assertEqual(int(device) >> 24, 6)  # Kokkos's number of its threads
                stack.append((form, kernel))
                told.append((form, name))
            elif word == "push":
                self.assertEqual(stack, [])
                stack.append(("push", rest[0]))
            elif word == "pop":
                self.assertEqual(stack.pop()[0], "push")
            else:
                self.assertEqual(line, "end {} {}".format(*stack.pop()))
        self.assertEqual(stack, [])
        return told

    def test_each_form_has_its_function(self):
        lines = self.run_program("forms", TOOL)
        told = self.check(lines)
        self.assertEqual(told, [("for", "shared_loop"), ("for", "alone_loop"), ("reduce", "sum_all"), ("scan", "add_up"),
                                ("reduce", "is_seven"), ("for", "outer_loop"), ("for", "alone_loop"), ("for", "alone_loop")])
        self.assertEqual([l for l in lines if l.startswith(("push", "pop"))], ["push call_in_task", "pop"])

    def test_calls_at_the_same_time_do_not_break_the_stack(self):
        told = self.check(self.run_program("crowd", TOOL))
        self.assertEqual({name for _, name in told}, {"shared_loop", "alone_loop"})

    def test_what_is_left_is_over(self):
        lines = self.run_program("left", TOOL)
        self.assertEqual([name for _, name in self.check(lines)], ["jump_out", "jump_out", "stay_in", "alone_loop"])
        self.assertEqual([l for l in lines if l.startswith(("push", "pop"))], ["push wait_and_call", "pop"])

    def test_the_first_library_counts(self):
        self.check(self.run_program("forms", TOOL + ";nowhere.so"))

    def test_libraries_that_are_none_are_told_in_one_line(self):
        for libraries, said in [("nowhere.so", "nowhere.so: cannot open shared object file: No such file or directory"),
                                (OTHER, "it has no kokkosp_begin_parallel_for, _reduce or _scan"),
                                ("x" * 5000, "the path is too long")]:
            env = dict(os.environ, KOKKOS_TOOLS_LIBS=libraries)
            done = subprocess.run([PROGRAM, "forms"], env=env, capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, rf"^para: KOKKOS_TOOLS_LIBS={re.escape(libraries[:200])}: .*{re.escape(said[-40:])}; "
                                          r"no tool is told\n$")


if __name__ == "__main__":
    PROGRAM, TOOL, OTHER = map(os.path.abspath, sys.argv[1:4])
    del sys.argv[1:4]
    unittest.main()

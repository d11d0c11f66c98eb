#!/usr/bin/python3
"""metrics.py PROGRAM: what PARA_METRICS writes keeps to the grammar of Prometheus's text format 0.0.4."""
import os
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*,?)?\}})? (-?[0-9]+(?:\.[0-9]+)?)")
HELP = re.compile(rf"# HELP ({NAME}) [^\n]*")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|summary)")


def parse(text):
    """(family, its type) and samples: name, labels, value. Raises what breaks the grammar."""
    families, samples, current = {}, {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP"):
            current = HELP.fullmatch(line).group(1)
            assert current not in families, line
        elif line.startswith("# TYPE"):
            name, kind = TYPE.fullmatch(line).groups()
            assert name == current and name not in families, line
            families[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            suffixes = ("", "_sum", "_count") if families[current] == "summary" else ("",)
            assert name in [current + s for s in suffixes], line
            assert (name, labels) not in samples, line
            samples[name, labels] = float(value)
    return families, samples


class Metrics(unittest.TestCase):
    def run_program(self, folder, scenario, path, status=0, said=""):
        env = dict(os.environ, PARA_NUM_WORKERS="3", PARA_METRICS=path)
        done = subprocess.run([PROGRAM, scenario], cwd=folder, env=env, capture_output=True, text=True, timeout=300)
        self.assertEqual((done.returncode, done.stderr), (status, said))

    def test_all_is_there_at_the_end(self):
        with tempfile.TemporaryDirectory() as folder:
            self.run_program(folder, "work", "para-%p.prom")
            [name] = os.listdir(folder)  # nothing else is left
            self.assertRegex(name, r"para-\d+\.prom")
            with open(os.path.join(folder, name)) as file:
                families, samples = parse(file.read())
        self.assertEqual(samples["para_calls_total", None], 40)
        self.assertEqual(samples["para_tasks_total", 'state="submitted"'], 300 + 30 * 4)
        self.assertEqual(samples["para_tasks_total", 'state="dropped"'], 30)
        self.assertEqual(samples["para_tasks_queued", None], 0)
        self.assertEqual(samples["para_task_run_seconds_count", None], 390)
        self.assertGreater(samples["para_busy_seconds_total", None], 0)
        calls = {l: v for (n, l), v in samples.items() if n == "para_kernel_calls_total"}
        self.assertEqual(sum(calls.values()), 40)
        self.assertTrue(all(l.startswith('kernel="') for l in calls))
        self.assertIn("para_thread_parked_seconds_total", families)

    def test_an_exit_is_an_end(self):
        with tempfile.TemporaryDirectory() as folder:
            self.run_program(folder, "exits", "x.prom", status=3)
            with open(os.path.join(folder, "x.prom")) as file:
                self.assertEqual(parse(file.read())[1]["para_calls_total", None], 40)

    def test_a_file_that_cannot_be_is_told_once(self):
        with tempfile.TemporaryDirectory() as folder:
            self.run_program(folder, "exits", "nowhere/x.prom", status=3,
                             said=f"para: PARA_METRICS: {folder}/nowhere/x.prom: No such file or directory\n")


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

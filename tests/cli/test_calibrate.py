"""para calibrate, and its files given to para map and para reduce. No measured time decides anything here.

Environment: PARA, the command.
"""
import json
import os
import resource
import unittest

import numpy as np

from case import Case

KERNELS = "copy scale axpy square sqrt exp row-norm sum dot mean min max".split()
COSTS = "round_trip_ns per_helper_ns far_ns wake_ns wake_cost_ns share_ns clock_ns spin_ns least_ns".split()
COUNT = 70_000
PREDICTED = "parallel: a gain was predicted"
SMALL = "serial: predicted gain below the cost of sharing"


def sites(text):
    return [line for line in text.splitlines() if line.startswith("site ")]


class Calibrate(Case):
    def setUp(self):
        super().setUp()
        before = os.environ.get("PARA_NUM_WORKERS")
        os.environ["PARA_NUM_WORKERS"] = "4"  # a machine with one core would have no kernels to remember
        self.addCleanup(lambda: os.environ.pop("PARA_NUM_WORKERS") if before is None
                        else os.environ.__setitem__("PARA_NUM_WORKERS", before))

    def test_one_worker(self):
        made = json.loads(self.run_para("calibrate", "--json", env={**os.environ, "PARA_NUM_WORKERS": "1"}).stdout)
        self.assertEqual((made["workers"], made["costs"]["least_ns"]), (1, None))

    def calibrated(self, name="saved.txt"):
        """Saves a calibration and returns its lines of sites."""
        self.para("calibrate", "-o", name)
        return sites((self.folder / name).read_text())

    def costs(self, name, lines, cost):
        """Writes the sites, as if each had often been seen at that cost per element."""
        words = [line.split(" ", 10) for line in lines]
        (self.folder / name).write_text(
            "".join(f"site {word[1]} {cost} 15 {cost} 15 0 0 16 0 {word[10]}\n" for word in words))

    def test_json(self):
        made = json.loads(self.para("calibrate", "--json"))
        self.assertEqual(list(made), ["version", "workers", "costs", "sites", "kernels"])
        self.assertEqual(made["workers"], 4)
        self.assertEqual(list(made["costs"]), COSTS)
        for cost in made["costs"].values():
            self.assertGreaterEqual(cost, 0)
        self.assertGreater(made["sites"], 0)
        ran = [(kernel["name"], kernel["dtype"], kernel["count"] * kernel["row"])
               for kernel in made["kernels"]]
        self.assertEqual(ran, [(name, dtype, count) for name in KERNELS for dtype in ["float32", "float64"]
                               for count in [10**3, 10**4, 10**5, 10**6]])
        for kernel in made["kernels"]:
            self.assertEqual(kernel["row"], 100 if kernel["name"] == "row-norm" else 1)
            report = kernel["report"]
            self.assertEqual(kernel["ns_per_element"], report["time_ns"] / kernel["count"])
            self.assertIn(report["workers"], range(1, 5))
            self.assertIn(report["why"].split(":")[0], ["serial", "parallel"])

    def test_table(self):
        lines = self.para("calibrate").splitlines()
        self.assertEqual([line.split()[0] for line in lines[:11]],
                         ["workers", *(cost[:-3] for cost in COSTS), "sites"])
        head = lines.index("")
        self.assertEqual(lines[head + 1].split(),
                         ["KERNEL", "TYPE", "ELEMENTS", "NS/ELEMENT", "WORKERS", "WHY"])
        rows = lines[head + 2:lines.index("", head + 1)]
        self.assertEqual([row.split()[0] for row in rows], [name for name in KERNELS for _ in range(8)])

    def test_a_saved_file_can_be_loaded_and_saved_again(self):
        first = self.calibrated()
        self.assertGreater(len(first), 0)
        self.assertEqual(list(self.files()), ["saved.txt"])
        self.para("calibrate", "--load", "saved.txt", "-o", "saved.txt", "--json")
        # A site that was loaded has its samples still, and those of this run on top.
        def samples(lines):
            return {(words[1], *words[10:]): (int(words[3]), int(words[5])) for words in map(str.split, lines)}
        again = samples(sites((self.folder / "saved.txt").read_text()))
        for site, before in samples(first).items():
            self.assertTrue(all(after >= of_it for after, of_it in zip(again[site], before)))

    def test_map_and_reduce_decide_by_the_file(self):
        self.save("x.npy", np.arange(COUNT, dtype=np.float64))
        lines = self.calibrated()
        self.costs("dear.txt", lines, 1e6)
        self.costs("cheap.txt", lines, 1e-7)
        for words in [("map", "exp", "x.npy", "-o", "z.npy"), ("reduce", "max", "x.npy")]:
            for how in [(), ("--workers", "3")]:
                for file, why in [("dear.txt", PREDICTED), ("cheap.txt", SMALL)]:
                    made = json.loads(self.para(*words, *how, "--calibration", file, "--report", "--json"))
                    self.assertEqual(made["report"]["why"], why, (words, how))
            made = json.loads(self.para(*words, "--calibration", "dear.txt", "--executor", "serial",
                                        "--report", "--json"))
            self.assertEqual(made["report"]["why"], "as the options asked")

    def test_results_do_not_depend_on_the_file(self):
        self.save("x.npy", self.values(np.float64, COUNT, 20))
        lines = self.calibrated()
        self.costs("dear.txt", lines, 1e6)
        plain = self.para("reduce", "sum", "x.npy", "--format", "hex")
        self.assertEqual(
            self.para("reduce", "sum", "x.npy", "--format", "hex", "--calibration", "dear.txt"), plain)

    def test_bad_files_are_refused(self):
        self.save("x.npy", np.ones(3))
        (self.folder / "bad.txt").write_text("# for people\nsite 10 1 15 1 15 0 0 16 0 0 10 m\nsite 10 one\n")
        for command in [("calibrate", "--load"), ("calibrate", "-o", "new.txt", "--load"),
                        ("map", "copy", "x.npy", "-o", "z.npy", "--calibration"),
                        ("reduce", "sum", "x.npy", "--workers", "2", "--calibration")]:
            self.refused(1, "para: bad.txt: line 3 is malformed", *command, "bad.txt")
            self.refused(1, "para: none.txt: No such file", *command, "none.txt")
            self.refused(1, "para: x.npy: line 1 is malformed", *command, "x.npy")
            self.refused(1, "para: .: ", *command, ".")

    def test_output_that_cannot_be_written(self):
        self.refused(1, "none/new.txt: No such file", "calibrate", "-o", "none/new.txt")
        self.refused(1, "/proc/new.txt: ", "calibrate", "-o", "/proc/new.txt", "--json")
        self.refused(1, "para: .: Is a directory", "calibrate", "-o", ".")
        os.mkfifo(self.folder / "pipe")
        done = self.run_para("calibrate", "-o", "pipe")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("para: pipe: not a regular file", done.stderr)
        self.assertTrue((self.folder / "pipe").is_fifo())
        with open("/dev/full", "w", encoding="ascii") as full:
            done = self.run_para("calibrate", stdout=full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output: No space left on device", done.stderr)

    def test_no_room_for_the_output(self):
        self.refused(1, "para: new.txt: File too large", "calibrate", "-o", "new.txt",
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50)))

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_protected_folder(self):
        self.folder.chmod(0o555)
        self.addCleanup(self.folder.chmod, 0o755)
        self.refused(1, "new.txt: Permission denied", "calibrate", "-o", "new.txt")

    def test_usage(self):
        for sentence, *words in [
            ("unexpected 'x'", "calibrate", "x"),
            ("option '--load' needs a value", "calibrate", "--load"),
            ("'calibrate' has no option --workers", "calibrate", "--workers", "2"),
            ("'calibrate' has no option --calibration", "calibrate", "--calibration", "f"),
            ("'map' has no option --load", "map", "copy", "x.npy", "-o", "z.npy", "--load", "f"),
        ]:
            self.refused(2, sentence, *words)
        self.assertTrue(self.para("calibrate", "--help").startswith("usage: para calibrate"))
        for command in ["map", "reduce"]:
            self.assertIn("--calibration FILE", self.para(command, "--help"))
        self.assertIn("para calibrate", self.para("--help"))


if __name__ == "__main__":
    unittest.main(verbosity=2)

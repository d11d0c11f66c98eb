"""check.py PARA-MODEL: what must hold in the model whatever its parameters."""
import json
import subprocess
import sys
import unittest

MODEL = sys.argv.pop(1)
SMALL = "--cores 8 --domains 2 --sockets 1 --units 500 --calls 6"


def outcome(options):
    done = subprocess.run([MODEL, "--json", *options.split()], capture_output=True, check=True)
    return json.loads(done.stdout)


class Model(unittest.TestCase):
    def test_each_unit_runs_once(self):
        for pattern in "even", "triangular", "lognormal", "last1pct", "dear1pct":
            for extra in "--lines flat", "--lines each", "--hogs 2", "--preempted 3", "--asleep --force", \
                         "--runtime barrier", "--runtime tree":
                with self.subTest(pattern=pattern, extra=extra):
                    self.assertTrue(outcome(f"{SMALL} --pattern {pattern} {extra}")["exact"])

    def test_same_seed_same_outcome(self):
        options = f"{SMALL} --pattern lognormal --hogs 2 --seed"
        self.assertEqual(outcome(f"{options} 5"), outcome(f"{options} 5"))
        self.assertNotEqual(outcome(f"{options} 5"), outcome(f"{options} 6"))

    def test_more_cores_do_no_harm_to_much_even_work(self):
        least = float("inf")
        for cores in 1, 2, 3, 4, 8, 16, 32:
            domains = max(1, cores // 8)
            ns = outcome(f"--work 1e6 --units 10000 --cores {cores} --domains {domains} --sockets 1")["mean_ns"]
            self.assertLess(ns, 2 * least)
            least = min(least, ns)
        self.assertLess(least, 1e6 / 8)

    def test_only_barriers_wait_for_a_preempted_thread(self):
        options = f"{SMALL} --work 1e5 --preempted 1 --runtime"
        self.assertGreater(outcome(f"{options} barrier")["mean_ns"], 2.9e6)
        self.assertGreater(outcome(f"{options} tree")["mean_ns"], 2.9e6)
        self.assertLess(outcome(f"{options} para")["mean_ns"], 1e5)

    def test_even_work_takes_as_long_as_with_a_tree_barrier(self):
        for work in 1e5, 3e5, 1e6, 3e6, 1e7:
            options = f"--units 25600 --warm 24 --calls 6 --work {work} --runtime"
            para, tree = outcome(f"{options} para"), outcome(f"{options} tree")
            with self.subTest(work=work):
                self.assertLess(para["least_ns"], 1.05 * tree["mean_ns"])
                if work < 1e6:  # no trial is among so few calls
                    self.assertLess(para["mean_ns"], 1.1 * tree["mean_ns"])

    def test_one_core_that_is_away_does_not_bring_all_thieves_together(self):
        for work in 3e6, 1e7:
            options = f"--units 25600 --warm 24 --calls 6 --work {work} --preempted"
            with self.subTest(work=work):
                self.assertLess(outcome(f"{options} 1")["mean_ns"], 1.6 * outcome(f"{options} 0")["least_ns"])

    def test_many_thieves_find_dear_units(self):
        ns = outcome("--units 25600 --warm 24 --calls 8 --work 1e6 --pattern dear1pct --force")["mean_ns"]
        self.assertLess(ns, 25000)

    def test_thieves_go_to_near_nodes(self):
        options = "--units 25600 --warm 24 --calls 8 --work 1e7 --pattern last1pct --force --nodes 8"
        self.assertLess(outcome(options)["beyond"], 0.01)

    def test_many_sleepers_are_awake_soon(self):
        told = outcome("--asleep --force --warm 12 --calls 4 --units 25600 --work 1e7")
        self.assertLess(told["mean_ns"], 92000)

    def test_slices_are_as_long_as_cores_are_fast(self):
        for cores, slow, slowness in (8, 4, 2.5), (24, 16, 1.8):
            for work in 2e5, 1e6, 1e7:
                ns = outcome(f"--cores {cores} --domains 1 --sockets 1 --units {1000 * cores} --work {work} "
                             f"--warm 30 --calls 10 --slow {slow} --slowness {slowness}")["least_ns"]
                with self.subTest(cores=cores, work=work):
                    self.assertLess(ns, 1.08 * work / (cores - slow + slow / slowness))

    def test_calls_give_up_workers_that_memory_keeps_waiting(self):
        options = "--cores 16 --domains 2 --sockets 1 --work 2e6 --units 1000 --calls 5 --saturate"
        self.assertEqual(outcome(f"{options} 0 --warm 1000")["width"], 16)
        told = [outcome(f"{options} 4 --warm {warm}") for warm in (1000, 1010, 1020)]
        self.assertEqual(sorted(one["width"] for one in told)[1], 4)  # one may be a trial
        self.assertGreaterEqual(min(one["least_ns"] for one in told), 2e6 / 4)

    def test_a_trial_alone_takes_no_longer_than_the_usual_call_again(self):
        for cores, work in (2, 2e5), (16, 1e6), (256, 1e6):
            told = outcome(f"--cores {cores} --domains {max(1, cores // 8)} --sockets 1 --work {work} "
                           f"--units {100 * cores} --warm 10 --calls 40")
            with self.subTest(cores=cores):
                self.assertLess(told["most_ns"], 3.5 * told["least_ns"] + 10000)

    def test_a_dear_kernel_call_is_made_seldom(self):
        for price in 0, 1e3, 1e4, 1e5:
            for units in 100, 1000, 10000, 100000:
                alone = price + units
                shared = price + units / 2 + 1500
                ns = outcome(f"--cores 2 --domains 1 --sockets 1 --warm 60 --calls 100 --work {units} "
                             f"--units {units} --price {price}")["mean_ns"]
                with self.subTest(price=price, units=units):
                    self.assertLess(ns, 1.05 * min(alone, shared) + 5000)

    def test_what_is_dearer_when_shared_runs_alone(self):
        for work in 1e4, 1e5, 1e6, 1e7:
            for cores, contended in (2, 2.5), (2, 6), (8, 12):
                ns = outcome(f"--cores {cores} --domains 1 --sockets 1 --warm 100 --calls 300 --work {work} "
                             f"--units 1000 --contended {contended}")["mean_ns"]
                with self.subTest(work=work, cores=cores, contended=contended):
                    self.assertLess(ns, 1.05 * work + 5000)

    def test_what_is_a_little_dearer_when_shared_is_shared(self):
        for work in 1e5, 1e6:
            for cores, contended in (2, 1.4), (8, 3):
                ns = outcome(f"--cores {cores} --domains 1 --sockets 1 --warm 100 --calls 100 --work {work} "
                             f"--units 1000 --contended {contended}")["mean_ns"]
                with self.subTest(work=work, cores=cores, contended=contended):
                    self.assertLess(ns, 1.2 * work * contended / cores + 5000)

    def test_nothing_is_faster_than_its_work(self):
        for runtime in "para", "barrier", "tree":
            self.assertGreaterEqual(outcome(f"{SMALL} --work 1e5 --runtime {runtime}")["least_ns"], 1e5 / 8)

    def test_options_that_mean_nothing_are_refused(self):
        for options in "--cores 0", "--cores many", "--pattern odd", "--sideways 1", "--domains 300", "--nodes 5":
            self.assertEqual(subprocess.run([MODEL, *options.split()], capture_output=True).returncode, 2)


unittest.main()

"""para info: text, JSON and the drawing, beside what the kernel's files say.

Environment: PARA, the command.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree

from case import Case, HAS_OPENMP, PARA, SANITIZED

sys.path.append(str(pathlib.Path(__file__).parents[1] / "topology"))
import machines

NODES = pathlib.Path("/sys/devices/system/node")
SVG = "{http://www.w3.org/2000/svg}"
FONTS = {"head": 14, "title": 12, "small": 10, "number": 10, "on": 10, "planned": 10, "center": 11}


def numbers(text):
    """The numbers of a list such as 0-3,8-12:2."""
    for part in text.split(","):
        first, last, step = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part).groups()
        yield from range(int(first), int(last or first) + 1, int(step or 1))


class Info(Case):
    def described(self, machine, *words, **more):
        """What para info prints of a machine that HWLOC_SYNTHETIC describes."""
        done = self.run_para("info", *words, env={**os.environ, "HWLOC_SYNTHETIC": machine, **more})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_workers_and_budget(self):
        made = json.loads(self.para("info", "--json", "--workers", "3"))
        self.assertEqual((made["pool"]["requested"], made["pool"]["workers"]), (3, 3))
        self.assertEqual(len(made["workers"]), 3)
        self.assertGreaterEqual(made["machine"]["cpus"], made["machine"]["cores"])
        self.assertGreaterEqual(made["machine"]["budget"], 1)
        text = self.para("info", "--workers", "3")
        self.assertRegex(text, r"(?m)^budget +\d+ thread")

    def test_lines_of_the_help_are_full(self):
        lines = self.para("info", "--help").split("\n\n")[1].splitlines()
        for line, after in zip(lines, lines[1:]):
            self.assertGreater(len(line) + 1 + len(after.split()[0]), 90, line)

    def test_threads_that_are_lent(self):
        own = json.loads(self.para("info", "--json"))["pool"]
        self.assertIs(own["lent"], False)
        self.refused(2, "--executor serial: then there is no pool", "info", "--executor", "serial")
        if HAS_OPENMP:
            lent = json.loads(self.para("info", "--json", "--workers", "3", "--executor", "openmp"))["pool"]
            self.assertEqual((lent["lent"], lent["pinned"], lent["threads_missing"]), (True, 0, None))
            self.assertIn("lent by OpenMP", self.para("info", "--executor", "openmp"))

    @unittest.skipUnless(HAS_OPENMP, "no OpenMP")
    def test_variables_that_shape_a_team(self):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "PARA_", "GOMP_"))}
        team = {"OMP_NUM_THREADS": "2", "OMP_THREAD_LIMIT": "1", "OMP_DYNAMIC": "false", "OMP_MAX_ACTIVE_LEVELS": "1",
                "OMP_PROC_BIND": "false", "OMP_PLACES": "threads"}
        lent = json.loads(self.run_para("info", "--json", "--executor", "openmp", env={**env, **team}).stdout)
        self.assertEqual({name: lent["settings"].get(name) for name in team}, team)
        self.assertEqual((lent["pool"]["workers"], lent["pool"]["asked_by"]), (1, "OpenMP"))
        text = self.run_para("info", "--executor", "openmp", env={**env, "OMP_THREAD_LIMIT": "1"}).stdout
        self.assertIn("settings OMP_THREAD_LIMIT=1\n", text)
        own = self.run_para("info", env={**env, "OMP_THREAD_LIMIT": "1", "OMP_PLACES": "threads"}).stdout
        self.assertIn("settings none: ", own)  # para reads neither

    def test_why_threads_are_missing(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))

        if self.run_para("--version", preexec_fn=limit).returncode != 0:
            self.skipTest("a sanitizer reserves more than that")
        text = self.run_para("info", "--workers", "64", preexec_fn=limit).stdout
        self.assertRegex(text, r"the address space is limited to 200 MiB \(ulimit -v\)")
        made = json.loads(self.run_para("info", "--json", "--workers", "64", preexec_fn=limit).stdout)
        self.assertEqual(made["pool"]["requested"], 64)
        self.assertLess(made["pool"]["workers"], 64)
        self.assertEqual(made["pool"]["thread_status"], "PARA_ERR_THREAD")
        self.assertIn("ulimit -v", made["pool"]["threads_missing"])
        made = json.loads(self.para("info", "--json", "--workers", "2"))
        self.assertEqual((made["pool"]["thread_status"], made["pool"]["threads_missing"]), ("PARA_OK", None))

    def test_what_limits_the_budget(self):
        for machine, sentence, usual in [
            ("core:1 pu:2", "2 threads by default: one for each hardware thread", None),
            ("core:4 pu:2", "8 threads by default: one for each hardware thread", 4),
            ("core:4 pu:1", "4 threads by default: one for each core", None),
        ]:
            env = {**os.environ, "HWLOC_SYNTHETIC": machine}
            info = json.loads(self.run_para("info", "--json", env=env).stdout)
            made, pool = info["machine"], info["pool"]
            text = self.run_para("info", env=env).stdout
            if made["quota"] is None or made["quota"] >= made["cpus"]:
                self.assertEqual(made["budget_limit"], "cpus")
                self.assertIn(sentence, text)
                self.assertEqual(pool["usual"], usual or pool["workers"])
                self.assertEqual("calls are shared by" in text, usual is not None)

    @unittest.skipUnless(shutil.which("unshare"), "no unshare")
    def test_a_quota_that_cannot_be_read(self):
        mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        points = [mount.split()[4] for mount in mounts if " - cgroup" in mount]
        groups = "/sys/fs/cgroup" if points and all(point.startswith("/sys/fs/cgroup") for point in points) else None
        for covered in filter(None, [groups, None if SANITIZED else "/proc"]):  # which sanitizers need
            def inside(*words):
                return subprocess.run(["unshare", "-m", "sh", "-c", f'mount -t tmpfs none {covered} && exec "$0" "$@"',
                                       *words], capture_output=True, text=True, timeout=120, check=False)

            if inside("true").returncode != 0:
                self.skipTest("nothing can be mounted here")
            machine = json.loads(inside(PARA, "info", "--json").stdout)["machine"]
            self.assertEqual((machine["quota"], machine["quota_known"]), (None, False))
            self.assertRegex(inside(PARA, "info").stdout, r"(?m)^quota +unknown: ")
        machine = json.loads(self.para("info", "--json"))["machine"]
        quota = re.search(r"(?m)^quota +(.*)$", self.para("info"))[1]
        self.assertEqual(quota.startswith("unknown"), machine["quota"] is None and not machine["quota_known"])
        self.assertEqual(quota == "none", machine["quota"] is None and machine["quota_known"])

    def text_of_machine(self, name):
        """What para info prints of one of the machines of tests/topology."""
        (self.folder / "machine.xml").write_text("\n".join(machines.text_of(*machines.MACHINES[name])))
        done = self.run_para("info", env={**os.environ, "HWLOC_XMLFILE": "machine.xml"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_kinds_of_cores(self):
        for name, said in [("core-i9-13900k", "8 fast cores: CPUs 0-15; 16 slower cores: CPUs 16-31"),
                           ("core-ultra-7-155h", "6 fast cores: CPUs 0-11; 8 slower cores: CPUs 12-19; "
                                                 "2 slowest cores: CPUs 20-21")]:
            self.assertIn(f"\nkinds    {said}\n", self.text_of_machine(name))
        self.assertNotIn("\nkinds", self.text_of_machine("xeon-max-9480"))

    def test_nodes_of_memory_alone(self):
        text = self.text_of_machine("xeon-max-9480")
        self.assertIn("2 domains, 4 NUMA nodes, 2 without CPUs of this process\n", text)
        self.assertEqual(len(re.findall(r"(?m)^ +\d +\d+ GiB  ", text)), 4)
        self.assertIn("2 domains, 2 NUMA nodes\n", self.described("node:2 core:2 pu:1"))

    def test_does_not_know_caches_that_nothing_describes(self):
        env = {**os.environ, "HWLOC_SYNTHETIC": "core:2 pu:1"}
        self.assertIn("caches   L1 unknown, L2 unknown, L3 unknown;", self.run_para("info", env=env).stdout)
        machine = json.loads(self.run_para("info", "--json", env=env).stdout)["machine"]
        self.assertEqual([machine[f"l{level}_bytes"] for level in (1, 2, 3)], [None] * 3)
        self.assertNotIn(" 0 KiB", self.para("info"))

    def test_of_a_mask(self):
        cpu = min(os.sched_getaffinity(0))
        only = self.run_para("info", preexec_fn=lambda: os.sched_setaffinity(0, {cpu})).stdout
        online = json.loads(self.para("info", "--json"))["machine"]["online"]
        self.assertEqual(f"mask     1 of the machine's {online} hardware threads" in only, online > 1)

    def test_what_workers_are_bound_to(self):
        bound = self.run_para("info", env={**os.environ, "PARA_PROC_BIND": "domain"}).stdout
        if "pinned" in self.para("info").split("\nworker", 1)[1]:
            self.assertRegex(bound, r"(?m)^workers? +[0-9-]+: bound to domain \d+$")
        self.assertNotIn(", pinned", bound)

    def test_places(self):
        def shown(places, *words, **more):
            env = {**os.environ, "HWLOC_SYNTHETIC": "pack:2 node:2 core:2 pu:2", "PARA_PLACES": places, **more}
            return self.run_para("info", *words, env=env)

        text = shown("{0:4},{8:4},{99}").stdout
        self.assertIn("PARA_PLACES={0:4},{8:4},{99}\n", text)
        self.assertIn("places   2 by PARA_PLACES\n         1 more without a CPU that this process may use", text)
        self.assertEqual(re.findall(r"(?m)^workers +(\S+): CPUs (\S+) each, domain (\d)", text),
                         [("0-1", "0-3", "0"), ("2-3", "8-11", "2")])
        made = json.loads(shown("cores", "--json", "--workers", "2", PARA_PROC_BIND="spread").stdout)
        self.assertEqual([worker["bound_to"] for worker in made["workers"]], [[0, 1], [8, 9]])
        self.assertEqual([made["pool"][name] for name in ("binding", "places", "places_dropped")], ["places", 8, 0])
        self.assertEqual(shown("coes").returncode, 1)
        self.assertIn("PARA_PLACES=coes: expected places, such as", shown("coes").stderr)
        self.assertIn("PARA_PLACES={16384}: 16384 is not the number of a CPU", shown("{16384}").stderr)
        self.assertIn("PARA_PLACES={99}: no place has a CPU that the process may use: it may use CPUs 0-15\n",
                      shown("{99}").stderr)
        cpus = sorted(os.sched_getaffinity(0))
        env = {**os.environ, "PARA_PLACES": f"{{{cpus[0]}}},{{{cpus[-1]}}}"}
        made = json.loads(self.run_para("info", "--json", "--workers", "2", env=env).stdout)
        if made["pool"]["pin_status"] == "PARA_OK":
            self.assertEqual([w["bound_to"] for w in made["workers"]], [[cpus[0]], [cpus[-1] if len(cpus) > 1 else cpus[0]]])
            self.assertTrue(all(worker["pinned"] for worker in made["workers"]))

    def test_cpus_and_caches_are_the_systems(self):
        made = json.loads(self.para("info", "--json"))
        self.assertEqual({c["cpu"] for c in made["cpus"]}, os.sched_getaffinity(0))
        self.assertEqual(len({c["core"] for c in made["cpus"]}), made["machine"]["cores"])
        self.assertEqual(len({c["domain"] for c in made["cpus"]}), made["machine"]["domains"])
        text = self.para("info")
        self.assertEqual(set(numbers(re.search(r"(?m)^CPUs +([0-9,:-]+[0-9])", text)[1])), os.sched_getaffinity(0))
        level = pathlib.Path(f"/sys/devices/system/cpu/cpu{made['cpus'][0]['cpu']}/cache")
        for cache in level.glob("index*"):
            if (cache / "type").read_text().strip() != "Instruction":
                size = int((cache / "size").read_text().strip("K\n")) << 10
                self.assertEqual(made["machine"][f"l{(cache / 'level').read_text().strip()}_bytes"], size)

    @unittest.skipUnless((NODES / "online").exists(), "this system says nothing of nodes")
    def test_nodes_are_the_systems(self):
        made = json.loads(self.para("info", "--json"))
        online = list(numbers((NODES / "online").read_text().strip()))
        self.assertEqual([node["node"] for node in made["nodes"]], online)
        self.assertEqual(made["machine"]["nodes"], len(online))
        for node in made["nodes"]:
            folder = NODES / f"node{node['node']}"
            kib = int(re.search(r"MemTotal: +(\d+) kB", (folder / "meminfo").read_text())[1])
            self.assertEqual(node["memory_bytes"], kib << 10)
            self.assertEqual(node["distances"], [int(d) for d in (folder / "distance").read_text().split()])
            self.assertEqual(node["cpus"], sum(cpu["node"] == node["node"] for cpu in made["cpus"]))

    def test_load_and_costs(self):
        made = json.loads(self.para("info", "--json", "--workers", "2"))
        self.assertEqual(len(made["load"]), 3)
        for said, known in zip(made["load"], os.getloadavg()):
            self.assertLess(abs(said - known), 20)
        self.assertGreater(made["costs"]["least_ns"], 0)
        self.assertEqual("worker processes, and these in a sandbox" in self.para("info"), made["sandbox"])
        self.assertLessEqual(made["sandbox"], made["processes"])
        self.assertIsNone(json.loads(self.para("info", "--json", "--workers", "1"))["costs"])
        self.assertIn("nothing is shared with one worker", self.para("info", "--workers", "1"))
        self.assertRegex(self.para("info", "--workers", "2"), r"pays from [0-9.]+ us of work")
        self.assertIn("near_helpers", made["costs"])

    def test_costs_that_are_assumed(self):
        """Those of more workers than CPUs are, whatever else runs."""
        workers = len(os.sched_getaffinity(0)) + 1
        costs = json.loads(self.para("info", "--json", "--workers", workers))["costs"]
        names = [f"{name}_measured" for name in ("round_trip", "per_helper", "wake")]
        self.assertEqual([costs[name] for name in names], [False] * 3)
        self.assertIn("         assumed, not measured: all of this; there are more workers than CPUs\n",
                      self.para("info", "--workers", workers))
        text = self.para("info", "--workers", "2")
        if workers > 2 and "assumed, not measured" in text:  # other programs may disturb it
            self.assertRegex(text, "assumed, not measured: .*; other programs kept the CPUs busy")

    def test_workers_stand_in_ranges(self):
        text = self.described("node:4(memory=8GiB) core:16 pu:2")
        self.assertEqual(re.findall(r"(?m)^workers +(\S+): 2 each of CPUs (\S+), domain (\d)", text),
                         [(f"{first + 16 * n}-{first + 16 * n + 15}", f"{32 * n}-{32 * n + 31}", str(n))
                          for first in (0, 64) for n in range(4)])
        self.assertEqual(re.findall(r"(?m)^workers? +(.*)",
                                    self.described("node:2 core:4 pu:2", PARA_PLACES="threads")),
                         [f"{n}-{n + 7}: CPUs {n}-{n + 7}, domain {n // 8}, if this were the machine" for n in (0, 8)])
        self.assertRegex(text, r"(?m)^ +3 +8 GiB  96-127$")
        self.assertIn("distances between nodes: unknown", text)
        made = json.loads(self.para("info", "--json"))
        if made["pool"]["pinned"] == made["pool"]["workers"] > 1:
            lines = re.findall(r"(?m)^workers? .*CPUs? ([0-9,:-]+), domain \d+, pinned$", self.para("info"))
            self.assertEqual([cpu for line in lines for cpu in numbers(line)], [w["cpu"] for w in made["workers"]])

    def test_lists_have_steps(self):
        def listed(indexes):
            text = self.described(f"core:{len(indexes.split(','))} pu:1(indexes={indexes})")
            return re.search(r"(?m)^CPUs +([0-9,:-]+): all", text)[1]

        self.assertEqual(listed("0,2,4,6"), "0-6:2")
        self.assertEqual(listed("0,5"), "0,5")
        self.assertEqual(listed("0,1,2,7"), "0-2,7")

    def test_memory_without_cpus(self):
        made = json.loads(self.described("pack:2 [numa(memory=1GiB)] [numa(memory=4GiB)] core:2 pu:1", "--json"))
        self.assertEqual([(n["cpus"], n["memory_bytes"] >> 30) for n in made["nodes"]], [(2, 1), (0, 4), (2, 1), (0, 4)])
        self.assertEqual(made["nodes"][0]["distances"], [None] * 4)

    def test_who_has_asked(self):
        for variables, words, asked in [({}, ["--workers", "2"], "--workers"),
                                        ({"PARA_NUM_WORKERS": "2"}, [], "PARA_NUM_WORKERS"),
                                        ({"OMP_NUM_THREADS": "3,2"}, [], "OMP_NUM_THREADS"),
                                        ({"OMP_NUM_THREADS": "many"}, [], "budget"),
                                        ({}, [], "budget")]:
            env = {name: value for name, value in os.environ.items() if name not in
                   ("PARA_NUM_WORKERS", "OMP_NUM_THREADS")}
            made = json.loads(self.run_para("info", "--json", *words, env={**env, **variables}).stdout)
            self.assertEqual(made["pool"]["asked_by"], asked)
            self.assertEqual({name: made["settings"].get(name) for name in variables}, variables)

    def test_places_that_limit_the_pool(self):
        machine = "node:4 core:2 pu:1"
        if json.loads(self.described(machine, "--json"))["machine"]["budget"] < 8:
            self.skipTest("a quota limits it")
        self.assertIn("2 workers, the caller among them (2 by PARA_PLACES)", self.described(machine, PARA_PLACES="{0:2}"))
        for places, asked in ("{0:2}", "PARA_PLACES"), ("cores", "budget"):
            pool = json.loads(self.described(machine, "--json", PARA_PLACES=places))["pool"]
            self.assertEqual(pool["asked_by"], asked)
        pool = json.loads(self.described(machine, "--json", PARA_PLACES="{0:2}", PARA_NUM_WORKERS="2"))["pool"]
        self.assertEqual(pool["asked_by"], "PARA_NUM_WORKERS")

    def test_a_variable_that_para_does_not_have(self):
        env = {**os.environ, "PARA_NUM_THREADS": "2\x1b", "PARA_NUM_WORKERS": "2", "PARA_EMPTY": ""}
        text = self.run_para("info", env=env).stdout
        self.assertIn("PARA_NUM_THREADS=2\\x1b (para has no variable of this name)\n", text)
        self.assertIn("PARA_NUM_WORKERS=2\n", text)
        self.assertNotIn("PARA_EMPTY", text)

    def test_each_variable_that_para_has(self):
        own = {"NUM_WORKERS": "2", "PROC_BIND": "false", "PLACES": "{0}", "WAIT_POLICY": "passive", "STACKSIZE": "1M",
               "DISPLAY_ENV": "false", "CHECK_KERNELS": "0", "REPORT": "0", "LOG": "alarm"}
        text = self.run_para("info", env={**os.environ, **{"PARA_" + name: own[name] for name in own}}).stdout
        for name, value in own.items():
            self.assertIn(f"PARA_{name}={value}\n", text)

    def test_a_slip_is_told_once(self):
        env = {name: value for name, value in os.environ.items() if not name.startswith("PARA_")}
        for typed, meant in [("PARA_NUM_WORKER", "NUM_WORKERS"), ("PARA_NUM_THREADS", "NUM_WORKERS"),
                             ("PARA_THREADS", "NUM_WORKERS"), ("PARA_WORKERS", "NUM_WORKERS"),
                             ("PARA_PROCBIND", "PROC_BIND"), ("para_log", "LOG"), ("PARA_HOME", None), ("PARA_LIB", None)]:
            said = self.run_para("info", "--json", env={**env, typed: "2"}).stderr
            self.assertEqual(said, f"para: {typed}: para has no such variable; is PARA_{meant} meant?\n" if meant else "")
        said = self.run_para("info", "--json", env={**env, "PARA_SCHEDULE": "dynamic"}).stderr
        self.assertEqual(said, "para: PARA_SCHEDULE: para has no such variable: it divides loops by itself\n")

    def draw(self, machine=None):
        if machine:
            self.described(machine, "--svg", "m.svg")
        else:
            self.para("info", "--svg", "m.svg")
        self.assertEqual(list(self.files()), ["m.svg"])
        return xml.etree.ElementTree.parse(self.folder / "m.svg").getroot()

    def check_drawing(self, root, cores, cpus, nodes, workers):
        """As many of each as there are; all inside; boxes of a kind apart, and texts too."""
        width, height = int(root.get("width")), int(root.get("height"))
        boxes, texts = {}, []
        for box in root.iter(SVG + "rect"):
            x, y, w, h = (int(box.get(name, "0")) for name in ("x", "y", "width", "height"))
            self.assertTrue(x + w <= width and y + h <= height)
            boxes.setdefault(box.get("class").split()[0], []).append((x, y, x + w, y + h))
        for text in root.iter(SVG + "text"):
            kinds = text.get("class").split()
            size = FONTS[kinds[0]]
            length = 0.6 * size * len(text.text)
            middle = "center" in kinds or kinds[0] in ("number", "on", "planned")
            x = int(text.get("x")) - (length / 2 if middle else length if text.get("text-anchor") == "end" else 0)
            y = int(text.get("y"))
            self.assertTrue(0 <= x and x + length <= width and size <= y <= height, text.text)
            texts.append((x, y - 0.8 * size, x + length, y + 0.2 * size))
        for of_kind in [boxes["core"], boxes["cpu"], boxes["node"], boxes.get("domain", []), texts]:
            of_kind.sort()
            for i, a in enumerate(of_kind):
                for b in of_kind[i + 1:]:
                    if b[0] >= a[2]:
                        break
                    self.assertTrue(a[3] <= b[1] or b[3] <= a[1], (a, b))
        self.assertEqual((len(boxes["core"]), len(boxes["cpu"]), len(boxes["node"])), (cores, cpus, nodes))
        found = [text.text for text in root.iter(SVG + "text") if "worker" in text.get("class").split()]
        self.assertEqual(sorted(found), sorted(f"w{i}" for i in range(workers)))

    def test_drawings(self):
        for machine, cores, cpus, nodes in [("core:1 pu:1", 1, 1, 1), ("core:6 pu:2", 6, 12, 1),
                                            ("node:2 core:3 pu:1", 6, 6, 2), ("node:4 core:4 pu:2", 16, 32, 4),
                                            ("node:16(memory=2GiB) core:8 pu:2", 128, 256, 16),
                                            ("node:2 l3:3 core:4 pu:1", 24, 24, 2), ("core:7 pu:4", 7, 28, 1),
                                            ("pack:2 [numa] [numa] core:2 pu:1", 4, 4, 4)]:
            made = json.loads(self.described(machine, "--json"))
            all_run = made["pool"]["workers"] == cores
            self.check_drawing(self.draw(machine), cores, cpus, nodes, cores if all_run else 0)

    def test_a_drawing_of_this_machine(self):
        made = json.loads(self.para("info", "--json"))
        pinned = made["pool"]["workers"] if made["pool"]["pinned"] == made["pool"]["workers"] else 0
        machine = made["machine"]
        self.check_drawing(self.draw(), machine["cores"], machine["cpus"], machine["nodes"], pinned)

    def test_drawings_that_cannot_be_written(self):
        (self.folder / "old.svg").write_text("old")
        self.refused(1, "none/m.svg: No such file", "info", "--svg", "none/m.svg")
        self.refused(1, "para: .: Is a directory", "info", "--svg", ".")
        self.refused(1, "/proc/m.svg: ", "info", "--svg", "/proc/m.svg", "--json")
        self.refused(1, "/dev/full: not a regular file", "info", "--svg", "/dev/full")
        self.refused(1, "old.svg: File too large", "info", "--svg", "old.svg", restore_signals=False,
                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
        self.refused(2, "--svg needs the name of a file", "info", "--svg", "-")
        self.refused(2, "the drawing's name is empty", "info", "--svg", "")
        self.refused(2, "--svg is given twice", "info", "--svg", "a.svg", "--svg", "b.svg")
        self.refused(2, "'kernels' has no option --svg", "kernels", "--svg", "a.svg")
        self.refused(1, "PARA_NUM_WORKERS=x", "info", "--svg", "m.svg", env={**os.environ, "PARA_NUM_WORKERS": "x"})


if __name__ == "__main__":
    unittest.main(verbosity=2)

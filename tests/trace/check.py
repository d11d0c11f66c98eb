#!/usr/bin/python3
"""check.py PROGRAM DEMO [TEST...]: takes traces of a program, and of the demo, and checks that they keep the rules of their format.

The rules: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace Event Format),
as Perfetto reads it."""
import collections
import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = DEMO = None
NEEDED = {"X": {"ts", "dur", "pid", "tid", "name", "cat"}, "i": {"ts", "pid", "tid", "name", "s"},
          "s": {"ts", "pid", "tid", "name", "cat", "id"}, "f": {"ts", "pid", "tid", "name", "cat", "id", "bp"},
          "C": {"ts", "pid", "name", "cat", "args"}, "M": {"pid", "name", "args"}}
METADATA = {"process_name", "process_labels", "thread_name", "thread_sort_index"}  # viewers complain about others


def read(path, closed=True):
    """The events of a file; one that is not closed ends after any line."""
    with open(path) as file:
        text = file.read()
    if not closed:
        assert text.endswith(",\n") or text == "[\n", text[-100:]
        text = text.rstrip(",\n") + "]"
    return json.loads(text)


class Traces(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_program(self, scenario, trace="trace.json", status=0, said=""):
        env = dict(os.environ, PARA_NUM_WORKERS="3")
        env.pop("PARA_TRACE", None)
        if trace:
            env["PARA_TRACE"] = trace
        done = subprocess.run([PROGRAM, scenario], cwd=self.folder.name, env=env, capture_output=True, text=True,
                              timeout=300)
        self.assertEqual((done.returncode, done.stderr), (status, said))
        return done.stdout

    def check(self, events):
        """The rules that hold of any trace; returns events by phase and category."""
        found = collections.defaultdict(list)
        tracks = collections.defaultdict(list)
        for event in events:
            phase = event["ph"]
            self.assertIn(phase, NEEDED)
            if phase == "M":
                self.assertIn(event["name"], METADATA)
            self.assertLessEqual(NEEDED[phase], set(event), event)
            self.assertGreaterEqual(event.get("ts", 0), 0)
            self.assertGreaterEqual(event.get("dur", 0), 0)
            found["all"].append(event)
            found[phase].append(event)
            if "cat" in event:
                found[event["cat"]].append(event)
            if phase == "X":
                tracks[event["pid"], event["tid"]].append(event)
        named = {(m["pid"], m["tid"]) for m in found["M"] if m["name"] == "thread_name"}
        self.assertLessEqual(set(tracks), named)
        for track in tracks.values():
            ends = [round(1000 * (e["ts"] + e["dur"])) for e in track]
            self.assertEqual(ends, sorted(ends), "events of a track are in the order of their ends")
            self.nest(track)
        return found

    def nest(self, track):
        """Events of a track lie within each other, or apart."""
        open_until = []
        for event in sorted(track, key=lambda e: (e["ts"], -e["dur"])):
            begin, end = round(1000 * event["ts"]), round(1000 * (event["ts"] + event["dur"]))
            while open_until and open_until[-1] <= begin:
                open_until.pop()
            self.assertTrue(not open_until or end <= open_until[-1], event)
            open_until.append(end)

    def check_counters(self, found):
        """Values of a counter follow each other, and are not negative."""
        for name, unit in ("queue", "tasks"), ("utilisation", "threads"):
            counters = [e for e in found["C"] if e["name"] == name]
            self.assertEqual([e["ts"] for e in counters], sorted(e["ts"] for e in counters))
            for event in counters:
                self.assertEqual(set(event["args"]), {unit})
                self.assertGreaterEqual(event["args"][unit], 0)
        self.assertLessEqual({e["name"] for e in found["C"]}, {"queue", "utilisation"})

    def check_flows(self, found):
        begun = {e["id"]: e for e in found["s"]}
        ended = {e["id"]: e for e in found["f"]}
        self.assertEqual(len(begun), len(found["s"]))
        self.assertEqual(set(begun), set(ended))
        for flow, end in ended.items():
            self.assertLessEqual(begun[flow]["ts"], end["ts"])
        self.check_ends_of_flows(found)

    def check_ends_of_flows(self, found):
        """Arrows lead from submissions to tasks: a viewer looks for the events of the track that are open at the arrow's
        end. It sorts all by time, the longest first, and then as they stand in the file."""
        order = {id(event): n for n, event in enumerate(found["all"])}
        ends = sorted((e for e in found["all"] if e["ph"] in "Xisf"),
                      key=lambda e: (round(1000 * e["ts"]), -round(1000 * e.get("dur", 0)), order[id(e)]))
        tracks = collections.defaultdict(list)
        for event in ends:
            track, begin = tracks[event["pid"], event["tid"]], round(1000 * event["ts"])
            if event["ph"] in "sf":
                self.assertIn(("submit" if event["ph"] == "s" else "task", event["ts"]),
                              [(e["cat"], e["ts"]) for _, _, e in track], event)
                continue
            length = round(1000 * event.get("dur", 0))
            while track and (track[-1][0] < begin or (track[-1][0] == begin and (length or track[-1][1]))):
                track.pop()
            track.append((begin + length, length, event))

    def dropped(self, found):
        return [m["args"]["events"] for m in found["M"] if m["name"] == "process_labels"]

    def test_all_that_a_program_does_is_there(self):
        self.run_program("work")
        found = self.check(read(self.path("trace.json")))
        self.assertEqual(self.dropped(found), [0])
        self.check_flows(found)
        self.check_counters(found)
        for category in "begin", "call":
            calls = collections.Counter(e["name"] for e in found[category] if "loop" in e["name"])
            self.assertEqual(calls, {"shared_loop": 20, "alone_loop": 20})
        units = sum(e["args"]["units"] for e in found["batch"] + found["steal"])
        self.assertGreaterEqual(units, 20 * 20)  # chunks of 1000; more where slices end within one
        for call in found["call"]:
            self.assertEqual(call["args"]["elements"], 20000)
        self.assertEqual(sum(e["name"] == "tasks_within" for e in found["begin"]), 30)
        states = collections.Counter(e["args"]["state"] for e in found["task"])
        self.assertEqual(states["cancelled"], 30)
        self.assertEqual(sum(states.values()), 300 + 30 * 4)
        ids = collections.Counter(e["args"]["id"] for e in found["task"])
        self.assertEqual(ids[7], 1 + 30 * 4)
        self.assertEqual(ids[299], 1)
        self.assertEqual(len(found["submit"]), 300 + 30 * 4)
        names = [e["args"]["name"] for e in found["M"] if e["name"] == "thread_name"]
        self.assertTrue(any(n.startswith("para") for n in names), names)
        self.assertEqual(len([e for e in found["i"] if e["name"] == "starts"]), 3)
        self.assertEqual(len([e for e in found["i"] if e["name"] == "ends"]), 3)

    def test_the_demo_keeps_the_rules(self):
        env = dict(os.environ, PARA_NUM_WORKERS="4", PARA_TRACE="demo.json")
        subprocess.run([DEMO, self.folder.name, "2000"], cwd=self.folder.name, env=env, check=True, capture_output=True,
                       timeout=300)
        found = self.check(read(self.path("demo.json")))
        self.check_flows(found)
        self.check_counters(found)
        self.assertEqual(len({e["pid"] for e in found["X"]}), 1)
        self.assertGreater(len(found["call"]), 19)
        for call in found["call"]:
            if call["args"]["why"].startswith("parallel: measured on the caller first"):
                end = call["ts"] + call["dur"]
                self.assertTrue([b for b in found["batch"] if b["tid"] == call["tid"] and call["ts"] <= b["ts"] < end and
                                 b["args"]["first"] == 0], "what ran on the caller first")
        self.assertTrue([e for e in found["M"] if e["name"] == "process_name"])

    def test_a_killed_program_leaves_whole_lines(self):
        self.run_program("killed", status=-9)
        found = self.check(read(self.path("trace.json"), closed=False))
        self.assertGreaterEqual(sum(len(found[p]) for p in "Xi"), 50)

    def test_an_exit_is_an_end(self):
        self.run_program("exits", status=3)
        found = self.check(read(self.path("trace.json")))
        self.assertEqual(len(found["call"]), 40)

    def test_a_child_takes_its_own(self):
        if self.run_program("forks") == "skip\n":
            self.skipTest("a sanitizer does not follow children")
        found = self.check(read(self.path("trace.json")))
        self.assertEqual(self.dropped(found), [0])
        self.assertEqual(len(found["call"]), 42)
        child = self.check(read(self.path("child.json")))
        self.assertEqual(len(child["call"]), 2)
        self.assertNotEqual({e["pid"] for e in child["call"]}, {e["pid"] for e in found["call"]})

    def test_a_second_trace_has_its_own_events(self):
        said = self.run_program("twice", trace=None)
        first = self.check(read(self.path("first.json")))
        [path] = glob.glob(self.path("second-*.json"))
        second = self.check(read(path))
        self.assertNotIn("%p", path)
        self.assertEqual((len(first["call"]), len(second["call"])), (40, 2))
        self.assertEqual(said, f"{sum(len(second[p]) for p in 'Xi')} 0\n")

    def test_processes_have_tracks(self):
        said = self.run_program("processes", trace=None)
        if said == "skip\n":
            self.skipTest("the system has no worker processes")
        found = self.check(read(self.path("processes.json")))
        self.assertEqual(self.dropped(found), [0])
        calls = [e for e in found["call"] if e["name"] == "die_once"]
        self.assertEqual(len(calls), 2)
        own = calls[0]["pid"]
        batches = [e for e in found["batch"] if e["name"] == "die_once"]
        self.assertEqual(sum(e["args"]["units"] for e in batches), 2 * 20)  # chunks of 1000
        self.assertNotIn(own, {e["pid"] for e in batches})
        for batch in batches:  # within one of the calls
            self.assertTrue(any(c["ts"] <= batch["ts"] and batch["ts"] + batch["dur"] <= c["ts"] + c["dur"] for c in calls))
        [died] = [e for e in found["i"] if e["name"] == "died"]
        self.assertEqual(died["args"], {"by": "signal", "number": 9})
        [again] = [e for e in found["i"] if e["name"] == "starts again"]
        self.assertNotEqual(again["pid"], died["pid"])
        self.assertGreaterEqual(again["ts"], died["ts"])
        self.assertFalse([e for e in batches if e["pid"] == died["pid"] and e["ts"] > died["ts"]])
        self.assertEqual(len([e for e in found["i"] if e["name"] == "starts"]), 2)
        names = {e["args"]["name"] for e in found["M"] if e["name"] == "thread_name" and e["pid"] != own}
        self.assertLessEqual({died["pid"], again["pid"]}, {e["pid"] for e in found["M"] if e["name"] == "process_name"})
        self.assertLessEqual(names, {"para process 0", "para process 1"})
        self.assertGreaterEqual(int(said), 40)

    def test_a_file_that_cannot_be_is_told_in_one_line(self):
        self.run_program("exits", trace="nowhere/x.json", status=3,
                         said=f"para: PARA_TRACE=nowhere/x.json: {self.path('nowhere/x.json')}: No such file or directory; "
                              "no trace is taken\n")
        self.run_program("exits", trace="/dev/full", status=3,
                         said="para: PARA_TRACE=/dev/full: the trace: No space left on device; no trace is taken\n")

    def test_the_log_is_printed_if_asked_for(self):
        for level, said in [("note", "para: note: a task ends without having run: it was cancelled\n"), ("alarm", "")]:
            env = dict(os.environ, PARA_NUM_WORKERS="3", PARA_LOG=level)
            done = subprocess.run([PROGRAM, "work"], cwd=self.folder.name, env=env, capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)
            for line in done.stderr.splitlines():
                self.assertRegex(line, r"^para: (note|warning|alarm): .*: .*$")
            self.assertLessEqual(done.stderr.count("ends without having run"), 10 if level == "note" else 0)
        env = dict(os.environ, PARA_LOG="note")
        done = subprocess.run([PROGRAM, "processes"], cwd=self.folder.name, env=env, capture_output=True, text=True, timeout=300)
        if done.stdout != "skip\n":
            self.assertRegex(done.stderr, r"(?m)^para: warning: a worker process has died: worker [01], by signal 9 .*$")
            self.assertRegex(done.stderr, r"(?m)^para: note: a worker process is started in a dead one's place: worker [01]: process \d+$")
        env = dict(os.environ, PARA_LOG="loud")
        done = subprocess.run([PROGRAM, "exits"], cwd=self.folder.name, env=env, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.stderr, "para: PARA_LOG=loud: expected note, warning or alarm; ignored\n")

    def test_a_program_listens_for_a_time(self):
        for level, printed in [("note", 2), (None, 0)]:
            env = dict(os.environ, **({"PARA_LOG": level} if level else {}))
            done = subprocess.run([PROGRAM, "listens"], cwd=self.folder.name, env=env, capture_output=True, text=True,
                                  timeout=300)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stderr.count("a task ends without having run"), printed, done.stderr)
            self.assertEqual(done.stdout, f"told 2\nalarms {bool(level):d}\nstops {bool(level):d}\n")


if __name__ == "__main__":
    PROGRAM, DEMO = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    unittest.main()

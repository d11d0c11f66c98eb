"""para trace: where the time of a trace went. The traces are written here, line by line, so that sums are known."""
import json
import os
import unittest
import xml.etree.ElementTree

from case import Case

HEAD = '[\n{"ph":"M","pid":7,"name":"process_name","args":{"name":"para"}},\n'
END = '{"ph":"M","pid":7,"name":"process_labels","args":{"labels":"3 events lost","events":3}}\n]\n'


def thread(tid, name):
    return f'{{"ph":"M","pid":7,"tid":{tid},"name":"thread_name","args":{{"name":"{name}"}}}},\n'


def span(tid, category, name, begin_us, length_us, **arguments):
    said = ",".join(f'"{key}":{f"{value:.3f}" if isinstance(value, float) else json.dumps(value)}'
                    for key, value in arguments.items())
    return (f'{{"ph":"X","pid":7,"tid":{tid},"ts":{begin_us:.3f},"dur":{length_us:.3f},"cat":"{category}",'
            f'"name":"{name}","args":{{{said}}}}},\n')


def call(tid, name, begin_us, length_us, width=1):
    return span(tid, "call", name, begin_us, length_us, why="serial: too small", elements=10, width=width, workers=1,
                site=0)


LINES = [thread(7, "main"), span(7, "batch", "f", 10, 40), span(7, "steal", "f", 60, 20), span(7, "wait", "join", 80, 15),
         call(7, "f", 0, 100, width=2), call(7, "g", 100, 50), thread(8, "para-1"), span(8, "idle", "parked", 0, 10),
         span(8, "batch", "f", 10, 30), call(8, "g", 60, 10), span(8, "task", "t", 50, 30, id=1, state="completed",
                                                                   queued_us=2.5)]


class Trace(Case):
    def write(self, text, name="t.json"):
        (self.folder / name).write_text(text)

    def setUp(self):
        super().setUp()
        self.write(HEAD + "".join(LINES) + END)

    def test_time_is_told_by_thread_and_kernel(self):
        found = json.loads(self.para("trace", "t.json", "--json"))
        main, worker = found["threads"]
        self.assertEqual(
            main, {"name": "main", "tid": 7, "ns": 150000, "computing_ns": 110000, "stolen_ns": 20000, "sharing_ns": 25000,
                   "waiting_ns": 15000, "asleep_ns": 0})
        self.assertEqual(
            worker, {"name": "para-1", "tid": 8, "ns": 80000, "computing_ns": 60000, "stolen_ns": 0, "sharing_ns": 0,
                     "waiting_ns": 0, "asleep_ns": 10000})
        self.assertEqual((found["ns"], found["events"], found["dropped"], found["complete"]), (150000, 9, 3, True))
        kernels = {k["name"]: k for k in found["kernels"]}
        self.assertEqual([k["name"] for k in found["kernels"]], ["f", "g", "t"])
        self.assertEqual(
            kernels["f"], {"name": "f", "ns": 90000, "calls": 1, "shared": 1, "batches": 3, "stolen": 1, "tasks": 0,
                           "longest_ns": 40000, "reason": "serial: too small"})
        self.assertEqual((kernels["g"]["ns"], kernels["t"]["ns"], kernels["t"]["reason"]), (60000, 20000, None))

    def test_people_can_read_it(self):
        text = self.para("trace", "t.json")
        self.assertIn("0.150 ms, 9 events of 2 threads; 3 were lost\n", text)
        self.assertIn("tasks waited: 1; half of them 2.5 us or less", text)
        self.assertRegex(text, r"\n +0\.090 +1 +1 +3 +1 +0 +40\.0  f: serial: too small\n")

    def test_files_of_exported_variables_are_left_alone(self):
        before = self.files()
        exported = {**os.environ, "PARA_TRACE": "t.json", "PARA_METRICS": "m.prom", "PARA_PAGE": "p.page"}
        for words in ["trace", "t.json"], ["info"], ["kernels"], ["top", "p.page"]:
            self.run_para(*words, env=exported)
            self.assertEqual(self.files(), before, words)

    def test_terminals_get_no_orders(self):
        self.write(HEAD + thread(7, "ma\033in") + span(7, "batch", "\033f", 10, 40) + call(7, "\033f", 0, 100) + END)
        text = self.para("trace", "t.json")
        self.assertIn("ma?in", text)
        self.assertNotIn("\033", text)

    def test_a_killed_program_can_be_read(self):
        for lines in range(1, len(LINES)):
            self.write(HEAD + "".join(LINES[:lines + 1]), "killed.json")
            self.assertIn("; the program was killed, or runs still\n", self.para("trace", "killed.json"))

    def test_it_is_drawn(self):
        self.para("trace", "t.json", "--svg", "t.svg")
        root = xml.etree.ElementTree.parse(self.folder / "t.svg").getroot()
        text = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
        for name in "main", "para-1", "f", "g", "t", "waiting", "asleep":
            self.assertIn(name, text)
        width, height = float(root.get("width")), float(root.get("height"))
        for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
            self.assertLessEqual(float(rect.get("x", 0)) + float(rect.get("width")), width)
            self.assertLessEqual(float(rect.get("y", 0)) + float(rect.get("height")), height)

    def test_what_can_be_read_once_only_is_not_drawn(self):
        text = (self.folder / "t.json").read_text()
        self.refused(1, "--svg reads it twice", "trace", "/dev/stdin", "--svg", "p.svg", input=text)

    def test_what_is_no_trace_is_refused(self):
        self.refused(2, "which trace?", "trace")
        self.refused(2, "the trace's name is empty", "trace", "")
        self.refused(2, "unexpected 'b'", "trace", "a", "b")
        self.refused(1, "none.json: No such file", "trace", "none.json")
        self.refused(2, "--svg needs the name of a file", "trace", "t.json", "--svg", "-")
        self.refused(1, "none/t.svg: No such file", "trace", "t.json", "--svg", "none/t.svg")
        for text, sentence in [("", "the trace has no events"), (HEAD, "the trace has no events"),
                               ("{}\n", "line 1: this is no trace of para"), ("[\n{}\n", "line 2: this is no"),
                               (HEAD + span(7, "batch", "f", 10, -40), "line 3: this is no"),
                               (HEAD + span(7, "batch", "f", 1e300, 40), "line 3: this is no"),
                               ("x" * 100000, "line 1: this is no"),
                               (HEAD + LINES[0] + '{"ph":"X","pid":7,"tid":7,"name":"f"},\n', "line 4: this is no"),
                               (HEAD + '{"ph":"X","pid":7,"tid":7,"ts":1.5,"dur":1,"name":"f"},\n', "line 3: this is no")]:
            self.write(text, "bad.json")
            self.refused(1, "bad.json: " + sentence, "trace", "bad.json")
            self.refused(1, "bad.json: " + sentence, "trace", "bad.json", "--svg", "bad.svg")


if __name__ == "__main__":
    unittest.main()

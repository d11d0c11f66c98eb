#!/usr/bin/python3
"""spans.py PROGRAM: docs/examples/spans.c exports spans as OTLP JSON, within the trace that it was told of; and the
trace of para has the same contexts."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
KEYS = {"traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status"}


class Spans(unittest.TestCase):
    def run_program(self, traceparent):
        env = dict(os.environ, TRACEPARENT=traceparent, PARA_NUM_WORKERS="3", PARA_TRACE="spans.json")
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([PROGRAM], cwd=folder, env=env, capture_output=True, text=True, timeout=120)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            with open(os.path.join(folder, "spans.json")) as file:
                events = json.load(file)
        return json.loads(done.stdout), events

    def spans_of(self, told):
        """By the rules of OTLP JSON: ids are hexadecimal digits, 64-bit numbers are strings, enums are numbers."""
        self.assertEqual(set(told), {"resourceSpans"})
        [resource] = told["resourceSpans"]
        self.assertEqual(resource["resource"], {"attributes": [{"key": "service.name", "value": {"stringValue": "spans"}}]})
        [scope] = resource["scopeSpans"]
        self.assertEqual(scope["scope"], {"name": "para"})
        for span in scope["spans"]:
            self.assertEqual(set(span), KEYS)
            self.assertRegex(span["traceId"], r"^[0-9a-f]{32}$")
            for key in "spanId", "parentSpanId":
                self.assertRegex(span[key], r"^[0-9a-f]{16}$")
                self.assertNotEqual(span[key], "0" * 16)
            self.assertEqual(span["kind"], 1)
            self.assertEqual(span["status"], {"code": 1})
            for key in "startTimeUnixNano", "endTimeUnixNano":
                self.assertRegex(span[key], r"^[0-9]{19}$")
            [attribute] = span["attributes"]
            self.assertEqual(attribute["key"], "para.task.id")
            self.assertRegex(attribute["value"]["intValue"], r"^[0-9]+$")
        return {s["spanId"]: s for s in scope["spans"]}

    def test_spans_join_the_trace_of_the_request(self):
        told, events = self.run_program(f"00-{TRACE}-{SPAN}-01")
        spans = self.spans_of(told)
        self.assertEqual(len(spans), 8)
        self.assertEqual({s["traceId"] for s in spans.values()}, {TRACE})
        parts = [s for s in spans.values() if s["name"] == "part"]
        self.assertEqual([s["parentSpanId"] for s in parts], [SPAN] * 4)
        for inner in (s for s in spans.values() if s["name"] == "thumbnail"):
            outer = spans[inner["parentSpanId"]]
            self.assertEqual(outer["name"], "part")
            self.assertLessEqual(int(outer["startTimeUnixNano"]), int(inner["startTimeUnixNano"]))
            self.assertLessEqual(int(inner["endTimeUnixNano"]), int(outer["endTimeUnixNano"]))
        contexts = {e["args"]["id"]: e["args"]["traceparent"] for e in events if e.get("cat") == "context"}
        self.assertEqual(contexts, {**{i: f"00-{TRACE}-{SPAN}-01" for i in range(4)},
                                    **{100 + int(s["attributes"][0]["value"]["intValue"]): f"00-{TRACE}-{s['spanId']}-01"
                                       for s in parts}})

    def test_what_is_no_traceparent_begins_a_new_trace(self):
        for text in "", "00-" + "0" * 32 + f"-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01":
            spans = self.spans_of(self.run_program(text)[0])
            [trace] = {s["traceId"] for s in spans.values()}
            self.assertNotIn(trace, (TRACE, "0" * 32))


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()

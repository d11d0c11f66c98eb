#!/usr/bin/python3
"""soak.py PROGRAM SECONDS: a pool under everything at once, while a trace is taken, statistics are kept, a page is
published and alarms are looked for. What they count is what the program has counted, and memory stays as it was: the
program looks at that. Of the events that are counted, those that are not in the trace are counted as lost."""
import collections
import os
import re
import subprocess
import sys
import tempfile


def soak(program, seconds, trace):
    """What the program says, what the metrics say, and the trace's events by phase and category."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "soak.prom")
        env = dict(os.environ, PARA_TRACE=os.path.join(folder, trace), PARA_METRICS=path, PARA_PAGE="1", PARA_LOG="alarm")
        done = subprocess.run([program, seconds], env=env, capture_output=True, text=True, timeout=600)
        print(done.stdout, done.stderr)
        assert done.returncode == 0
        with open(path) as file:
            metrics = dict(re.findall(r"^(para_\S+) (\S+)$", file.read(), re.M))
        said = {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", done.stdout)}
        return said, metrics, count_events(os.path.join(folder, trace))


def count_events(path):
    """How many events of a phase and a category a trace has; "lost" are those that it lacks. {} of a device."""
    events = collections.Counter()
    if os.path.isfile(path):
        with open(path) as file:
            for line in file:
                found = re.match(r'{"ph":"([Xi])".*?"cat":"(\w+)","name":"([^"]*)"', line)
                if found:
                    phase, category, name = found.groups()
                    events[phase, name if category == "call" and phase == "i" else category] += 1
        events["lost"] = int(re.search(r'"events":(\d+)}}$', line_before_end(path)).group(1))
    return events


def line_before_end(path):
    with open(path, "rb") as file:
        file.seek(-200, os.SEEK_END)
        return file.read().decode().splitlines()[-2]


def check(said, metrics, events):
    tasks = {state: int(metrics[f'para_tasks_total{{state="{state}"}}']) for state in ("submitted", "begun", "dropped")}
    assert tasks["submitted"] == said["accepted"], (tasks, said)
    assert tasks["begun"] == said["completed"] + said["failed"], (tasks, said)
    assert tasks["dropped"] == said["cancelled"] + said["dropped"], (tasks, said)
    assert int(metrics["para_task_run_seconds_count"]) == tasks["begun"]
    calls = [int(value) for name, value in metrics.items() if name.startswith('para_kernel_calls_total{kernel="sum_all"')]
    assert calls == [said["calls"]], (calls, said)
    if events:
        missing = [tasks["submitted"] - events["X", "submit"], tasks["begun"] - events["X", "task"],
                   tasks["dropped"] - events["i", "task"], int(metrics["para_calls_total"]) - events["X", "call"]]
        assert min(missing) >= 0 and sum(missing) <= events["lost"], (missing, events)
        print(f"of the trace {sum(missing)} counted events are missing, and {events['lost']} of all are lost")


def main():
    program, seconds = sys.argv[1:]
    check(*soak(program, seconds, "/dev/null"))
    check(*soak(program, "1", "soak.json"))  # a file of some 100 MB


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""soak.py PROGRAM SECONDS: a pool under everything at once, while a trace is taken, statistics are kept, a page is
published and alarms are looked for. What they count is what the program has counted, and memory stays as it was: the
program looks at that."""
import os
import re
import subprocess
import sys
import tempfile


def main():
    program, seconds = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "soak.prom")
        env = dict(os.environ, PARA_TRACE="/dev/null", PARA_METRICS=path, PARA_PAGE="1", PARA_LOG="alarm")
        done = subprocess.run([program, seconds], env=env, capture_output=True, text=True, timeout=600)
        print(done.stdout, done.stderr)
        assert done.returncode == 0
        with open(path) as file:
            metrics = dict(re.findall(r"^(para_\S+) (\S+)$", file.read(), re.M))
    said = {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", done.stdout)}
    tasks = {state: int(metrics[f'para_tasks_total{{state="{state}"}}']) for state in ("submitted", "begun", "dropped")}
    assert tasks["submitted"] == said["accepted"], (tasks, said)
    assert tasks["begun"] == said["completed"] + said["failed"], (tasks, said)
    assert tasks["dropped"] == said["cancelled"] + said["dropped"], (tasks, said)
    assert int(metrics["para_task_run_seconds_count"]) == tasks["begun"]
    calls = [int(value) for name, value in metrics.items() if name.startswith('para_kernel_calls_total{kernel="sum_all"')]
    assert calls == [said["calls"]], (calls, said)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""slow.py PROGRAM: what docs/sight.md says is seen of docs/examples/slow.c is seen: three ways to one fault."""
import json
import os
import re
import subprocess
import sys
import tempfile


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ, PARA_NUM_WORKERS="2", PARA_REPORT="1", PARA_TRACE="slow.json", PARA_METRICS="slow.prom")
        done = subprocess.run([program], cwd=folder, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, (done.stdout, done.stderr)
        with open(os.path.join(folder, "slow.json")) as file:
            trace = json.load(file)
        with open(os.path.join(folder, "slow.prom")) as file:
            metrics = file.read()
    assert re.search(r"^ +20 +20 +0 +1\.0 .* blur \(slow\.c:\d+\): as the options asked$", done.stderr, re.M), done.stderr
    calls = [e for e in trace if e.get("cat") == "call" and e["name"] == "blur"]
    batches = [e for e in trace if e.get("cat") in ("batch", "steal") and e["name"] == "blur"]
    assert len(calls) == 20 and not batches and len({e["tid"] for e in calls}) == 1
    assert re.search(r'^para_kernel_calls_total\{kernel="blur",.*\} 20$', metrics, re.M), metrics
    assert re.search(r'^para_kernel_shared_calls_total\{kernel="blur",.*\} 0$', metrics, re.M), metrics


if __name__ == "__main__":
    main()

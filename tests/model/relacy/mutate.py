"""mutate.py PARA-MODELS: weakens each ordered operation of the library in turn, and expects a model to fail.

Prints which models do, as the table of docs/memory-model.md. An operation that can be weakened unnoticed
is either not needed, or not modelled, and fails the run."""
import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys


ROOT = pathlib.Path(__file__).resolve().parents[3]
ORDERED = re.compile(r"\bpara__\w+\(E\d\w*,|__ATOMIC_(?:ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)")


def left_out(listed):
    """Source files with ordered operations that the models do not have."""
    modelled = collections.Counter()
    for path in {line.rsplit("=", 1)[0]: line.split()[1] for line in listed}.values():
        modelled[pathlib.Path(path).resolve()] += 1
    for folder in "src", "include":
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            if path.name != "atomic.h":
                written = len(ORDERED.findall(path.read_text()))
                if written != modelled[path]:
                    yield f"{path.relative_to(ROOT)}: {written} ordered operations, {modelled[path]} in models"


def run(binary, *options):
    """(model, what Relacy says, seed) for each model that fails."""
    done = subprocess.run([binary, *options], capture_output=True, text=True, timeout=600)
    outcomes = re.findall(r"^(\w+): (.*), seeds 1 to (\d+)$", done.stdout, re.MULTILINE)
    if not outcomes:
        sys.exit(f"{' '.join(done.args)}: {done.stdout}{done.stderr}")
    return [(model, result.lower(), seed) for model, result, seed in outcomes if result != "SUCCESS"]


def main():
    binary = sys.argv[1]
    listed = subprocess.run([binary, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    weakenings = [line.split()[0] for line in listed]
    only = sys.argv[2:]
    weakenings = sorted((w for w in weakenings if not only or any(o in w for o in only)),
                        key=lambda w: [int(n) for n in re.findall(r"\d+", w.split(":")[0])])
    if run(binary):
        sys.exit("models fail although nothing is weakened")
    unnoticed = list(left_out(listed))
    print("| edge | operation | weakened to | fails (seed) |\n|---|---|---|---|")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for weakening, failed in zip(weakenings, pool.map(lambda w: run(binary, "--weaken", w), weakenings)):
            operation, order = weakening.split("=")
            label, function, kind = operation.split(":")
            failures = ", ".join(f"{model}: {result} ({seed})" for model, result, seed in failed)
            if not failed:
                unnoticed.append(weakening)
            print(f"| {label} | {kind} in `{function}` | {order} | {failures or 'NONE'} |", flush=True)
    print(f"\n{len(weakenings)} weakenings, {len(unnoticed)} unnoticed", *unnoticed, sep="\n  ")
    return 1 if unnoticed or not weakenings else 0


sys.exit(main())

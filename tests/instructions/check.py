#!/usr/bin/python3
"""Counts the instructions of a warm small call with callgrind, and compares them with the record.

usage: check.py PATH_PROGRAM SOURCE_FOLDER COMPILER RECORD [--write]

A count may differ by 10 % from the recorded one. A loop has no more than the map of the same work. Exit status 77: the record is of another compiler or
processor architecture, or there is no valgrind, so that there is nothing to compare with."""
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile

TIMES = 1000
PATHS = ["map_alone", "loop_alone", "reduce_alone", "shared_with_nobody", "shared_with_helper"]
STEPS = ["publish", "claim", "finish", "join", "all_done"]
SKIPPED = 77


def function_lines(source, names):
    """First and last line of each function defined in a source file."""
    lines = open(source).read().split("\n")
    found = {}
    for number, line in enumerate(lines, 1):
        match = re.match(r"(?:static |const )*[\w ]+?\*?\b(\w+)\(", line)
        if match and match.group(1) in names and not line.rstrip().endswith(";"):
            end = number
            while lines[end - 1] != "}":
                end += 1
            found[match.group(1)] = (number, end)
    return found


def collect(program, path):
    """Instructions by file and line, and in all, for TIMES walks of a path."""
    with tempfile.NamedTemporaryFile(suffix=".callgrind") as out:
        subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--dump-line=yes",
                        "--compress-pos=no", "--compress-strings=no",
                        f"--callgrind-out-file={out.name}", program, path, str(TIMES)],
                       check=True, capture_output=True)
        text = open(out.name).read().split("\n")
    by_line, total, current, is_call = {}, 0, None, False
    for line in text:
        match = re.match(r"(fl|fi|fe)=(.*)", line)
        if match:
            current = match.group(2)
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"\d+ \d+$", line):
            if not is_call:  # the line after calls= has the callee's cost
                number, cost = map(int, line.split())
                total += cost
                by_line[current, number] = by_line.get((current, number), 0) + cost
            is_call = False
    return by_line, total


def measure(program, sources):
    counts = {}
    steps = {(file, step): lines for file in ("share/caller.c", "share/participant.c")
             for step, lines in function_lines(f"{sources}/{file}", STEPS).items()}
    for path in PATHS:
        by_line, total = collect(program, path)
        counts[path] = round(total / TIMES)
        if path == "shared_with_helper":
            for (source, step), (first, last) in steps.items():
                cost = sum(c for (file, number), c in by_line.items()
                           if file and file.endswith(source) and first <= number <= last)
                counts[f"{path}: {step}"] = round(cost / TIMES)
    return counts


def main():
    program, sources, compiler, record = sys.argv[1:5]
    if not shutil.which("valgrind"):
        print("no valgrind: nothing is counted")
        return SKIPPED
    compiler = f"{compiler} {platform.machine()}"
    counts = measure(program, sources)
    if "--write" in sys.argv[5:]:
        with open(record, "w") as file:
            json.dump({"compiler": compiler, "instructions": counts}, file, indent=4)
            file.write("\n")
        return 0
    recorded = json.load(open(record))
    if recorded["compiler"] != compiler:
        print(f"the record is of {recorded['compiler']}, this is {compiler}")
        return SKIPPED
    failed = False
    print(f"{'instructions per call':36}{'recorded':>10}{'now':>10}")
    for name, expected in recorded["instructions"].items():
        now = counts.get(name)
        held = now is not None and abs(now - expected) <= max(0.1 * expected, 3)
        failed |= not held
        print(f"{name:36}{expected:>10}{now if now is not None else '-':>10}{'' if held else '  CHANGED'}")
    if counts["loop_alone"] > counts["map_alone"]:
        print("a loop takes more instructions than the map that it is")
        return 1
    if failed:
        print("If the change is meant, record it: tests/instructions/check.py ... --write")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

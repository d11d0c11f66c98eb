"""run.py BUILD [WORKLOAD...] [--quick] [--json FILE] [--runtime NAME,...]: para beside other runtimes.

Each runtime is a process of its own, stopped by a signal while it is not its turn, since threads that
spin would disturb the others. In each round every runtime measures a point once, in random order; the
figure is the median over the rounds."""
import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import time

import harness
import processes
import special
import tables
import targets

MEAN, EACH, PREPARED, IDLE, MEMORY, LOCKS, TASKS = range(7)


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description="Runs the benchmarks.")
    parser.add_argument("build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("workload", nargs="*", help="WORKLOAD or WORKLOAD/POINT; all by default, but for `processes`")
    parser.add_argument("--quick", action="store_true", help="fewer points and rounds: four minutes in all")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--runtime", metavar="NAME,...", help="only these; all by default")
    parser.add_argument("--threads", type=int, default=0, help="instead of what each takes by itself")
    parser.add_argument("--rounds", type=int, help="how often each point is measured")
    parser.add_argument("--seconds", type=float, help="how long each time")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000, help="of the order")
    return parser.parse_args()


def built(options):
    """For each family of programs the names of those that were built, or of those asked for."""
    found = {family: [name for name in order if (options.build / "bench" / f"{family}-{name}").exists()]
             for family, order in tables.FAMILIES.items()}
    known = dict.fromkeys(sum(found.values(), []))
    if options.runtime:
        asked = options.runtime.split(",")
        for name in asked:
            if name not in known:
                sys.exit(f"bench: there is no runtime {name}; there are {', '.join(known)}")
        return {family: [name for name in names if name in asked] for family, names in found.items()}
    missing = [name for name in tables.ORDER if name not in known]
    if missing:
        print(f"Left out, as not installed: {', '.join(missing)}.")
    return found


def check_words(options, listed):
    """Ends the program if a workload was asked for that there is not."""
    names = {workload["name"] for workloads in listed.values() for workload in workloads}
    names |= set(special.WORKLOADS)
    for word in options.workload:
        if word.split("/")[0] not in names:
            sys.exit(f"bench: there is no workload {word}; there are {', '.join(sorted(names))}")


def chosen(options, workloads):
    """The workloads and points to run: [(workload, points)]."""
    chosen_ones = []
    for workload in workloads:
        name = workload["name"]
        points = [point for point in workload["points"]
                  if f"{name}/{point['name']}" in options.workload or
                  ((not options.workload or name in options.workload) and
                   (point["quick"] or not options.quick) and not superseded(workload, point, options))]
        if points:
            chosen_ones.append((workload, points))
    return chosen_ones


def superseded(workload, point, options):
    """Memory is counted over few calls in a quick run, and over many otherwise."""
    return workload["kind"] == MEMORY and point["quick"] and not options.quick


def plan(workload, point, options):
    """(rounds, seconds a round) for a point."""
    kind = workload["kind"]
    if kind == IDLE:
        rounds, seconds = (1, 1) if options.quick else (3, 1)
    elif kind == MEMORY:
        rounds, seconds = 1, 0
    elif point["hogs"]:
        rounds, seconds = (3, 0.1) if options.quick else (9, 0.25)
    elif point["bytes"] >= 1 << 28:
        rounds, seconds = (2, 0.05) if options.quick else (5, 0.2)
    elif kind == LOCKS:
        rounds, seconds = (3, 0.02) if options.quick else (7, 0.2)
    elif kind == TASKS:
        rounds, seconds = (3, 0.005) if options.quick else (5, 0.05)
    elif kind == PREPARED:
        rounds, seconds = (3, 0.02) if options.quick else (7, 0.05)
    else:
        rounds, seconds = (3, 0.005) if options.quick else (11, 0.03)
    return options.rounds or rounds, seconds if options.seconds is None else options.seconds


def measure(processes, workload, point, options, order):
    """All rounds of a point: {runtime: {figure: median}}."""
    rounds, seconds = plan(workload, point, options)
    able = list(processes)
    answers = {name: [] for name in able}
    faults = {}
    with harness.hogs(point["hogs"]):
        for _ in range(rounds):
            order.shuffle(able)
            for name in list(able):
                answer = processes[name].ask(f"{workload['name']} {point['name']} {seconds}")
                if answer.pop("ok"):
                    answers[name].append(answer)
                else:
                    faults[name] = answer["fault"]
                    able.remove(name)
    figures = {}
    for name, values in answers.items():
        if name in faults:
            figures[name] = {"fault": faults[name]}
        else:
            figures[name] = {key: statistics.median(value[key] for value in values) for key in values[0]}
            figures[name]["rounds"] = [value["ns"] for value in values]
            for key in figures[name].keys() & {"longest_ns", "longest_wait_ns"}:
                figures[name][key] = max(value[key] for value in values)
    return figures


def listed_workloads(options):
    """What workloads each family of programs has; one of its programs tells."""
    listed = {}
    for family, order in tables.FAMILIES.items():
        programs = [options.build / "bench" / f"{family}-{name}" for name in order]
        program = next((program for program in programs if program.exists()), None)
        if not program:
            sys.exit(f"bench: {programs[0]} is missing; build it first")
        listed[family] = json.loads(subprocess.run([program, "--list"], capture_output=True, check=True).stdout)
    return listed


def main():
    options = arguments()
    if "processes" in options.workload:  # a page of its own, and none of the others' columns
        processes.main(options)
        return
    names = built(options)
    order = random.Random(options.seed)
    started = time.monotonic()
    result = {"machine": harness.machine(), "command": "./dev bench " + " ".join(sys.argv[2:]),
              "seed": options.seed, "workloads": []}
    listed = listed_workloads(options)
    check_words(options, listed)
    print(tables.heading(result))
    for family, workloads in listed.items():
        to_run = chosen(options, workloads) if names[family] else []
        with harness.Processes(options, names[family] if to_run else [], options.threads, family) as running:
            for workload, points in to_run:
                rows = {point["name"]: measure(running.all, workload, point, options, order)
                        for point in points}
                result["workloads"].append({"name": workload["name"], "title": workload["title"],
                                            "kind": workload["kind"], "points": rows})
                print(tables.workload_table(result["workloads"][-1]), flush=True)
    for name, run in special.WORKLOADS.items():
        if not options.workload or name in options.workload:
            able = [one for one in names["bench"] if one not in tables.NO_LOOPS + tables.ONLY_PORTS]
            result["workloads"].append(run(options, able, order))
            print(tables.workload_table(result["workloads"][-1]), flush=True)
    wrong = [f"{workload['name']}/{point} {runtime}" for workload in result["workloads"]
             for point, row in workload["points"].items() for runtime, figures in row.items()
             if figures.get("fault") == "wrong result"]
    result["seconds"] = round(time.monotonic() - started)
    if {"para", "serial"} < set(names["bench"]):
        print(tables.target_table(targets.all_of(result)))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(f"Took {result['seconds']} s.")
    if wrong:
        sys.exit(f"bench: wrong results: {', '.join(wrong)}")


if __name__ == "__main__":
    main()

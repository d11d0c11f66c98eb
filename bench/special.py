"""Workloads that are not a point asked of a running process: the first call of a process, several
copies of one program, and scaling."""
import contextlib
import os
import statistics
import subprocess
import time

import harness
import tables


def cold(options, names, order):
    """A process started anew each time: to the end of its first call, and to the end of the process."""
    values = {name: ([], []) for name in names}
    for _ in range(options.rounds or (5 if options.quick else 21)):
        order.shuffle(shuffled := list(names))
        for name in shuffled:
            start = time.monotonic_ns()
            done = subprocess.run([options.build / "bench" / f"bench-{name}", "--first-call"], check=True,
                                  capture_output=True, env=harness.environment(name))
            values[name][0].append(float(done.stdout))
            values[name][1].append(time.monotonic_ns() - start)
    points = {point: {name: {"ns": statistics.median(value[k]), "rounds": value[k]}
                      for name, value in values.items()}
              for k, point in enumerate(["first-call", "process"])}
    return {"name": "cold", "kind": 0, "points": points,
            "title": "A new process: threads made and one small loop run; the whole process"}


def scaling(options, names, order):
    """From one thread to as many as there are CPUs."""
    cpus = len(os.sched_getaffinity(0))
    counts = sorted({min(2 ** k, cpus) for k in range(cpus.bit_length() + 1)})
    asked = ["fixed 100000"] if options.quick else ["fixed 10000", "fixed 100000", "stream triad",
                                                    "nbody 1024", "irregular lognormal"]
    rounds = options.rounds or (3 if options.quick else 5)
    seconds = options.seconds or (0.01 if options.quick else 0.05)
    points = {}
    for count in counts:
        able = [name for name in names if name != "serial" or count == 1]
        with harness.Processes(options, able, count) as processes:
            for what in asked:
                values = {name: [] for name in able}
                for _ in range(rounds):
                    order.shuffle(able)
                    for name in able:
                        answer = processes.all[name].ask(f"{what} {seconds}")
                        if answer["ok"]:
                            values[name].append(answer["ns"])
                points[f"{what.replace(' ', '-')} x{count}"] = {
                    name: {"ns": statistics.median(value), "rounds": value} if value else
                          {"fault": "wrong result"}
                    for name, value in values.items()}
    return {"name": "scaling", "kind": 0, "title": "By threads", "points": dict(sorted(points.items()))}


def copies(options, names, order):
    """Several copies of one program at the same time, none with CPUs of its own."""
    asked = ["fixed 2000", "fixed 10000"] + ([] if options.quick else ["fixed 100000", "stream triad", "nbody 1024"])
    rounds = options.rounds or (3 if options.quick else 9)
    seconds = options.seconds or (0.05 if options.quick else 0.2)
    names = names + (list(tables.PARA_IN_OTHER_WAYS) if "para" in names else [])
    points = {}
    for count in (2, 4):
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(harness.Processes(options, names, options.threads)).all
                       for _ in range(count)]
            for what in asked:
                values = {name: [] for name in names}
                for _ in range(rounds):
                    order.shuffle(shuffled := list(names))
                    for name in shuffled:
                        for processes in running:
                            processes[name].begin(f"{what} {seconds}")
                        answers = [processes[name].answer() for processes in running]
                        if all(answer["ok"] for answer in answers):
                            values[name].append(statistics.mean(answer["ns"] for answer in answers))
                points[f"{what.replace(' ', '-')} x{count}"] = {
                    name: {"ns": statistics.median(value), "rounds": value} if value else
                          {"fault": "wrong result"}
                    for name, value in values.items()}
    return {"name": "copies", "kind": 0, "points": dict(sorted(points.items())),
            "title": "Several copies of a program at once: a call in each"}


WORKLOADS = {"copies": copies, "cold": cold, "scaling": scaling}

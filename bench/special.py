"""Workloads that are not a point asked of a running process: the first call of a process, several
copies of one program, a CPU quota, and scaling."""
import contextlib
import os
import statistics
import subprocess
import time

import harness
import tables


def measure(running, line, rounds, order):
    """The row of a point: in each round, each runtime's processes are asked at once."""
    values = {name: [] for name in running}
    for _ in range(rounds):
        order.shuffle(shuffled := list(running))
        for name in shuffled:
            for process in running[name]:
                process.begin(line)
            answers = [process.answer() for process in running[name]]
            if all(answer["ok"] for answer in answers):
                values[name].append(statistics.mean(answer["ns"] for answer in answers))
    return {name: {"ns": statistics.median(value), "rounds": value} if value else {"fault": "wrong result"}
            for name, value in values.items()}


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
                points[f"{what.replace(' ', '-')} x{count}"] = measure(
                    {name: [processes.all[name]] for name in able}, f"{what} {seconds}", rounds, order)
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
                points[f"{what.replace(' ', '-')} x{count}"] = measure(
                    {name: [processes[name] for processes in running] for name in names},
                    f"{what} {seconds}", rounds, order)
    return {"name": "copies", "kind": 0, "points": dict(sorted(points.items())),
            "title": "Several copies of a program at once: a call in each"}


def quota(options, names, order):
    """In a control group that may use half a CPU less than there are, and one and a half."""
    cpus = len(os.sched_getaffinity(0))
    rounds = options.rounds or (3 if options.quick else 9)
    seconds = options.seconds or (0.2 if options.quick else 0.5)  # several of the kernel's periods of 0.1 s
    names = names + (["para-one"] if "para" in names else [])
    points = {}
    for share in sorted({1.5, cpus - 0.5}) if cpus > 1 else []:
        with harness.quota(share) as group:
            if not group:
                print("Left out, as no control group with a quota can be made here: quota.")
                break
            with harness.Processes(options, names, options.threads, group=group) as processes:
                for what in ["fixed 10000"] if options.quick else ["fixed 2000", "fixed 10000", "fixed 100000"]:
                    points[f"{what.replace(' ', '-')} of {share}"] = measure(
                        {name: [processes.all[name]] for name in names}, f"{what} {seconds}", rounds, order)
    return {"name": "quota", "kind": 0, "points": points, "title": "With a CPU quota that is a fraction"}


WORKLOADS = {"copies": copies, "quota": quota, "cold": cold, "scaling": scaling}

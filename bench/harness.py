"""The processes of runtimes, CPU hogs, and what machine this is."""
import contextlib
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time

import tables

ROOT = pathlib.Path(__file__).resolve().parent.parent
WARM_SECONDS = 0.15
WARMING = {"bench": "fixed 10000", "locks": "mutex uncontended", "tasks": "submit 1x0us"}


def environment(name):
    """OpenMP's threads are bound, as its users are told to do; all else is as the runtime comes."""
    result = {key: value for key, value in os.environ.items()
              if not key.startswith(("OMP_", "GOMP_", "KMP_", "PARA_", "TBB_"))}
    if name.startswith(("gomp", "libomp", "para-openmp")):
        result["OMP_PROC_BIND"] = "true"
    for policy in ("active", "passive"):
        if name.endswith(f"-{policy}"):
            result["OMP_WAIT_POLICY"] = policy
    return result | tables.PARA_IN_OTHER_WAYS.get(name, {})


def program_of(family, name):
    return f"{family}-para" if name in tables.PARA_IN_OTHER_WAYS else f"{family}-{name}"


class Process:
    """A runtime or a library's locks. Stopped except while it answers."""

    def __init__(self, program, name, threads):
        arguments = [program] + (["--threads", str(threads)] if threads else [])
        self.name = name
        self.child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      env=environment(name), text=True)

    def begin(self, line):
        self.line = line
        self.child.send_signal(signal.SIGCONT)
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def answer(self):
        answer = self.child.stdout.readline()
        if not answer:
            sys.exit(f"bench: {self.name} ended while running {self.line}")
        self.child.send_signal(signal.SIGSTOP)
        return json.loads(answer)

    def ask(self, line):
        self.begin(line)
        return self.answer()

    def end(self):
        self.child.kill()
        self.child.wait()


class Processes:
    """A process for each name, warm."""

    def __init__(self, options, names, threads, family="bench"):
        self.all = {}
        warm = WARM_SECONDS if options.seconds is None else options.seconds
        try:
            for name in names:
                self.all[name] = Process(options.build / "bench" / program_of(family, name), name, threads)
                self.all[name].ask(f"{WARMING[family]} {warm}")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.all.values():
            process.end()


@contextlib.contextmanager
def hogs(count):
    """So many programs that keep a CPU busy, each."""
    command = [sys.executable, "-c", "while True: pass"]
    if shutil.which("stress-ng"):
        command = ["stress-ng", "--quiet", "--cpu", "1"]
    running = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    if count:
        time.sleep(0.2)
    try:
        yield
    finally:
        for hog in running:
            os.killpg(hog.pid, signal.SIGKILL)
            hog.wait()


def first_line_of(command):
    """What a command says; "" if it cannot be run."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip().split("\n")[0]


def machine():
    model = platform.machine()
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    commit = first_line_of(["git", "rev-parse", "--short", "HEAD"])
    if commit and first_line_of(["git", "status", "--porcelain"]):
        commit += " with changes"
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
            "compiler": first_line_of(["gcc", "--version"]), "commit": commit or "none",
            "date": time.strftime("%Y-%m-%d")}

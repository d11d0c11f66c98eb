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

    def __init__(self, program, name, threads, group=None):
        arguments = [program] + (["--threads", str(threads)] if threads else [])
        if group:  # entered before the program reads its quota
            arguments = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', group / "cgroup.procs"] + arguments
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
    """A process for each name, warm; all in a control group, if one is given."""

    def __init__(self, options, names, threads, family="bench", group=None):
        self.all = {}
        warm = WARM_SECONDS if options.seconds is None else options.seconds
        try:
            for name in names:
                self.all[name] = Process(options.build / "bench" / program_of(family, name), name, threads,
                                         group)
                self.all[name].ask(f"{WARMING[family]} {warm}")
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.all.values():
            process.end()


# Control groups with a quota: where they are, and what is written into which file. Version 2 first.
GROUPS = (("/sys/fs/cgroup", "cpu.max", "{quota} 100000"), ("/sys/fs/cgroup/unified", "cpu.max", "{quota} 100000"),
          ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "{quota}"),
          ("/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us", "{quota}"))


@contextlib.contextmanager
def quota(cpus):
    """The directory of a control group that has so many CPUs; None where none can be made."""
    made = None
    for root, name, text in GROUPS:
        group = pathlib.Path(root) / f"para-bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            with open(group / name, "r+") as file:  # else it is not such a directory
                file.write(text.format(quota=round(cpus * 100000)))
            made = group
            break
        except OSError:
            group.rmdir()
    try:
        yield made
    finally:
        if made:
            made.rmdir()


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

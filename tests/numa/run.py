#!/usr/bin/python3
"""Boots Linux in an emulator, on machines with several NUMA nodes, and runs checks there.

usage: run.py KERNEL CHECK-PROGRAM [--quick] [--machine NAME] [--only WORDS] [--jobs N] [--show]

Prints a table of machine, check, result and what was found. Exit status: 0 all hold, 1 one falls
short or a guest did not come to its end, 2 misused. --quick: the machines and checks that every
change has to pass. --only: the checks in whose name these words are. --jobs: guests at a time; the
host's CPUs, if it is not said. --show: also what a guest prints."""

import argparse
import concurrent.futures
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MEGABYTES = 320  # of each node: every CPU of many keeps some of it
BOOT_SECONDS = 600  # a guest's whole life, of 16 CPUs at most; a host with other work is slow

# Distances between two nodes of a socket, and between sockets, where they differ.
NEAR, FAR, FARTHER = 12, 21, 22


class Machine:
    """CPUs and memory of each node, and how they hang together."""

    def __init__(self, cpus, memory=None, smp="", cores=None, caches=1, bandwidth=None, quick=False,
                 megabytes=MEGABYTES, boot=""):
        self.cpus = cpus  # of each node
        self.memory = memory or [True] * len(cpus)
        self.smp = smp  # further properties of QEMU's -smp
        self.cores, self.caches = cores or sum(cpus), caches  # that make so many cores and L3 caches
        self.bandwidth = bandwidth  # of each node, MB/s; the last one stands by the first
        self.quick = quick
        self.megabytes, self.boot = megabytes, boot  # of each node; further parameters of the kernel

    def distance(self, a, b):
        if a // 2 == b // 2:
            return NEAR
        return FAR if a % 2 == b % 2 else FARTHER

    def words(self):
        """Variables of the guest, which checks use: CPUs of every node that has some, CPUs from the
        first node's second one into the second node, all but some at both ends, every other CPU as
        places, as the pool is told, as lists, and those lists that are in the mask, the last CPU, all,
        and how many workers lose their core if a CPU is switched off."""
        ends = [(end - cpus, end) for end, cpus in
                zip(itertools.accumulate(self.cpus), self.cpus) if cpus]
        across = sorted({cpu for first, end in ends for cpu in (first + 1, end - 1)})
        into = (sum(ends[1]) if len(ends) > 1 else ends[0][1]) // 2
        return {"across": ",".join(map(str, across)), "masked": f"1-{into}", "inner": f"2-{ends[-1][1] - 2}",
                "places": f"{{0}}:{ends[-1][1] // 2}:2", "even": "|".join(map(str, range(0, ends[-1][1], 2))),
                "even_inner": "|".join(map(str, range(2, ends[-1][1] - 1, 2))), "last": str(ends[-1][1] - 1),
                "all": f"0-{ends[-1][1] - 1}", "lost": str(int(self.cores == ends[-1][1]))}

    def check(self):
        """A command that tells whether the guest sees them."""
        return ("cores=$(cat $cpu/cpu*/topology/core_cpus_list | sort -u | wc -l); "
                "caches=$(cat $cpu/cpu*/cache/index3/shared_cpu_list | sort -u | wc -l); "
                "echo $cores cores, $caches L3; "
                f"[ $cores = {self.cores} ] && [ $caches = {self.caches} ]")

    def arguments(self):
        """The machine, as QEMU's options."""
        nodes = range(len(self.cpus))
        yield from ("-smp", f"{sum(self.cpus)}{self.smp}")
        yield from ("-m", f"{sum(self.memory) * self.megabytes}M")
        first = 0
        for node, cpus, memory in zip(nodes, self.cpus, self.memory):
            words = f"node,nodeid={node}"
            if cpus:
                words += f",cpus={first}-{first + cpus - 1}"
                first += cpus
            if memory:
                yield from ("-object", f"memory-backend-ram,id=memory{node},size={self.megabytes}M")
                words += f",memdev=memory{node}"
            if self.bandwidth:
                words += f",initiator={node if cpus else 0}"
            yield from ("-numa", words)
        for a, b in itertools.combinations(nodes, 2):
            yield from ("-numa", f"dist,src={a},dst={b},val={self.distance(a, b)}")
        if self.bandwidth:
            yield from ("-machine", "hmat=on")
        for node in nodes if self.bandwidth else ():
            link = f"hmat-lb,initiator={node if self.cpus[node] else 0},target={node}"
            yield from ("-numa", f"{link},hierarchy=memory,data-type=access-latency,latency=100")
            yield from ("-numa", f"{link},hierarchy=memory,data-type=access-bandwidth,"
                                 f"bandwidth={self.bandwidth[node]}M")


MACHINES = {
    "4 nodes x 2 cores": Machine([2, 2, 2, 2], quick=True),
    "2 sockets x 2 nodes": Machine([2, 2, 2, 2], smp=",sockets=2,cores=4", caches=2),
    "2 threads a core": Machine([4, 4], smp=",sockets=2,cores=2,threads=2", cores=4, caches=2),
    "2 L3 a node": Machine([4, 4], smp=",sockets=2,dies=2,cores=2", caches=4),
    "a node without memory": Machine([2, 2, 2, 2], memory=[1, 1, 1, 0], quick=True),
    "a node without CPUs": Machine([2, 2, 2, 0]),
    "memory on the package": Machine([6, 0], bandwidth=[10000, 40000]),
    # The second node has an aligned GiB in which neither the kernel nor its archive lies.
    "a 1 GiB page": Machine([2, 2], megabytes=2048, boot="hugepagesz=1G hugepages=1"),
    "4 nodes x 8 cores": Machine([8, 8, 8, 8]),
    "4 nodes x 10 cores": Machine([10, 10, 10, 10]),
}

# A check's name and its command in the guest. $part is a control group, $cpu the kernel's folder of
# CPUs; $masked and others are of Machine.words. Groups and CPUs are put back.
LIMITED = "echo $$ >$part/cgroup.procs; "
BOUND = "PARA_PROC_BIND=core numa_check "
OFTEN = "for i in 1 2 3; do "
CHECKS = {
    "pins": "numa_check pins",
    "pages by slices": "numa_check slices",
    "pages interleaved": "numa_check interleaved",
    "pages on node 1": "numa_check on-node 1",
    "an array that moves": "numa_check moved",
    "an array that moves apart": "numa_check moved-apart",
    "huge pages that move apart": "numa_check huge-moved-apart",
    "an array that others share": "numa_check shared",
    "an array larger than a node": "numa_check too-large 300",
    "a balanced array": "echo 1 >/proc/sys/kernel/numa_balancing; numa_check balanced",
    "huge pages": "echo 16 >/proc/sys/vm/nr_hugepages; numa_check pages-of-2m 2048",
    "no huge pages": "echo 0 >/proc/sys/vm/nr_hugepages; numa_check pages-of-2m 4",
    "too few huge pages": "echo 4 >/proc/sys/vm/nr_hugepages; numa_check pages-of-2m 4; status=$?; "
                          "echo 0 >/proc/sys/vm/nr_hugepages; exit $status",
    "no 1 GiB pages": "numa_check pages-of-1g 4",
    "chunks at home": "PARA_PROC_BIND=core numa_check home 85",  # 88 to 97 on a busy host; else 25
    "half of the workers": "PARA_PROC_BIND=core numa_check narrow-home 75",
    "stacks at home": "numa_check stacks 90",
    "scratch at home": "numa_check scratch 75",
    "folds at home": "PARA_PROC_BIND=core numa_check folds 90",
    "the same bits": "numa_check bits",
    "masked: pins": "taskset -c $masked numa_check pins",
    "masked: pages": "taskset -c $masked numa_check slices",
    "across nodes: pins": "taskset -c $across numa_check pins",
    "across nodes: pages": "taskset -c $across numa_check slices",
    "one CPU: pins": "taskset -c $last numa_check pins",
    "one CPU: pages": "taskset -c $last numa_check slices",
    "one CPU: pages on node 1": "taskset -c $last numa_check on-node 1",
    "one CPU: pages interleaved": "taskset -c $last numa_check interleaved",
    "one rank": "numa_check ranks 1",
    "2 ranks": "numa_check ranks 2",
    "4 ranks": "numa_check ranks 4",
    "4 ranks, cores in turn": "numa_check ranks-in-turn 4",
    # Two of them on a CPU; without BOUND one may give up its pin, as it should.
    "4 ranks that overlap": BOUND + "ranks-that-overlap 4",
    "4 ranks of one CPU": "numa_check ranks-of-one-cpu 4",
    "another mask": "numa_check pins 0 'taskset -p -c $masked $PPID'",
    "another cpuset": LIMITED + "numa_check pins 0 'echo $masked >$part/cpuset.cpus'",
    "another quota": LIMITED + "numa_check unpinned 2 'echo 250000 >$part/cpu.max'",
    "cpuset: pins": LIMITED + "echo $masked >$part/cpuset.cpus; numa_check pins",
    "quota 2.5: threads": LIMITED + "echo 250000 >$part/cpu.max; numa_check unpinned 2",
    "quota 2.5: pages": LIMITED + "echo 250000 >$part/cpu.max; numa_check floating",
    "4 workers: pages": "PARA_NUM_WORKERS=4 numa_check floating",
    "spread: pages": "PARA_NUM_WORKERS=4 PARA_PROC_BIND=spread numa_check spread",
    "places: pages": 'PARA_PLACES=$places numa_check places "$even"',
    "places outside the mask: pages": 'PARA_PLACES=$places taskset -c $inner numa_check places "$even_inner"',
    "CPU 3 unplugged: pins": "echo 0 >$cpu/cpu3/online; numa_check pins",
    "CPU 3 plugged in: pins": "echo 1 >$cpu/cpu3/online; numa_check pins",
    "a CPU less": "numa_check pins 0 'echo 0 >$cpu/cpu3/online'",
    "a CPU more": "numa_check pins 0 'echo 1 >$cpu/cpu3/online'",
    "CPU 2 off and on": BOUND + "pins-return $lost 'echo 0 >$cpu/cpu2/online' 'echo 1 >$cpu/cpu2/online'",
    "cpuset smaller and larger": LIMITED + BOUND + "pins-return 1 'echo $masked >$part/cpuset.cpus' "
                                                   "'echo $all >$part/cpuset.cpus'",
    "CPU 2 off and on in calls": BOUND + "calls-go-on 0 '" + OFTEN +
                                 "echo 0 >$cpu/cpu2/online; echo 1 >$cpu/cpu2/online; done'",
    "cpusets in calls": LIMITED + BOUND + "calls-go-on 0 '" + OFTEN +
                        "echo $masked >$part/cpuset.cpus; echo $all >$part/cpuset.cpus; done'",
    "masks in calls": BOUND + "calls-go-on 0 '" + OFTEN +
                      "taskset -a -p -c $masked $PPID; taskset -a -p -c $all $PPID; done'",
    # Who changes it leaves the group, so that it has time to.
    "quotas in calls": LIMITED + BOUND + "calls-go-on 0 'echo $$ >$part/../cgroup.procs; " + OFTEN +
                       "echo 100000 >$part/cpu.max; sleep 0.1; echo max >$part/cpu.max; done'",
}


# What needs four nodes with CPUs, as many on each.
FOUR_NODES = {
    "thieves go to near nodes": "PARA_PROC_BIND=core numa_check thieves 80",
}

# What only one machine can show.
SPECIAL = {
    "memory on the package": {"the fastest memory": "numa_check by-bandwidth 1"},
    "a 1 GiB page": {"on a 1 GiB page": "numa_check pages-of-1g 1048576"},
}
ONLY_SPECIAL = ("a 1 GiB page",)  # is a machine for these alone


def checks_of(name, machine):
    has_four = machine.cpus.count(machine.cpus[0]) == 4
    general = {} if name in ONLY_SPECIAL else {**CHECKS, **(FOUR_NODES if has_four else {})}
    return {"the machine": machine.check(), **SPECIAL.get(name, {}), **general}


def run(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, **options).stdout


def archive(files):
    """An archive of files, for the kernel to unpack: {name in the guest: path here or text}."""
    with tempfile.TemporaryDirectory() as folder:
        for name, source in files.items():
            place = os.path.join(folder, name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if source.startswith("/"):
                shutil.copy(source, place)
            else:
                with open(place, "w", encoding="ascii") as file:
                    file.write(source)
        names = run(["find", ".", "-mindepth", "1"], cwd=folder)
        return run(["busybox", "cpio", "-o", "-H", "newc"], cwd=folder, input=names)


def libraries(program):
    """The files that the loader needs for it."""
    listed = run(["ldd", program], text=True)
    return re.findall(r"(/\S+) \(", listed)


def guest_files(program):
    files = {"init": os.path.join(HERE, "init"), "bin/busybox": shutil.which("busybox")}
    files["bin/numa_check"] = os.path.abspath(program)
    for path in libraries(program):
        files[("lib64/" if os.path.basename(path).startswith("ld-") else "lib/") +
              os.path.basename(path)] = os.path.realpath(path)
    return files


def boot(kernel, machine, image):
    """What the guest prints."""
    command = ["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none",
               "-serial", "stdio", "-machine", "q35",
               # One thread of the host runs all CPUs of the guest in turn, and goes on to the next
               # where one spins or waits. With a thread for each, guests of many CPUs stand still:
               # a CPU that waits for all others waits for threads that the host does not run.
               "-accel", "tcg,thread=single",
               "-cpu", "max,vendor=GenuineIntel",  # of others it hides threads and dies
               "-kernel", kernel, "-initrd", image,
               # A host with other work may not run the guest while it tests its timer.
               "-append", f"console=ttyS0 quiet panic=-1 no_timer_check {machine.boot}", *machine.arguments()]
    seconds = BOOT_SECONDS * max(1, sum(machine.cpus) / 16)
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=seconds, check=False)
        return done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + "\n(out of time)\n"


def check(name, machine, checks, kernel, base, show):
    """Runs the checks on a machine. Returns their rows, and how many fall short."""
    words = "; ".join(f"export {word}='{value}'" for word, value in machine.words().items())
    plan = "".join(f"{title}\t{words}; {command}\n" for title, command in checks.items())
    begin = time.monotonic()
    with tempfile.NamedTemporaryFile() as image:
        image.write(base + archive({"plan": plan}))
        image.flush()
        printed = boot(kernel, machine, image.name)
    found = {row[1]: row[2:] for row in
             (line.rstrip("\r").split("\t") for line in printed.splitlines())
             if row[0] == "check" and len(row) == 5}
    rows = [printed] if show else []
    short = 0
    for title in checks:
        status, seconds, words = found.get(title, ("?", "", "no answer from the guest"))
        short += status != "0"
        rows.append(f"{name:<22} {title:<31} {'holds' if status == '0' else 'FAILS':<6} "
                    f"{seconds:>5} s  {words}")
    rows.append(f"{name:<22} {time.monotonic() - begin:.0f} s")
    if any(title not in found for title in checks):
        rows.append(printed[-2000:])
    return "\n".join(rows), short


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1][len("usage: "):])
    parser.add_argument("kernel")
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--machine", choices=MACHINES)
    parser.add_argument("--only", default="", metavar="WORDS")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    base = archive(guest_files(options.program))
    begin = time.monotonic()
    short = rows = 0
    guests = []
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as guest_runners:
        # Those of most CPUs take longest, so they begin first.
        for name, machine in sorted(MACHINES.items(), key=lambda item: -sum(item[1].cpus)):
            if options.machine not in (None, name) or options.quick and not machine.quick:
                continue
            checks = {title: command for title, command in checks_of(name, machine).items()
                      if options.only in title}
            if checks:
                guests.append(guest_runners.submit(check, name, machine, checks, options.kernel, base,
                                                   options.show))
            rows += len(checks)
        for guest in concurrent.futures.as_completed(guests):
            table, fallen_short = guest.result()
            print(table, flush=True)
            short += fallen_short
    if not rows:
        print("run.py: no check is of that name on these machines", file=sys.stderr)
        return 2
    print(f"{len(guests)} machines, {rows} checks, {short} fall short, {time.monotonic() - begin:.0f} s")
    if short:
        print(f"{short} checks fall short", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Writes machines as hwloc's XML, after what their makers publish: machines.py FOLDER.

What a synthetic description cannot say: cores of several kinds, memory beside cores, distances,
numbers as the system gives them. Each machine's comment has the source of its shape; topology_machines
has what para should make of it."""
import pathlib
import sys
from xml.sax.saxutils import quoteattr

GIB = 1 << 30


def bits(numbers):
    """A set as hwloc writes it: words of 32 bits, the highest first."""
    value = sum(1 << n for n in set(numbers))
    words = []
    while value or not words:
        words.insert(0, f"0x{value & 0xffffffff:08x}")
        value >>= 32
    return ",".join(words)


class Thing:
    """An object with those below it; memory: those of NUMA nodes that stand by it."""

    def __init__(self, kind, /, *below, os=None, memory=(), **attributes):
        self.kind, self.os, self.memory, self.attributes = kind, os, memory, attributes
        self.below = [thing for group in below for thing in (group if isinstance(group, list) else [group])]

    def cpus(self):
        return [self.os] if self.kind == "PU" else [cpu for thing in self.below for cpu in thing.cpus()]

    def nodes(self):
        return [node for node, _ in self.memory] + [node for thing in self.below for node in thing.nodes()]

    def lines(self, inherited, counter):
        """inherited: the nodes that its CPUs are near to, besides those below."""
        nodes = list(inherited) + [node for node, _ in self.memory]
        all_nodes = nodes + [node for thing in self.below for node in thing.nodes()]
        yield from self.tag(self.kind, self.os, self.cpus(), all_nodes, counter, self.attributes)
        for node, size in self.memory:
            yield from self.tag("NUMANode", node, self.cpus(), [node], counter, {"local_memory": size})
            yield "</object>"
        for thing in self.below:
            yield from thing.lines(nodes, counter)
        yield "</object>"

    @staticmethod
    def tag(kind, os, cpus, nodes, counter, attributes):
        counter.append(None)
        words = {"type": kind, "os_index": os, "cpuset": bits(cpus), "complete_cpuset": bits(cpus),
                 "nodeset": bits(nodes), "complete_nodeset": bits(nodes), "gp_index": len(counter),
                 **attributes}
        if kind == "Machine":
            words.update(allowed_cpuset=bits(cpus), allowed_nodeset=bits(nodes))
        yield f"<object {' '.join(f'{k}={quoteattr(str(v))}' for k, v in words.items() if v is not None)}>"


def cache(level, kib, *below):
    return Thing(f"L{level}Cache", *below, cache_size=kib << 10, depth=level, cache_linesize=64,
                 cache_associativity=16, cache_type=0)


def core(number, *cpus):
    return Thing("Core", [Thing("PU", os=cpu) for cpu in cpus], os=number)


def cores(first, count, second=None, l2=1024):
    """Cores with a second level of their own; CPUs are numbered like cores, and second threads from
    `second` on."""
    return [cache(2, l2, core(n, *([n] if second is None else [n, second + n])))
            for n in range(first, first + count)]


def epyc_9654(nodes_a_socket):
    """Two AMD EPYC 9654: 96 cores each, 12 dies of 8 cores with an L3 of 32 MiB, "nodes per socket"
    1 or 4. AMD, "4th Gen AMD EPYC Processor Architecture"."""
    dies = [cache(3, 32 << 10, cores(8 * die, 8, 192)) for die in range(24)]
    step = 12 // nodes_a_socket
    groups = [Thing("Group", dies[i:i + step], memory=[(i // step, 96 * GIB // nodes_a_socket)], kind=0, subkind=0)
              for i in range(0, 24, step)]
    packages = [Thing("Package", groups[i * nodes_a_socket:(i + 1) * nodes_a_socket], os=i) for i in range(2)]
    if nodes_a_socket == 1:
        packages = [Thing("Package", dies[12 * i:12 * i + 12], os=i, memory=[(i, 384 * GIB)]) for i in range(2)]
    return packages, [], [10, 12, 32]


def xeon_8490h():
    """Two Intel Xeon Platinum 8490H: 60 cores, sub-NUMA clusters of 15 cores with a part of the L3
    each. Intel, "Xeon Scalable Processor Family Technical Overview" (4th generation)."""
    clusters = [Thing("Group", cache(3, 28800, cores(15 * i, 15, 120, 2048)), memory=[(i, 64 * GIB)], kind=0, subkind=0)
                for i in range(8)]
    return [Thing("Package", clusters[4 * i:4 * i + 4], os=i) for i in range(2)], [], [10, 12, 21]


def core_i9_13900k():
    """Intel Core i9-13900K: 8 fast cores of two threads, CPUs 0 to 15, and 16 slow ones in groups of
    four with a common L2. Intel's product page; numbers as Linux gives them."""
    fast = [cache(2, 2048, core(n, 2 * n, 2 * n + 1)) for n in range(8)]
    slow = [cache(2, 4096, [core(8 + 4 * i + n, 16 + 4 * i + n) for n in range(4)]) for i in range(4)]
    return [Thing("Package", cache(3, 36 << 10, fast, slow), os=0, memory=[(0, 64 * GIB)])], \
        [range(16, 32), range(16)], None


def core_ultra_7_155h():
    """Intel Core Ultra 7 155H: 6 fast cores of two threads and 8 slow ones share the L3; two more on
    another tile have none. Intel's product page; numbers as Linux gives them."""
    fast = [cache(2, 2048, core(n, 2 * n, 2 * n + 1)) for n in range(6)]
    slow = [cache(2, 2048, [core(6 + 4 * i + n, 12 + 4 * i + n) for n in range(4)]) for i in range(2)]
    least = cache(2, 2048, core(14, 20), core(15, 21))
    return [Thing("Package", cache(3, 24 << 10, fast, slow), least, os=0, memory=[(0, 32 * GIB)])], \
        [range(20, 22), range(12, 20), range(12)], None


def ryzen_ai_9_hx_370():
    """AMD Ryzen AI 9 HX 370: 4 Zen 5 cores with an L3 of 16 MiB and 8 Zen 5c cores with one of 8 MiB, all
    of two threads. AMD's product page; numbers as Linux gives them."""
    return [Thing("Package", cache(3, 16 << 10, cores(0, 4, 12)), cache(3, 8 << 10, cores(4, 8, 12)), os=0,
                  memory=[(0, 32 * GIB)])], \
        [[*range(4, 12), *range(16, 24)], [*range(4), *range(12, 16)]], None


def grace_hopper():
    """NVIDIA GH200: 72 Neoverse V2 cores with one L3 and 480 GB, and the memory of the GPU as a node
    without CPUs. NVIDIA, "Grace Hopper Superchip Architecture" (white paper)."""
    return [Thing("Package", cache(3, 114 << 10, cores(0, 72)), os=0, memory=[(0, 480 * GIB), (1, 96 * GIB)])], \
        [], [10, 40, 80]


def xeon_max_9480():
    """Two Intel Xeon Max 9480 in flat mode: 56 cores and 64 GiB of memory on each package, which is a
    node without CPUs of its own. Intel, "Xeon CPU Max Series Configuration and Tuning Guide":
    nodes 0 and 1 are DDR, 2 and 3 HBM."""
    return [Thing("Package", cache(3, 115200, cores(56 * i, 56, 112, 2048)), os=i,
                  memory=[(i, 256 * GIB), (2 + i, 64 * GIB)]) for i in range(2)], [], [10, 13, 21]


MACHINES = {"epyc-9654": epyc_9654(1), "epyc-9654-nps4": epyc_9654(4), "xeon-8490h-snc4": xeon_8490h(),
            "core-i9-13900k": core_i9_13900k(), "core-ultra-7-155h": core_ultra_7_155h(),
            "ryzen-ai-9-hx-370": ryzen_ai_9_hx_370(), "grace-hopper": grace_hopper(),
            "xeon-max-9480": xeon_max_9480()}


def distances(packages, own, near, far):
    """Of each node to each, by whether they stand by one package."""
    package_of = {node: i for i, package in enumerate(packages) for node in package.nodes()}
    nodes = sorted(package_of)
    values = [own if a == b else near if package_of[a] == package_of[b] else far for a in nodes for b in nodes]
    yield f'<distances2 type="NUMANode" nbobjs="{len(nodes)}" kind="5" name="NUMALatency" indexing="os">'
    for tag, numbers in (("indexes", nodes), ("u64values", values)):
        text = " ".join(map(str, numbers)) + " "
        yield f'<{tag} length="{len(text)}">{text}</{tag}>'
    yield "</distances2>"


def text_of(packages, kinds, distance):
    machine = Thing("Machine", packages, os=0)
    yield from ('<?xml version="1.0" encoding="UTF-8"?>', '<!DOCTYPE topology SYSTEM "hwloc2.dtd">',
                '<topology version="2.0">')
    yield from machine.lines([], [])
    if distance:
        yield from distances(packages, *distance)
    for efficiency, cpus in enumerate(kinds):
        yield f'<cpukind cpuset="{bits(cpus)}" forced_efficiency="{efficiency}"/>'
    yield "</topology>"


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, description in MACHINES.items():
        (folder / f"{name}.xml").write_text("\n".join(text_of(*description)) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()

"""The targets that para has set itself, and how a run's figures stand to them."""
import operator

from tables import NO_PEERS, number, ratio


class Run:
    """The points of a run in which para, serial and perhaps peers were measured."""

    def __init__(self, result):
        self.points = {workload["name"]: {point: row for point, row in workload["points"].items()
                                          if "ns" in row.get("para", {})}
                       for workload in result["workloads"]}

    def rows(self, workload, keep=lambda point, row: True):
        return {point: row for point, row in self.points.get(workload, {}).items() if keep(point, row)}


def to_peer(row):
    return ratio(row, [name for name in row if name not in NO_PEERS])


def worst_to_peer(rows, limit, misses=operator.gt):
    """(measured, met): the largest ratio of para to the best peer among rows; None without peers."""
    ratios = {point: to_peer(row) for point, row in rows.items() if to_peer(row) is not None}
    if not ratios:
        return None
    worst = max(ratios, key=ratios.get)
    missed = sum(misses(value, limit) for value in ratios.values())
    text = f"at most {ratios[worst]:.2f}, at {worst}"
    if missed:
        text += f"; above in {missed} of {len(ratios)}"
    return text, not missed


def worst_to(best, rows, factor, more_ns):
    """Likewise against factor x time + more_ns, where best(row) is (whose time, time)."""
    if not rows:
        return None
    over = {point: row["para"]["ns"] / (factor * best(row)[1] + more_ns) for point, row in rows.items()}
    worst = max(over, key=over.get)
    missed = sum(value > 1 for value in over.values())
    name, ns = best(rows[worst])
    text = f"worst {worst}: {number(rows[worst]['para']['ns'])} ns, {name} {number(ns)} ns"
    if missed:
        text += f"; above in {missed} of {len(over)}"
    return text, not missed


def worst_to_serial(rows, factor, more_ns):
    return worst_to(lambda row: ("serial", row["serial"]["ns"]), rows, factor, more_ns)


def worst_to_best(rows, factor, more_ns):
    """Against the faster of serial and the best peer."""
    def best(row):
        return min(((name, figures["ns"]) for name, figures in row.items()
                    if name not in ("para", "floor") and "ns" in figures), key=lambda entry: entry[1])
    return worst_to(best, rows, factor, more_ns)


def built_in_copy(run):
    """How much faster para's copy with stores past the caches is than the best peer's plain copy."""
    rows = run.rows("stream")
    if "copy" not in rows or "copy-past" not in rows:
        return None
    peers = [entry["ns"] for name, entry in rows["copy"].items() if name not in NO_PEERS and "ns" in entry]
    if not peers:
        return None
    gain = min(peers) / rows["copy-past"]["para"]["ns"]
    return f"{gain:.2f} x", gain >= 1.2


def alone(run):
    rows = run.rows("fixed", lambda point, row: point == "20")
    return worst_to_serial(rows, 1, 30)


def even_at(rows, name):
    """Serial time from which on that runtime is faster, between the two points around it; None if it
    is not at any, 0 if it is at all."""
    slower = [k for k, row in enumerate(rows) if row[name]["ns"] >= row["serial"]["ns"]]
    if not slower:
        return 0
    if slower[-1] == len(rows) - 1:
        return None
    last, first = rows[slower[-1]], rows[slower[-1] + 1]
    loss, gain = (abs(row[name]["ns"] - row["serial"]["ns"]) for row in (last, first))
    return last["serial"]["ns"] + (first["serial"]["ns"] - last["serial"]["ns"]) * loss / (loss + gain)


def break_even(run):
    """Para's, and beside it that of the floor, if it was measured."""
    rows = sorted(run.rows("fixed").values(), key=lambda row: row["serial"]["ns"])
    if not rows:
        return None
    texts = []
    for name in ("para", "floor"):
        if all("ns" in row.get(name, {}) for row in rows):
            at = even_at(rows, name)
            texts.append("at none" if at is None else f"{number(at)} ns")
    at = even_at(rows, "para")
    return "; the floor: ".join(texts), at is not None and at <= 450


def locks(run, keep):
    """To the better of the two peers that the target names."""
    rows = run.rows("mutex", lambda point, row: keep(point))
    named = {point: {name: row[name] for name in ("para", "posix", "nsync") if name in row}
             for point, row in rows.items()}
    return worst_to_peer(named, 1.0)


def hogs(run):
    rows = run.rows("hogs")
    found = worst_to_peer(rows, 1.0)
    if not found:
        return None
    longest = max(row["para"]["longest_ns"] for row in rows.values())
    return f"{found[0]}; longest call {longest / 1e6:.1f} ms", found[1]


def idle(run):
    rows = run.rows("idle")
    used = max((row["para"]["ns"] for row in rows.values()), default=None)
    return None if used is None else (f"{used / 1e6:.2f} ms", used <= 1e6)


def memory(run):
    rows = run.rows("memory").values()
    if not rows:
        return None
    allocations = sum(row["para"]["allocations"] for row in rows)
    growth = max(row["para"]["resident_growth_bytes"] for row in rows)
    met = allocations == 0 and growth < 1 << 20
    return f"{allocations:.0f} allocations, {growth / 1024:.0f} KiB more resident", met


def between(least, most):
    return lambda point, row: least <= row["serial"]["ns"] <= most


PROGRAMS = ("nbody", "cg", "jacobi", "gauss-seidel", "lu", "black-scholes", "kmeans", "mandelbrot")


def programs(run):
    rows = {f"{name} {point}": row for name in PROGRAMS for point, row in run.rows(name).items()}
    return worst_to_best(rows, 1.05, 0)


PORTS = ("port-hotspot", "port-md", "port-kmeans", "port-nw", "port-cg", "port-equalise")


def ports(run):
    rows = {f"{name} {point}": row for name in PORTS for point, row in run.rows(name).items()}
    return worst_to_best(rows, 1.05, 0)


def copies(run):
    ways = {point: {name: row[name] for name in ("para", "para-one", "para-unbound") if name in row}
            for point, row in run.rows("copies").items()}
    return worst_to_peer(ways, 1.10)


def quota(run):
    ways = {point: {name: row[name] for name in ("para", "para-one") if name in row}
            for point, row in run.rows("quota").items()}
    return worst_to_peer(ways, 1.05)


def algorithms(run):
    return worst_to_peer({f"{name} {point}": row for name in ("scan", "filter", "sort")
                          for point, row in run.rows(name).items()}, 1.0)


TASKS_A_SECOND = ("tasks", "fibonacci", "tree", "quicksort", "queens")


def tasks_a_second(run):
    return worst_to_peer({f"{name} {point}": row for name in TASKS_A_SECOND
                          for point, row in run.rows(name).items()}, 1.0)


def beside_tasks(run):
    """Calls beside queued tasks, against the same calls without."""
    rows = {point: row["para"] for point, row in run.rows("beside").items()}
    if not rows:
        return None
    ratios = {point: figures["ns"] / figures["without_ns"] for point, figures in rows.items()}
    worst = max(ratios, key=ratios.get)
    return f"at most {ratios[worst]:.2f} x, beside {worst}", ratios[worst] <= 1.1


def on_openmp(rows, limit, misses):
    """Para on OpenMP's threads against a plain loop on them, which gcc divides evenly."""
    both = {point: {"para": row["para-openmp"], "gomp-static": row["gomp-static"]} for point, row in rows.items()
            if "ns" in row.get("para-openmp", {}) and "ns" in row.get("gomp-static", {})}
    return worst_to_peer(both, limit, misses)


def all_of(result):
    """[(name, what, measured, met)] for the targets that the run has figures for."""
    run = Run(result)
    table = [
        ("F1", "a call that runs alone <= serial + 30 ns", alone(run)),
        ("F2", "fixed work <= 1.00 x the best peer", worst_to_peer(run.rows("fixed"), 1.0)),
        ("F2", "of 80 to 700 ns <= 0.85 x", worst_to_peer(run.rows("fixed", between(80, 700)), 0.85)),
        ("F3", "faster than serial from 450 ns of work", break_even(run)),
        ("F4", "warm <= 1.05 x serial + 30 ns", worst_to_serial(run.rows("grid"), 1.05, 30)),
        ("F4", "first call <= 1.15 x serial + 5 us", worst_to_serial(run.rows("grid-cold"), 1.15, 5000)),
        ("F4", "changed from call to call <= 1.15 x serial + 5 us",
         worst_to_serial(run.rows("alternating"), 1.15, 5000)),
        ("F5", "STREAM beyond the caches <= 1.00 x the best peer",
         worst_to_peer(run.rows("stream", lambda point, row: "cache" not in point), 1.0)),
        ("F5", "copy by the built-in kernel >= 1.2 x the best peer's plain one", built_in_copy(run)),
        ("F6", "irregular <= 1.03 x the best peer", worst_to_peer(run.rows("irregular"), 1.03)),
        ("F7", "deterministic sum and dot <= 1.02 x the best peer", worst_to_peer(run.rows("sum"), 1.02)),
        ("F8", "beside CPU hogs <= 1.00 x the best peer", hogs(run)),
        ("F9", "idle for 1 s <= 1 ms of CPU", idle(run)),
        ("F10", "no allocation in warm calls, memory flat", memory(run)),
        ("F11", "threads that call at once <= 1.00 x the best peer", worst_to_peer(run.rows("callers"), 1.0)),
        ("F11", "loops within a loop <= 1.00 x the best peer", worst_to_peer(run.rows("nested"), 1.0)),
        ("F12", "mutex lock+unlock uncontended <= 1.00 x pthread_mutex and nsync",
         locks(run, lambda point: point == "uncontended")),
        ("F12", "contended at 2, 4, 16 threads <= 1.00 x", locks(run, lambda point: point != "uncontended")),
        ("F13", "first call in a process <= 1.00 x the best of serial and peers + 100 us",
         worst_to_best(run.rows("cold", lambda point, row: point == "first-call"), 1.0, 1e5)),
        ("F13", "a whole small process likewise",
         worst_to_best(run.rows("cold", lambda point, row: point == "process"), 1.0, 1e5)),
        ("F14", "programs <= 1.05 x the best of serial and peers", programs(run)),
        ("F16", "one task, submit to result <= 1.00 x the best peer", worst_to_peer(run.rows("submit"), 1.0)),
        ("F17", "tasks a second likewise", tasks_a_second(run)),
        ("F19", "calls beside queued tasks <= 1.10 x without", beside_tasks(run)),
        ("F22", "even loops on OpenMP's threads <= 1.05 x gcc's own",
         on_openmp(run.rows("fixed"), 1.05, operator.gt)),
        ("F22", "uneven ones < 1.00 x", on_openmp(run.rows("irregular"), 1.0, operator.ge)),
        ("F28", "copies of a program <= 1.10 x the best of one worker and no binding", copies(run)),
        ("F29", "with a fractional CPU quota <= 1.05 x one worker", quota(run)),
        ("F25", "few dear units <= 1.05 x the best of serial and peers + 5 us",
         worst_to_best(run.rows("few-dear"), 1.05, 5000)),
        ("F25", "a kernel call with a price likewise", worst_to_best(run.rows("call-price"), 1.05, 5000)),
        ("F25", "a lock in each element likewise", worst_to_best(run.rows("contended-kernel"), 1.05, 5000)),
        ("F26", "scan, filter, sort <= 1.00 x the best peer", algorithms(run)),
        ("F27", "ported programs <= 1.05 x the best of serial and OpenMP", ports(run)),
    ]
    return [(name, what) + found for name, what, found in table if found]

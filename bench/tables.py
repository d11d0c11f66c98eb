"""Figures as tables, for the terminal and for Markdown."""
# The programs of a family, PREFIX-NAME, have the same workloads.
FAMILIES = {"bench": ["para", "para-openmp", "serial", "floor", "gomp-static", "gomp-dynamic", "gomp-guided", "libomp",
                      "gnu", "blocked", "tbb-auto", "tbb-static", "tbb-affinity", "pthreadpool", "pthreadpool-fine",
                      "gomp-active", "gomp-passive", "libomp-dynamic", "libomp-guided", "libomp-passive"],
            "locks": ["para", "posix", "nsync", "std"],
            "tasks": ["para", "serial", "gomp", "libomp", "tbb-group", "tbb-arena", "taskflow", "condvar"]}
ORDER = list(dict.fromkeys(sum(FAMILIES.values(), [])))
# OpenMP in further ways, for the ported programs alone.
ONLY_PORTS = ("gomp-active", "gomp-passive", "libomp-dynamic", "libomp-guided", "libomp-passive")
# para with other settings, beside several copies of itself alone.
PARA_IN_OTHER_WAYS = {"para-one": {"PARA_NUM_WORKERS": "1"}, "para-unbound": {"PARA_PROC_BIND": "false"}}
NO_PEERS = ("para", "para-openmp", "serial", "floor")
NO_LOOPS = ("floor", "gnu", "blocked")  # they run only what they are made for
EACH, LOCKS = 1, 5
# What is shown below a row of times, where there is such a figure.
FIGURES = {"longest_ns": "longest", "allocations": "allocations",
           "resident_growth_bytes": "resident growth bytes", "lock_bytes": "bytes of memory",
           "jain": "fairness (Jain)", "longest_wait_ns": "longest wait", "without_ns": "without tasks"}


def heading(result):
    machine = result["machine"]
    return (f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gib']} GiB, Linux "
            f"{machine['kernel']}; {machine['compiler']}; commit {machine['commit']}, {machine['date']}\n"
            f"{result['command']} (seed {result['seed']})\n"
            "Nanoseconds a call, medians. peer: the fastest of the others but serial and floor.")


def number(value):
    """Three or more significant digits, thousands apart; counts as they are."""
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    if value < 10:
        return f"{value:.2f}"
    if value < 100:
        return f"{value:.1f}"
    return f"{value:,.0f}".replace(",", " ")


def ratio(row, others):
    """Para's time by the least of the others'; None if there is nothing to compare."""
    times = [row[name]["ns"] for name in others if name in row and "ns" in row[name]]
    if "ns" not in row.get("para", {}) or not times or min(times) <= 0:
        return None
    return row["para"]["ns"] / min(times)


def cells(row, names, ratios):
    """A row's texts: a time for each runtime, then the ratios to the best of some others."""
    result = [number(row[name]["ns"]) if "ns" in row.get(name, {}) else "-" for name in names]
    for others in ratios.values():
        value = ratio(row, others)
        result.append(f"{value:.2f}" if value is not None else "-")
    return result


def rows_of(workload):
    """All texts of a table, the names of columns first."""
    points = workload["points"]
    shown = [name for name in ORDER + list(PARA_IN_OTHER_WAYS)
             if any("ns" in row.get(name, {}) for row in points.values())]
    ratios = {"para/peer": [name for name in shown if name not in NO_PEERS]}
    if workload["kind"] != LOCKS:
        ratios["para/serial"] = ["serial"]
    rows = [[workload["name"]] + shown + list(ratios)]
    for point, row in points.items():
        rows.append([point] + cells(row, shown, ratios))
        for figure, text in FIGURES.items():
            if figure == "longest_ns" and workload["kind"] != EACH:
                continue
            if any(figure in figures for figures in row.values()):
                rows.append(["  " + text] + [number(row[name][figure]) if figure in row.get(name, {}) else "-"
                                             for name in shown] + [""] * len(ratios))
    return rows


def workload_table(workload):
    rows = rows_of(workload)
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [f"\n{workload['title']}"]
    for row in rows:
        lines.append("  ".join(text.ljust(width) if k == 0 else text.rjust(width)
                               for k, (text, width) in enumerate(zip(row, widths))).rstrip())
    return "\n".join(lines)


def target_table(targets):
    """Each target, what was measured, and whether it is met."""
    lines = ["\nTargets"]
    for name, what, measured, met in targets:
        lines.append(f"{name:4} {'met ' if met else 'MISS'}  {what}: {measured}")
    return "\n".join(lines)


def markdown_table(workload):
    rows = rows_of(workload)
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" + "--:|" * (len(rows[0]) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows[1:]])

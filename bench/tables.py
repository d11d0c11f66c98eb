"""Figures as tables, for the terminal and for Markdown."""
ORDER = ["para", "serial", "gomp-static", "gomp-dynamic", "gomp-guided", "libomp", "tbb-auto",
         "tbb-static", "tbb-affinity", "pthreadpool", "pthreadpool-fine"]
EACH = 1


def heading(result):
    machine = result["machine"]
    return (f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gib']} GiB, Linux "
            f"{machine['kernel']}; {machine['compiler']}; commit {machine['commit']}, {machine['date']}\n"
            f"{result['command']} (seed {result['seed']})\n"
            "Nanoseconds a call, medians. peer: the fastest runtime but para and serial.")


def number(value):
    """Three or more significant digits, thousands apart."""
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


def cells(row, names):
    """A row's texts: a time for each runtime, then both ratios."""
    result = [number(row[name]["ns"]) if "ns" in row.get(name, {}) else "-" for name in names]
    peers = [name for name in row if name not in ("para", "serial")]
    for others in (peers, ["serial"]):
        value = ratio(row, others)
        result.append(f"{value:.2f}" if value is not None else "-")
    return result


def rows_of(workload, names):
    """All texts of a table, the names of columns first."""
    shown = [name for name in names if any("ns" in row.get(name, {}) for row in workload["points"].values())]
    rows = [[workload["name"]] + shown + ["para/peer", "para/serial"]]
    for point, row in workload["points"].items():
        rows.append([point] + cells(row, shown))
        for figure in ("longest_ns", "allocations", "resident_growth_bytes"):
            if figure == "longest_ns" and workload["kind"] != EACH:
                continue
            if any(figure in figures for figures in row.values()):
                rows.append(["  " + figure.replace("_ns", "").replace("_", " ")] +
                            [number(row[name][figure]) if figure in row.get(name, {}) else "-"
                             for name in shown] + ["", ""])
    return rows


def workload_table(workload, names):
    rows = rows_of(workload, names)
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


def markdown_table(workload, names):
    rows = rows_of(workload, names)
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" + "--:|" * (len(rows[0]) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows[1:]])

"""report.py FILE: writes the figures of a run (run.py --json FILE) into docs/performance.md, between its
marks, and draws docs/plots/*.svg with gnuplot."""
import json
import math
import pathlib
import subprocess
import sys
import textwrap

import tables
import targets

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
PARTS = ("summary", "figures")

# What users come from; of several ways to call one runtime the fastest counts, row by row.
ORIGINS = {"serial loop": ["serial"],
           "OpenMP of gcc": ["gomp", "gomp-static", "gomp-dynamic", "gomp-guided", "gomp-active", "gomp-passive"],
           "OpenMP of LLVM": ["libomp", "libomp-dynamic", "libomp-guided", "libomp-passive"],
           "libstdc++": ["gnu"],
           "parlaylib's way": ["blocked"],
           "oneTBB": ["tbb-auto", "tbb-static", "tbb-affinity", "tbb-group", "tbb-arena"],
           "Taskflow": ["taskflow"],
           "a mutex and a condition": ["condvar"],
           "pthreadpool": ["pthreadpool", "pthreadpool-fine"]}
SHORT_NS = 4000
PROGRAMS = ("nbody", "cg", "jacobi", "gauss-seidel", "lu", "black-scholes", "kmeans", "mandelbrot")
KINDS = (("even loops of up to 4 us", ("fixed",), lambda row: row["serial"]["ns"] <= SHORT_NS),
         ("even loops of more than 4 us", ("fixed",), lambda row: row["serial"]["ns"] > SHORT_NS),
         ("uneven loops", ("irregular",), None),
         ("sums and dot products", ("sum",), None),
         ("scans, filters, sorts", ("scan", "filter", "sort"), None),
         ("streams through memory", ("stream",), None),
         ("loops within a loop", ("nested",), None),
         ("threads that call at once", ("callers",), None),
         ("beside CPU hogs", ("hogs",), None),
         ("whole programs", PROGRAMS, None),
         ("ported programs", targets.PORTS, None),
         ("one task at a time", ("submit",), None),
         ("many tasks", targets.TASKS_A_SECOND, None))
# Nearer figures are equal on a shared machine; what a call costs may show against the serial loop.
EQUAL, CALL_NS = 1.03, 30
STYLE = """set terminal svg size 900,520 dynamic background '#ffffff' font 'sans-serif,13'
set key outside right
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
"""


COLOURS = dict(zip(tables.ORDER, ["#d00000", "#000000", "#888888", "#1f77b4", "#6baed6", "#9ecae1", "#17a589", "#5d6d7e", "#e67e22",
                                  "#f0b27a", "#b9770e", "#7d3c98", "#c39bd3", "#2e7d32", "#81c784", "#0d47a1", "#64b5f6",
                                  "#004d40", "#80cbc4", "#b2dfdb"]))


def workload(result, name):
    return next((w for w in result["workloads"] if w["name"] == name), None)


def columns(points):
    """The runtimes with figures at all points, para first."""
    names = [name for name in next(iter(points.values()))
             if all("ns" in row.get(name, {}) for row in points.values())]
    return sorted(names, key=lambda name: (name != "para", name != "serial"))


def draw(name, commands):
    """Gives gnuplot the commands; True if there is a picture."""
    target = DOCS / "plots" / f"{name}.svg"
    target.parent.mkdir(exist_ok=True)
    try:
        subprocess.run(["gnuplot"], input=f"{STYLE}set output '{target}'\n{commands}\n", text=True, check=True)
    except FileNotFoundError:
        print(f"report: without gnuplot there is no {target.name}", file=sys.stderr)
        return False
    return True


def data(points, names, value):
    """A gnuplot data block: a row for each point, its name and a value for each runtime."""
    lines = ["$data << EOD"]
    for point, row in points.items():
        lines.append(f'"{point}" ' + " ".join(f"{value(row, name):.6g}" for name in names))
    return "\n".join(lines + ["EOD"])


def line(name):
    return f"lw {3 if name == 'para' else 1.5} lc rgb '{COLOURS[name]}'"


def latency(points):
    names = columns(points)
    rows = dict(sorted(points.items(), key=lambda item: item[1]["serial"]["ns"]))
    serial = names.index("serial") + 2
    curves = [f"$data using {serial}:{k + 2} with linespoints pt 7 ps 0.4 {line(name)} title '{name}'"
              for k, name in enumerate(names)]
    return draw("latency", data(rows, names, lambda row, name: row[name]["ns"]) + f"""
set logscale xy
set xlabel 'serial work, ns'
set ylabel 'one call, ns'
plot {', '.join(curves)}""")


def bars(name, points, label):
    """Each runtime's speed as a multiple of serial."""
    names = [n for n in columns(points) if n != "serial"]
    series = [f"$data using {k + 2}:xtic(1) lc rgb '{COLOURS[n]}' title '{n}'" for k, n in enumerate(names)]
    return draw(name, data(points, names, lambda row, n: row["serial"]["ns"] / row[n]["ns"]) + f"""
set style data histograms
set style fill solid 0.85 border
set yrange [0:*]
set xtics rotate by -30
set ylabel '{label}'
plot {', '.join(series)}""")


def pictures(result):
    lines = []
    for name, title, paint in (
            ("irregular", "Irregular loops", lambda p: bars("irregular", p, "speed, serial = 1")),
            ("stream", "STREAM", lambda p: bars("stream", p, "bandwidth, serial = 1"))):
        found = workload(result, name)
        if found and paint(found["points"]):
            lines.append(f"![{title}](plots/{name}.svg)")
    return lines


def mean_ratio(rows, names):
    """How many times as long as para the fastest of these takes: the geometric mean over the rows."""
    ratios = [min(row[n]["ns"] for n in names if "ns" in row.get(n, {})) / row["para"]["ns"]
              for row in rows if any("ns" in row.get(n, {}) for n in names)]
    return f"{math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}" if ratios else "-"


def kind_table(result):
    lines = ["| | rows | " + " | ".join(ORIGINS) + " |", "|---|--:|" + "--:|" * len(ORIGINS)]
    for title, names, keep in KINDS:
        rows = [row for name in names for row in (workload(result, name) or {"points": {}})["points"].values()
                if "ns" in row.get("para", {}) and "ns" in row.get("serial", {}) and (not keep or keep(row))]
        if rows:
            lines.append(f"| {title} | {len(rows)} | " +
                         " | ".join(mean_ratio(rows, names) for names in ORIGINS.values()) + " |")
    return "\n".join(lines)


def losses(result):
    """Every row in which para takes longer than the fastest other, the worst first."""
    found = []
    for w in result["workloads"]:
        for point, row in w["points"].items():
            others = {n: f["ns"] for n, f in row.items() if n not in ("para", "floor") and "ns" in f}
            if "ns" not in row.get("para", {}) or not others:
                continue
            best = min(others, key=others.get)
            allowed = EQUAL * others[best] + (CALL_NS if best == "serial" else 0)
            if row["para"]["ns"] > allowed > 0:
                found.append((row["para"]["ns"] / others[best], f"{w['name']}/{point}", row["para"]["ns"], best,
                              others[best]))
    lines = ["| row | para | fastest other | | ratio |", "|---|--:|--:|---|--:|"]
    for ratio, name, para, best, ns in sorted(found, reverse=True):
        lines.append(f"| {name} | {tables.number(para)} | {tables.number(ns)} | {best} | {ratio:.2f} |")
    return len(found), "\n".join(lines)


def summary(result):
    count, table = losses(result)
    compared = sum("ns" in row.get("para", {}) for w in result["workloads"] for row in w["points"].values())
    fixed = workload(result, "fixed")
    picture = ("![Fork-join with fixed work](plots/latency.svg)\n\n"
               if fixed and latency(fixed["points"]) else "")
    return f"""How many times as long as para each takes: more than 1 means that para is faster. Geometric means
over the rows of the suite; of several schedules or partitioners the fastest counts, row by row.

{kind_table(result)}

{picture}## Where para loses

In {count} of {compared} rows something else is faster by more than 3 %, or the serial loop by that
and 30 ns.

{table}"""


def text(result):
    machine, command, units = tables.heading(result).split("\n")
    parts = [f"{textwrap.fill(machine, 100)}\n\n    {command}\n\n{units}"]
    parts.append("| | target | measured | |\n|---|---|---|---|\n" + "\n".join(
        f"| {name} | {what} | {measured} | {'met' if met else '**missed**'} |"
        for name, what, measured, met in targets.all_of(result)))
    parts += pictures(result)
    for w in result["workloads"]:
        parts.append(f"### {w['title']}\n\n{tables.markdown_table(w)}")
    return "\n\n".join(parts)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    result = json.loads(pathlib.Path(sys.argv[1]).read_text())
    page = DOCS / "performance.md"
    written = page.read_text()
    for part, write in zip(PARTS, (summary, text)):
        begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
        if begin not in written or end not in written:
            sys.exit(f"report: {page} has no {begin} and {end}")
        before, rest = written.split(begin, 1)
        written = f"{before}{begin}\n{write(result)}\n{end}{rest.split(end, 1)[1]}"
    page.write_text(written)


if __name__ == "__main__":
    main()

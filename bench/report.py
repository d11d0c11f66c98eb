"""report.py FILE: writes the figures of a run (run.py --json FILE) into docs/performance.md, between its
two marks, and draws docs/plots/*.svg with gnuplot."""
import json
import pathlib
import subprocess
import sys
import textwrap

import tables
import targets

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
STYLE = """set terminal svg size 900,520 dynamic background '#ffffff' font 'sans-serif,13'
set key outside right
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
"""


COLOURS = dict(zip(tables.ORDER, ["#d00000", "#000000", "#888888", "#1f77b4", "#6baed6", "#9ecae1", "#17a589", "#e67e22",
                                  "#f0b27a", "#b9770e", "#7d3c98", "#c39bd3"]))


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
            ("fixed", "Fork-join with fixed work", latency),
            ("irregular", "Irregular loops", lambda p: bars("irregular", p, "speed, serial = 1")),
            ("stream", "STREAM", lambda p: bars("stream", p, "bandwidth, serial = 1"))):
        found = workload(result, name)
        if found and paint(found["points"]):
            lines.append(f"![{title}](plots/{'latency' if name == 'fixed' else name}.svg)")
    return lines


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
    old = page.read_text() if page.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    if BEGIN not in old or END not in old:
        sys.exit(f"report: {page} has no {BEGIN} and {END}")
    before, rest = old.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    page.write_text(f"{before}{BEGIN}\n{text(result)}\n{END}{after}")


if __name__ == "__main__":
    main()

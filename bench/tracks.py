"""tracks.py TRACE.json OUT.svg [FROM_MS TO_MS]: draws a trace as its viewers do: a row for each thread and depth, with
names where there is room, arrows from tasks' submissions to their runs, and counters above. It reads the file as JSON and
knows nothing of para, so it also shows that the file says what it should."""
import json
import sys
from xml.sax.saxutils import escape

WIDTH, LEFT, ROW, GAP, COUNTER = 1100, 110, 17, 8, 34
COLOURS = ["#1f4e91", "#d77a0a", "#16803c", "#96194f", "#5b5fc7", "#0f7d8a", "#7a5c1e", "#b3402a"]
QUIET = {"idle": "#dde4ec", "wait": "#e2562d"}


def depths(slices):
    """The depth of each slice on its track."""
    ends = []
    for e in sorted(slices, key=lambda e: (e["ts"], -e["dur"])):
        while ends and ends[-1] <= e["ts"]:
            ends.pop()
        ends.append(e["ts"] + e["dur"])
        yield e, len(ends) - 1


class Picture:
    def __init__(self, events, first, last):
        self.events, self.first, self.last = events, first, last
        self.parts, self.at, self.colours = [], 30, {}

    def x(self, us):
        return LEFT + (WIDTH - LEFT - 10) * min(max((us - self.first) / (self.last - self.first), 0), 1)

    def seen(self, event):
        return event["ts"] < self.last and event["ts"] + event.get("dur", 0) > self.first

    def text(self, x, y, text, colour="#222", size=11):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}">{escape(text)}</text>')

    def counter(self, name):
        values = [(e["ts"], next(iter(e["args"].values()))) for e in self.events if e["ph"] == "C" and e["name"] == name]
        if not values:
            return
        most, base = max(v for _, v in values) or 1, self.at + COUNTER
        before = [v for t, v in values if t <= self.first]
        value, points = before[-1] if before else 0, []
        for t, new in [*((t, v) for t, v in values if self.first < t < self.last), (self.last, 0)]:
            points += [(self.x(points[-1][2] if points else self.first), value, t), (self.x(t), value, t)]
            value = new
        line = " ".join(f"{x:.1f},{base - COUNTER * v / most:.1f}" for x, v, _ in points)
        self.parts.append(f'<polygon points="{LEFT},{base} {line} {self.x(self.last):.1f},{base}" fill="#9db7d8"/>')
        self.text(8, base - COUNTER / 2 + 4, name)
        self.text(LEFT + 3, self.at + 9, f"{most:g}", "#555", 9)
        self.at = base + GAP

    def slice(self, e, top):
        x, end = self.x(e["ts"]), self.x(e["ts"] + e["dur"])
        colour = QUIET.get(e["cat"]) or self.colours.setdefault(e["name"], COLOURS[len(self.colours) % len(COLOURS)])
        opacity = ' opacity="0.55"' if e["cat"] == "call" else ""
        self.parts.append(f'<rect x="{x:.2f}" y="{top}" width="{max(end - x, 0.3):.2f}" height="{ROW - 2}" fill="{colour}"{opacity}>'
                          f'<title>{escape(e["name"])} {e["dur"]:.1f} us</title></rect>')
        if end - x > 7 * len(e["name"]):
            self.text(x + 3, top + 11, e["name"], "#333" if e["cat"] == "idle" else "#fff", 10)

    def draw(self):
        names = {(m["pid"], m["tid"]): m["args"]["name"] for m in self.events if m["name"] == "thread_name"}
        rows, ends = {}, {}
        for name in "queue", "utilisation":
            self.counter(name)
        for track, name in names.items():
            slices = [e for e in self.events if e["ph"] == "X" and (e["pid"], e["tid"]) == track]
            shown = [(e, d) for e, d in depths(slices) if self.seen(e)]
            if not shown:
                continue
            self.text(8, self.at + 12, name)
            for e, depth in shown:
                self.slice(e, self.at + ROW * depth)
            rows[track] = self.at
            self.at += ROW * (1 + max(d for _, d in shown)) + GAP
        for e in self.events:
            if e["ph"] == "s":
                ends[e["id"]] = e
            elif e["ph"] == "f" and e["id"] in ends and self.seen(e):
                a, b = ends[e["id"]], e
                x, y = self.x(a["ts"]), rows.get((a["pid"], a["tid"]), 0) + ROW / 2
                u, v = self.x(b["ts"]), rows.get((b["pid"], b["tid"]), 0) + ROW / 2
                self.parts.append(f'<path d="M{x:.1f} {y:.1f} C{x + 20:.1f} {y:.1f} {u - 20:.1f} {v:.1f} {u:.1f} {v:.1f}" '
                                  'fill="none" stroke="#333" stroke-width="0.7"/>')
        for i in range(6):
            us = self.first + (self.last - self.first) * i / 5
            self.parts.append(f'<line x1="{self.x(us):.1f}" x2="{self.x(us):.1f}" y1="24" y2="{self.at}" stroke="#0002"/>')
            self.text(self.x(us) - (46 if i == 5 else 0), 18, f"{us / 1000:.2f} ms", "#555", 10)
        body = "\n".join(self.parts)
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.at}" font-family="sans-serif">\n'
                f'<rect width="{WIDTH}" height="{self.at}" fill="#fff"/>\n{body}\n</svg>\n')


def main():
    with open(sys.argv[1]) as file:
        events = json.load(file)
    times = [e["ts"] + e.get("dur", 0) for e in events if "ts" in e]
    first, last = (1000 * float(w) for w in sys.argv[3:5]) if len(sys.argv) > 4 else (0, max(times))
    with open(sys.argv[2], "w") as file:
        file.write(Picture(events, first, last).draw())


if __name__ == "__main__":
    main()

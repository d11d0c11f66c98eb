"""ports.py FOLDER: each program in FOLDER/para has at most 1.15 times the lines of its twin in FOLDER/omp,
without blank lines and comments. clang-format lays out both."""
import pathlib
import re
import sys

MOST = 1.15


def count(path):
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return sum(1 for line in text.splitlines() if line.strip())


def main():
    folder = pathlib.Path(sys.argv[1])
    twins = sorted((folder / "omp").glob("*.c"))
    failed = not twins
    for omp in twins:
        lines, theirs = count(folder / "para" / omp.name), count(omp)
        print(f"{omp.name}: {lines} lines, {theirs} with OpenMP")
        failed |= lines > MOST * theirs
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

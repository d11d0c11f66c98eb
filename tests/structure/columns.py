"""columns.py ROOT: lines of C and C++ sources and of Spin models, and of the prose in Markdown files, end by column
100. clang-format leaves comments as they are. In Markdown, code, tables and the targets of links may be longer."""
import pathlib
import re
import sys

MOST = 100
SOURCES = {".c", ".h", ".cpp", ".hpp", ".pml"}


def prose(path):
    """(number, line) of a Markdown file's prose, without the targets of links."""
    in_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code and not line.startswith(("|", "    ")):
            yield number, re.sub(r"\]\([^)]*\)", "]", line)


def lines(root):
    """(name, number, line) of all that is looked at."""
    for folder in ["src", "include", "kernels", "tests", "bench", "docs/examples"]:
        for path in sorted(p for p in (root / folder).rglob("*") if p.suffix in SOURCES):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                yield path.relative_to(root), number, line
    for pattern in ["*.md", "src/*.md", "bench/*.md", "docs/**/*.md"]:
        for path in sorted(root.glob(pattern)):
            for number, line in prose(path):
                yield path.relative_to(root), number, line


def main():
    root = pathlib.Path(sys.argv[1])
    faults, count = [], 0
    for name, number, line in lines(root):
        count += 1
        if len(line) > MOST:
            faults.append(f"{name}:{number}: {len(line)} columns")
    print("\n".join(faults + [f"{count} lines, {len(faults)} faults"]))
    return 1 if faults or count == 0 else 0


sys.exit(main())

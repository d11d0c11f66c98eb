"""snippets.py PAGE PROGRAM...: what the page shows as C stands in one of the programs, which are compiled and run.
A block of C is cut at blank lines and where a line is `...`; the lines of a part follow each other in a program.
Indentation, and comments at the ends of lines, may differ."""
import pathlib
import re
import sys


def lines(text):
    return [re.sub(r" */\*.*?\*/$", "", line.strip()) for line in text.strip("\n").split("\n")]


def parts(page):
    """(number of the first line, lines) of each part of each block of C."""
    for block in re.finditer(r"^```[cC]\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        start = page.count("\n", 0, block.start(1)) + 1
        for part in re.split(r"^\.\.\.$|\n\n", block.group(1), flags=re.MULTILINE):
            yield start, lines(part)


def stands_in(part, program):
    return any(program[at:at + len(part)] == part for at in range(len(program) - len(part) + 1))


def main():
    page = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    programs = [lines(pathlib.Path(name).read_text(encoding="utf-8")) for name in sys.argv[2:]]
    found = list(parts(page))
    strange = [(start, part) for start, part in found if not any(stands_in(part, program) for program in programs)]
    for start, part in strange:
        print(f"{sys.argv[1]}:{start}: in no program:", *part, sep="\n    ")
    print(f"{len(found)} parts, {len(strange)} in no program")
    return 1 if strange or not found else 0


sys.exit(main())

"""docs.py ROOT: links within the Markdown files lead somewhere, names of para's exist, a term of the glossary has one
meaning, every example and every source has its line, and the walk in docs/design.md is one: at most eight stops, each a function that
its file defines."""
import pathlib
import re
import sys

MOST_STOPS = 8
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.MULTILINE)


def without_code(text):
    return re.sub(r"^```.*?^```|^    [^\n]*$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """The names that GitHub gives to the headings."""
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def faults_of_links(root, path):
    text = path.read_text(encoding="utf-8")
    plain = without_code(text)
    for link in LINK.finditer(plain):
        target = link.group(1) or link.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        if not file.exists():
            yield f"{path.relative_to(root)}: {target} does not exist"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{path.relative_to(root)}: {target} is not a heading"
    for label in re.findall(r"\[(\w+\.(?:[ch]|md))\](?![(\[:])", plain):
        if f"\n[{label}]: " not in text:
            yield f"{path.relative_to(root)}: [{label}] leads nowhere"


def faults_of_names(root, path, names):
    """A name that ends with _ is the beginning of several. Decisions may name what has gone since."""
    if path.parent.name == "adr" or path.name == "CHANGELOG.md":
        return
    for code in re.findall(r"`([^`\n]+)`", path.read_text(encoding="utf-8")):
        for name in re.findall(r"\b(?:para_|PARA_)\w+", code):
            if name not in names and not (name.endswith("_") and any(other.startswith(name) for other in names)):
                yield f"{path.relative_to(root)}: {name} does not exist"


def faults_of_glossary(root):
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [term for row in re.findall(r"^\| ([^|*]+) \|", text, re.MULTILINE) for term in row.split(", ")]
    for term in sorted({term for term in terms if terms.count(term) > 1 and term != "term"}):
        yield f"docs/glossary.md: {term} has two meanings"


def faults_of_examples(root):
    """docs/examples/README.md has a line on every program there."""
    folder = root / "docs" / "examples"
    named = (folder / "README.md").read_text(encoding="utf-8")
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".c", ".cpp"} and "ports" not in p.parts):
        if f"]({path.relative_to(folder)})" not in named:
            yield f"docs/examples/README.md: {path.relative_to(folder)} is not named"


def faults_of_sources(root):
    """src/README.md has a line on every file, in the table of its folder."""
    text = (root / "src" / "README.md").read_text(encoding="utf-8")
    tables = {folder: set(re.findall(r"`([\w.]+)`", rows))
              for folder, rows in re.findall(r"^## (\w+)[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)}
    sources = {(p.parent.name, p.name) for p in (root / "src").glob("*/*.[ch]")}
    for folder, name in sorted(sources):
        if name not in tables.get(folder, set()):
            yield f"src/README.md: {folder}/{name} is not named"


def faults_of_walk(root):
    path = root / "docs" / "design.md"
    text = path.read_text(encoding="utf-8")
    files = dict(re.findall(r"^\[([^\]]+)\]: (\S+)", text, re.MULTILINE))
    stops = re.findall(r"^\| \d+ \| `(\w+)` \| \[([\w.]+)\] \|", text, re.MULTILINE)
    if not 0 < len(stops) <= MOST_STOPS:
        yield f"docs/design.md: the walk has {len(stops)} stops"
    for function, name in stops:
        file = path.parent / files.get(name, "")
        source = file.read_text(encoding="utf-8") if file.is_file() else ""
        if not re.search(rf"^\w[^;\n]*\b{function}\([^;]*?\)\n\{{", source, re.MULTILINE):
            yield f"docs/design.md: {function} is not defined in {name}"


def main():
    root = pathlib.Path(sys.argv[1])
    paths = [p for pattern in ["*.md", "src/*.md", "bench/*.md", "docs/**/*.md"] for p in sorted(root.glob(pattern))]
    names = {name for folder in ["src", "include", "cmake"] for p in (root / folder).rglob("*") if p.is_file()
             for name in re.findall(r"\b(?:para_|PARA_)\w+", p.read_text(encoding="utf-8"))}
    faults = [*faults_of_walk(root), *faults_of_glossary(root), *faults_of_examples(root), *faults_of_sources(root)]
    for path in paths:
        faults += [*faults_of_links(root, path), *faults_of_names(root, path, names)]
    print("\n".join(faults + [f"{len(paths)} files, {len(faults)} faults"]))
    return 1 if faults or not paths else 0


sys.exit(main())

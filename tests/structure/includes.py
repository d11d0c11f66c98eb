"""includes.py ROOT: includes in src/ point downward and form no circle, and public headers include only
public headers. A header and the source of its name are one module."""
import pathlib
import re
import sys

ORDER = ["base", "topology", "sync", "plan", "share", "executor", "process", "task", "pool", "schedule", "data", "observe", "cli"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(path):
    """(quote, name) of each include, comments left out."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.DOTALL)
    return INCLUDE.findall(text)


def fault_in_source(src, path, quote, name):
    """What is wrong with an include in src/; None if nothing is."""
    folder = path.relative_to(src).parts[0]
    if folder not in ORDER:
        return "stands in a folder that is not part of the order"
    if quote == "<":
        return "names a private header in angle brackets" if (src / name).exists() else None
    if folder == "cli" and name.startswith("kernels/"):
        return None
    target = name.split("/")[0]
    if "/" not in name or target not in ORDER:
        return "is not written from src/"
    if not (src / name).exists():
        return "does not exist"
    if ORDER.index(target) > ORDER.index(folder):
        return f"points upward, from {folder} to {target}"
    return None


def fault_in_public(public, quote, name):
    """What is wrong with an include in a public header; None if nothing is."""
    if quote == '"':
        return "is written with quotes: public headers use <para/...>"
    if name.startswith("para/"):
        return None if (public / name).exists() else "does not exist"
    return "is not a header of the C library" if "/" in name else None


def circles(edges):
    """Circles of modules, one for each module that closes one: a depth-first search."""
    found, done = [], set()

    def visit(module, way):
        if module in way:
            found.append(" -> ".join(way[way.index(module):] + [module]))
        elif module not in done:
            for other in sorted(edges.get(module, ())):
                visit(other, way + [module])
            done.add(module)

    for module in sorted(edges):
        visit(module, [])
    return found


def main():
    root = pathlib.Path(sys.argv[1])
    src, public = root / "src", root / "include"
    faults, count, edges = [], 0, {}
    for path in sorted(src.rglob("*.[ch]")) + sorted(public.rglob("*.h")):
        for quote, name in includes(path):
            count += 1
            if public in path.parents:
                fault = fault_in_public(public, quote, name)
            else:
                fault = fault_in_source(src, path, quote, name)
                module, other = str(path.relative_to(src).with_suffix("")), str(pathlib.Path(name).with_suffix(""))
                if quote == '"' and module != other:
                    edges.setdefault(module, set()).add(other)
            if fault:
                faults.append(f"{path.relative_to(root)}: {name} {fault}")
    faults += [f"circle: {circle}" for circle in circles(edges)]
    print("\n".join(faults + [f"{count} includes, {len(faults)} faults"]))
    return 1 if faults or count == 0 else 0


sys.exit(main())

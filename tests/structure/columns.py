"""columns.py ROOT: lines of src/ and include/ end by column 100. clang-format leaves comments as they are."""
import pathlib
import sys

MOST = 100


def main():
    root = pathlib.Path(sys.argv[1])
    faults, count = [], 0
    for folder in ["src", "include"]:
        for path in sorted((root / folder).rglob("*.[ch]")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                count += 1
                if len(line) > MOST:
                    faults.append(f"{path.relative_to(root)}:{number}: {len(line)} columns")
    print("\n".join(faults + [f"{count} lines, {len(faults)} faults"]))
    return 1 if faults or count == 0 else 0


sys.exit(main())

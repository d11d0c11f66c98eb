"""test_includes.py: includes.py finds circles and includes that point upward, in made-up trees."""
import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).with_name("includes.py")
HEADERS = {"base/a.h": "", "sync/b.h": '#include "base/a.h"\n'}


def check(files):
    """Exit status and output of includes.py for sources of those names and texts."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root) / "src" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run = subprocess.run([sys.executable, CHECK, root], capture_output=True, text=True, check=False)
        return run.returncode, run.stdout


status, out = check(HEADERS)
assert status == 0, out
status, out = check({**HEADERS, "base/a.h": '#include "sync/b.h"\n'})
assert status == 1 and "points upward" in out, out
# A header and its source are one module: the second closes the circle.
status, out = check({**HEADERS, "sync/b.c": '#include "sync/b.h"\n#include "sync/c.h"\n',
                     "sync/c.h": '#include "sync/b.h"\n'})
assert status == 1 and "circle: sync/b -> sync/c -> sync/b" in out, out
# Of three, of which one is another's source.
status, out = check({"sync/b.h": '#include "sync/c.h"\n', "sync/c.h": "", "sync/c.c": '#include "sync/d.h"\n',
                     "sync/d.h": '#include "sync/b.h"\n'})
assert status == 1 and "circle: sync/b -> sync/c -> sync/d -> sync/b" in out, out

"""constants.py SOURCE: numbers that were chosen stand in src/base/tuning*.h, each of which the model has.

Two things are found elsewhere in the library's folders. A named constant with a number as its value has to be of a
kind that is no policy: KINDS says which, name by name. And a decimal number of 1000 and more in the code is a factor
of units, or something that a standard or an algorithm prescribes: PLAIN and KINDS say which. What smaller numbers mean
no test can tell."""
import pathlib
import re
import sys

# Sizes of words and tables, formats of others, states: what the program would not work without, or merely hold less.
KINDS = {
    "size of a table or text": """
        PARA__CPUS_MAX PARA__DETAIL_BYTES PARA__DEQUE_TASKS PARA__DOING_DEPTH PARA__DOING_WORDS PARA__FRAMES
        PARA__GUEST_SEATS PARA__HISTOGRAM_BUCKETS PARA__HISTOGRAM_PARTS PARA__LANES PARA__NAMES_KEPT PARA__NAME_BUCKETS PARA__NAME_BYTES
        PARA__PAYLOAD_BYTES PARA__RING_EVENTS PARA__RING_KNOCKS PARA__RING_WORDS PARA__SITES PARA__SITE_PROBES
        PARA__STAYS PARA__SUBMITTER_LINES PARA__TRACKS PARA__UNIQUE_MAX PARA__WORKERS_MAX PARA__KINDS_MOST
        PARA__CALLS PARA__BREAKER_SLOTS PARA__ESTIMATE_WORDS PARA__WINDOWS_COMPARED PARA__TRIAL_WINDOWS BUCKETS
        BUCKETS_LOG CACHES_MOST DEEPEST DIGITS LINE_MOST NODES PARA__NODES_MAX PAGES PAGE_MOST REASON_BYTES SETS_LOG
        SUBLEAVES_MOST VERDICTS WAYS LONGEST WORDS MOST_STEPS PARA__BOARD_TICKETS PARA__LIVES PARA__PROCESSES_MAX
        PARA__WORKSHOP_ARENAS""",
    "bits of a word": """
        PARA__BOARD_EPOCHS PARA__BOARD_TICKET_BITS PARA__BOARD_WIDTH_BITS PARA__DONE_COUNT_BITS PARA__DONE_SUM_BITS
        PARA__AGE_BITS PARA__COUNT_BITS PARA__RESTS PARA__SLICE_TICKETS_MAX PARA__TICKET_BITS CPU_SHIFT MAXIMUM_SHIFT
        MAIN_LEFT STANDING THREADS SAMPLES_MOST PARA__STRAY PARA__STRAYED last_epoch never_ticks top""",
    "format or interface of others": """
        FLAGS_AT INSTRUCTIONS INTERFACE LENGTH MADV_POPULATE_WRITE PARA__FP_FLAGS PARA__LINE PARA__PAGE_SUM_AT SPAN_AT
        THREADS_DEVICE TRACE_AT PARA__HUGE_PAGE_BYTES PARA__FP_DEFAULT masks traps
        BY_PIDFD PRESENT SYS_close_range SYS_pidfd_open SYS_pidfd_send_signal""",
    "shape of results: plan/tree.h": """
        PARA__FOLDING_BYTES PARA__LARGE_BYTES PARA__PARTIALS_BYTES first_square""",
    "memory of checks": "PARA__MARGIN PARA__UNTOUCHED",
    "smallest that makes sense": "LEAST_WIDTH",
    "units": "PARA__NS_OF_MS",
    "states, one bit each": """
        AWAITED PARA__NAMED_AWAITED PARA__NAMED_USE PARA__GROUP_TASK
        PARA__TASK_AWAITED PARA__TASK_FD PARA__TASK_IN_LINE PARA__TASK_STATE PARA__WATCH_PURITY
        PARA__WATCH_TRACE PARA__LOOKS_DOING PARA__LOOKS_EVENTS PARA__LOOKS_STACKS
        PARA__LOOKS_TOOL PARA__SLOT_EMPTY RESERVED WAITING WAKING PARA__LATCH_CONTENDED""",
}
KNOWN = {name: kind for kind, names in KINDS.items() for name in names.split()}
PLAIN = {1000, 1024, 1000000, 1000000000, 1023, 4095, 65536, 16777619}  # units; masks, a fixed point, FNV's prime
FOLDERS = ["base", "topology", "sync", "plan", "share", "executor", "task", "pool", "process", "schedule", "data", "observe"]
DEFINE = re.compile(r"^#define\s+(\w+)\s+\(?(?:\(\w+\))?\d", re.M)
ENUM = re.compile(r"\benum\s*\w*\s*\{([^}]*)\}", re.S)
MEMBER = re.compile(r"(\w+)\s*=\s*([^,]*)")
STATIC = re.compile(r"\bstatic const \w+ (\w+) = \(?(?:\(\w+\))?(?:UINT\d+_C\()?\d")
NUMBER = re.compile(r"(?<![\w.\[])([1-9]\d{3,})[uUlL]*(?![\w.\]])")


def code_of(text):
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def named(code):
    for match in DEFINE.finditer(code):
        yield match.group(1)
    for match in ENUM.finditer(code):
        for member in MEMBER.finditer(match.group(1)):
            if re.search(r"(?<!\w)(?:[2-9]|\d\d|0x)", member.group(2)):
                yield member.group(1)
    for match in STATIC.finditer(code):
        yield match.group(1)


def faults(path, text):
    code = code_of(text)
    for name in named(code):
        if name not in KNOWN:
            yield f"{path}: {name} is a number that was chosen, or of a kind that constants.py does not know"
    for number, line in enumerate(code.split("\n"), 1):
        if any(re.search(rf"\b{name}\b", line) for name in named(line)):
            continue
        for match in NUMBER.finditer(line):
            value = int(match.group(1))
            if value not in PLAIN and value < 2**31:
                yield f"{path}:{number}: {value} was chosen: it belongs in tuning*.h"


def main(source):
    source = pathlib.Path(source)
    files = [f for folder in FOLDERS for f in sorted((source / "src" / folder).glob("*.[ch]"))
             if not f.name.startswith("tuning")]
    found = [fault for f in files for fault in faults(f.relative_to(source), f.read_text())]
    assert files
    used = {name for f in files for name in named(code_of(f.read_text()))}
    found += [f"constants.py: {name} is nowhere" for name in KNOWN if name not in used]
    model = (source / "bench/model/tuning.c").read_text()
    for header in sorted((source / "src/base").glob("tuning*.h")):
        times = model.count(f'#include "base/{header.name}"\n'), model.count(f"#undef PARA_BASE_{header.stem.upper()}_H\n")
        if times != (2, 1):
            found.append(f"bench/model/tuning.c: {header.name} is to be included twice, without its guard the second time")
    print("\n".join(found) or f"{len(files)} files: each number that was chosen stands in tuning*.h")
    return bool(found)


# What is to be found, and what is not.
assert list(faults("f", "enum { LOOKS = 64 };")) and list(faults("f", "static const double part = 0.25;"))
assert list(faults("f", "#define SPIN_NS 3000")) and list(faults("f", "if (ns > 200000)\n"))
assert not list(faults("f", "enum { A, B = 1 }; /* 200000 */ x = 1000000; char t[4096];"))
if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

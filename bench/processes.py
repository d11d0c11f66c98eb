"""Worker processes beside threads, and beside Python's pools of processes: `./dev bench processes`.

The program `processes` measures para's threads and processes in turns. The same map, from the same shared
object, is run by concurrent.futures.ProcessPoolExecutor and by joblib's loky, if that is there, on arrays in
multiprocessing.shared_memory: workers are warm, the arrays are there, and a task says which part is its own.
Each has as many chunks as workers, and 16 times as many, of which the faster counts. Then one element crashes."""
import concurrent.futures
import ctypes
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import process
from multiprocessing import shared_memory

import tables

COUNTS = {"1000 elements": 1000, "100000 elements": 100000, "4000000 elements": 4000000}
LARGEST = max(COUNTS.values())
mapped = None  # in a worker: the function, and the arrays


def attach(library, names):
    """In a worker, once."""
    global mapped
    blocks = [shared_memory.SharedMemory(name) for name in names]
    function = ctypes.CDLL(library).bench_map
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    function.restype = None
    mapped = function, [ctypes.addressof(ctypes.c_char.from_buffer(block.buf)) for block in blocks], blocks


def run_chunk(first, count):
    function, (x, y), _ = mapped
    function(x + 8 * first, y + 8 * first, count)


def executor_of(kind, workers, arguments):
    if kind == "loky":
        from joblib.externals import loky  # its own copy, which distributions have as well
        return loky.ProcessPoolExecutor(workers, initializer=attach, initargs=arguments)
    return concurrent.futures.ProcessPoolExecutor(workers, multiprocessing.get_context("forkserver"),
                                                  initializer=attach, initargs=arguments)


def run(pool, count, chunks):
    step = -(-count // chunks)
    starts = range(0, count, step)
    futures = [pool.submit(run_chunk, start, min(step, count - start)) for start in starts]
    for future in futures:
        future.result()


def time_of(action, *words):
    start = time.perf_counter_ns()
    action(*words)
    return time.perf_counter_ns() - start


def measure(kind, workers, library, rounds):
    """({row: ns}, what a crash does, in words)"""
    blocks = [shared_memory.SharedMemory(create=True, size=8 * LARGEST) for _ in range(2)]
    arguments = str(library), [block.name for block in blocks]
    x = (ctypes.c_double * LARGEST).from_buffer(blocks[0].buf)
    for i in range(LARGEST):
        x[i] = i / LARGEST
    figures = {}
    try:
        with executor_of(kind, workers, arguments) as pool:
            run(pool, LARGEST, workers)
            for row, count in COUNTS.items():
                times = {chunks: [time_of(run, pool, count, chunks) for _ in range(rounds)]
                         for chunks in (workers, 16 * workers)}
                figures[row] = min(statistics.median(taken) for taken in times.values())
            x[LARGEST // 3] = -1.0
            start = time.perf_counter_ns()
            try:
                run(pool, LARGEST, 16 * workers)
                crash = "nothing"
            except process.BrokenProcessPool as broken:
                crash = type(broken).__name__
            told = time.perf_counter_ns() - start
        x[LARGEST // 3] = 1.0
        start = time.perf_counter_ns()
        with executor_of(kind, workers, arguments) as pool:
            run(pool, LARGEST, 16 * workers)
            again = time.perf_counter_ns() - start
    finally:
        del x
        for block in blocks:
            block.unlink()
    return figures, f"{crash} after {told / 1e6:.0f} ms, for all chunks; a new pool and all again: {again / 1e6:.0f} ms"


def table(columns, rows):
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    return "\n".join(lines + [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows])


def main(options):
    """Prints the tables, in Markdown."""
    workers = options.threads or len(os.sched_getaffinity(0))
    rounds = options.rounds or (3 if options.quick else 9)
    folder = options.build / "bench"
    done = subprocess.run([folder / "processes", str(workers), str(rounds)], check=True, capture_output=True)
    para = json.loads(done.stdout)
    others = {}
    for kind in ("ProcessPoolExecutor", "loky"):
        try:
            others[kind] = measure(kind, workers, (folder / "libbench_processes.so").resolve(), rounds)
        except ImportError:
            print(f"Left out, as not installed: {kind}.")
    rows = []
    for name, row in para["rows"].items():
        cells = [tables.number(float(row["threads"])), tables.number(float(row["processes"])),
                 f"{row['processes'] / row['threads']:.2f}"]
        cells += [tables.number(float(figures[name])) if name in figures else "-" for figures, _ in others.values()]
        rows.append((name, cells))
    print(f"\nProcesses, ns a call, {workers} workers\n")
    print(table(["threads", "processes", "processes/threads", *others], rows))
    crash = para["crash"]
    print("\nOne of 4000000 elements crashes\n")
    print("| | |\n|---|---|\n| threads | the program ends |")
    print(f"| processes | {crash['filled']} element filled, told by its index, after {crash['ns'] / 1e6:.0f} ms and "
          f"{crash['deaths']} workers; the pool goes on |")
    for kind, (_, words) in others.items():
        print(f"| {kind} | {words} |")
    sys.stdout.flush()

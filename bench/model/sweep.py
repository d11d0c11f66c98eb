"""sweep.py PARA-MODEL [NAME...]: each constant of src/base/tuning*.h at half and at twice its value, on the
simulated machine. Prints the factors up to which no scenario takes more than 3 % longer, the worst change, and
where. It takes some minutes; the ranges in tuning*.h are from here."""
import json
import subprocess
import sys

TWO = "--cores 2 --domains 1 --sockets 1 --wake 35000 --rouse 2000 --near 150 --warm 60 --calls 200"
EIGHT = "--cores 8 --domains 1 --sockets 1 --warm 60 --calls 200"
MANY = "--cores 64 --domains 8 --sockets 1 --warm 40 --calls 20 --units 6400"
SCENARIOS = {
    "2 cores, 0.6 us": f"{TWO} --work 600 --units 1000",
    "2 cores, 3 us": f"{TWO} --work 3000 --units 1000",
    "2 cores, 100 us": f"{TWO} --work 1e5 --units 1000",
    "2 cores, first call": "--cores 2 --domains 1 --sockets 1 --work 1e6 --units 1000 --warm 0 --calls 1",
    "2 cores, first call of 8 units": "--cores 2 --domains 1 --sockets 1 --work 1e5 --units 8 --warm 0 --calls 1",
    "2 cores, price": f"{TWO} --work 1e4 --units 1000 --price 1000",
    "2 cores, contended": f"{TWO} --work 1e5 --units 1000 --contended 2.5",
    "2 cores, lognormal": f"{TWO} --work 1e5 --units 1000 --pattern lognormal",
    "8 cores, 5 us": f"{EIGHT} --work 5000 --units 1000",
    "8 cores, dear units": f"{EIGHT} --work 2e5 --units 3000 --pattern dear1pct",
    "8 cores, triangular": f"{EIGHT} --work 2e5 --units 1000 --pattern triangular",
    "8 cores, hogs": f"{EIGHT} --work 1e5 --units 1000 --hogs 2",
    "8 cores, asleep": f"{EIGHT} --work 2e5 --units 1000 --asleep",
    "16 cores, saturated": "--cores 16 --domains 2 --sockets 1 --work 2e6 --units 1000 --warm 800 --calls 200 "
                           "--saturate 4",
    "8 cores, last percent": f"{EIGHT} --work 2e5 --units 3000 --pattern last1pct",
    "64 cores, 10 us": f"{MANY} --work 1e4 --warm 300",
    "64 cores, 1 ms": f"{MANY} --work 1e6",
}
LONGER = 1.03


def mean_ns(model, options):
    done = subprocess.run([model, "--json", *options], capture_output=True, text=True, check=False, timeout=60)
    return json.loads(done.stdout)["mean_ns"] if done.returncode == 0 else float("inf")


def main():
    model, names = sys.argv[1], sys.argv[2:]
    listed = subprocess.run([model, "--constants"], capture_output=True, text=True, check=True).stdout.split("\n")
    before = {name: mean_ns(model, options.split()) for name, options in SCENARIOS.items()}
    for line in filter(None, listed):
        constant, value = line.split()
        if names and constant not in names:
            continue
        told = []
        for factor in 0.5, 2:
            other = float(value) * factor
            changes = [(mean_ns(model, [*options.split(), "--tune", f"{constant}={other:.9g}"]) / before[name], name)
                       for name, options in SCENARIOS.items()]
            seen = any(change != 1 for change, _ in changes)
            worst, where = max(changes)
            told.append(f"x {factor}: {worst:.3f}, {where}" if seen else f"x {factor}: no effect")
        print(f"{constant} {value}; {'; '.join(told)}", flush=True)


main()

"""harness.py SOURCE BUILD: the benchmarks run, give right results, and write figures that can be read.
How fast anything was is not looked at."""
import json
import pathlib
import subprocess
import sys
import tempfile

source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def run(*arguments):
    return subprocess.run([sys.executable, source / "bench" / "run.py", build, *arguments], text=True,
                          capture_output=True)


def listed(program):
    return json.loads(subprocess.run([program, "--list"], capture_output=True, check=True).stdout)


def faults_in(result):
    """What is missing or wrong in the figures of a quick run."""
    found = {workload["name"]: workload["points"] for workload in result["workloads"]}
    for family in ("bench", "locks", "tasks"):
        names = {path.name.removeprefix(f"{family}-") for path in (build / "bench").glob(f"{family}-*")
                 if not path.suffix}  # objects lie there as well
        for workload in listed(build / "bench" / f"{family}-para"):
            for point in workload["points"]:
                if not point["quick"]:
                    continue
                row = found.get(workload["name"], {}).get(point["name"], {})
                for name in names:
                    figures = row.get(name, {"fault": "missing"})
                    fault = figures.get("fault")
                    if fault and (fault != "not possible with this runtime" or name in ("para", "serial")):
                        yield f"{workload['name']}/{point['name']} {name}: {fault}"
                    elif not fault and not figures["ns"] >= 0:
                        yield f"{workload['name']}/{point['name']} {name}: {figures['ns']} ns"
    for special in ("cold", "copies", "quota", "scaling"):
        if special not in found:
            yield f"{special}: missing"


def main():
    with tempfile.TemporaryDirectory() as folder:
        figures = pathlib.Path(folder) / "figures.json"
        done = run("--quick", "--rounds", "1", "--seconds", "0.001", "--json", str(figures))
        if done.returncode != 0:
            sys.exit(f"the suite failed:\n{done.stdout[-2000:]}{done.stderr}")
        result = json.loads(figures.read_text())
    faults = list(faults_in(result))
    if run("no-such-workload").returncode == 0:
        faults.append("an unknown workload is not refused")
    if faults:
        sys.exit("\n".join(faults))


main()

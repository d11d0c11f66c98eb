"""spin.py [--mutate] [--spin COMMAND] [--cc COMMAND]: verifies the models beside it with Spin.

Each model is searched to the end for each of its checks. With --mutate each of its mutations is searched
instead, which leaves out or exchanges one step of the protocol: Spin must find a violation, since a model
that cannot fail proves nothing."""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
TWO_LANES = "-DWORKERS=1 -DLANES=2 -DCALLS=1"

# name: (model, definitions, whether it is a matter of liveness). Safety: assertions, and no process waits
# for ever when all wait. Liveness: the model's LTL formula under weak fairness, assertions ignored.
CHECKS = {
    "mutex consistent": ("mutex", "-DALL_LEAVE", False),
    "mutex served": ("mutex", "", True),
    "semaphore consistent": ("semaphore", "-DALL_LEAVE", False),
    "semaphore served": ("semaphore", "", True),
    "cancel fits": ("cancel", "", False),
    "cancel ended": ("cancel", "", True),
    "park ended": ("park", "", True),
    "park ended, two lanes": ("park", TWO_LANES, True),
    "groups joined": ("groups", "", False),
    "shutdown released": ("shutdown", "", False),
    "shutdown destroyed": ("shutdown", "", True),
    "ending settled": ("ending", "", False),
    "ending ended": ("ending", "", True),
    "aging bounded": ("aging", "", False),
    "aging begun": ("aging", "", True),
    "help helped": ("help", "", False),
    "help ended": ("help", "", True),
    "board settled": ("board", "", False),
    "board ended": ("board", "", True),
    "board spoilt": ("board", "-DSPOIL", False),
    "board spoilt, ended": ("board", "-DSPOIL", True),
}

# What each check must find.
MUTATIONS = {
    "mutex consistent": ["TORN_UNLOCK", "TORN_TAKE", "BLIND_QUEUE", "KEEP_WAKING", "KEEP_RESERVED", "NO_PASS_ON",
                         "WAKING_FOR_NOBODY"],
    "mutex served": ["TORN_UNLOCK", "BLIND_QUEUE", "KEEP_WAKING", "NO_PASS_ON", "NO_WAKING", "NO_RESERVE",
                     "RESERVE_BY_LOOK", "IGNORE_RESERVED"],
    "semaphore consistent": ["TORN_RELEASE", "NO_PASS_ON"],
    "semaphore served": ["BLIND_QUEUE", "BLIND_RELEASE", "NO_CLOSED", "KEEP_CLOSED", "NEED_ALONE"],
    "cancel fits": ["STAY_QUEUED"],
    "cancel ended": ["LATE_WAITING", "LOOK_BEFORE_ARM", "ONE_BATCH"],
    "park ended": ["WEAK_RECHECK", "LOOK_BEFORE_PARKED", "WAKE_BEFORE_CALL", "WAKE_BEFORE_DONE",
                   "NO_JOINER_WAKE", "JOIN_LOOKS_FIRST"],
    "park ended, two lanes": ["LATE_LANE"],
    "groups joined": ["COUNT_FIRST", "TORN_COUNT", "RESET_LATE", "ONE_TALLY", "KEEP_COUNT"],
    "shutdown released": ["NO_JOIN"],
    "shutdown destroyed": ["WEAK_RECHECK", "LOOK_BEFORE_PARKED", "WAKE_BEFORE_STOPPING", "NO_WAKE",
                           "NO_READY_WAKE", "NO_GIVING_UP"],
    "ending settled": ["ACCEPTED_FIRST", "OVER_FIRST", "PUSH_FIRST", "NO_LAST_DROP", "NO_GUESTS",
                       "LOOK_BEFORE_NOTE"],
    "ending ended": ["NO_TELL"],
    "aging bounded": ["NO_AGING", "FAR_AHEAD"],
    "aging begun": ["NO_AGING"],
    "help helped": ["ANY_DEPTH", "NO_HELP"],
    "help ended": ["NO_HELP"],
    "board settled": ["CLAIM_LATE", "DONE_FIRST", "ONE_PART", "BY_TOLD"],
    "board ended": ["NO_ROUSE"],
    "board spoilt": ["NO_SUM"],
    "board spoilt, ended": [],
}


def search(options, check, *definitions):
    """Whether the check holds, and what Spin said in a few words."""
    model, fixed, liveness = CHECKS[check]
    flags = fixed.split() + [f"-D{name}" for name in definitions] + ["-DLIVENESS"] * liveness
    with tempfile.TemporaryDirectory() as folder:
        def run(*command):
            return subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)

        for command in ([options.spin, *flags, "-a", FOLDER / f"{model}.pml"],
                        [options.cc, "-O1", "-DMEMLIM=2048", "-DNFAIR=3" if liveness else "-DSAFETY", "-o", "pan",
                         "pan.c"]):
            done = run(*command)
            if done.returncode:
                sys.exit(f"{check} {' '.join(definitions)}: {done.stdout}")
        said = run("./pan", "-m200000", *(["-a", "-f", "-A"] if liveness else [])).stdout
    errors = re.search(r"errors: (\d+)", said)
    states = re.search(r"(\S+) states, stored", said)
    found = re.search(r"^pan:1: (.*?) *\(at depth", said, re.MULTILINE)
    if errors and int(errors[1]) and found:
        return False, found[1]
    if not errors or int(errors[1]) or re.search("not completed|too small|out of memory", said):
        sys.exit(f"{check} {' '.join(definitions)}: not searched to the end\n{said}")
    return True, f"{float(states[1]):,.0f} states"


def main():
    parser = argparse.ArgumentParser(description="Verifies the models with Spin.")
    parser.add_argument("--mutate", action="store_true", help="verify that each mutation is found")
    parser.add_argument("--spin", default="spin", help="the command")
    parser.add_argument("--cc", default="cc", help="the C compiler")
    options = parser.parse_args()
    rows = [(check, label) for check in CHECKS for label in (MUTATIONS[check] if options.mutate else [None])]
    wrong = 0
    for check, label in rows:
        start = time.monotonic()
        holds, words = search(options, check, *([label] if label else []))
        as_expected = holds != options.mutate
        wrong += not as_expected
        result = words if holds else f"violated: {words}"
        print(f"{label or '-':20} {check:24} {'' if as_expected else 'NOT EXPECTED, '}{result} "
              f"({time.monotonic() - start:.1f} s)", flush=True)
    if wrong:
        sys.exit(f"{wrong} of {len(rows)} results are not as expected")


if __name__ == "__main__":
    main()

"""What a comparison must say about the machine and about a workload.

`facts.py machine COMMIT` prints the first line of a results file,
`facts.py workload FILE` the group and the name of a workload, with a tab between.
"""

import json
import os
import platform
import sys
from datetime import date

# In the order of the table.
GROUPS = ["child", "inference", "operations", "controller", "language"]


def machine(commit):
    facts = {"date": date.today().isoformat(), "cpu": cpu_model(), "cores": os.cpu_count()}
    return json.dumps({"machine": {**facts, "commit": commit}})


def cpu_model():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return " ".join(value.split())
    except OSError:
        pass
    return platform.processor() or platform.machine()


def workload(path):
    with open(path) as file:
        facts = json.load(file)
    return f"{group(facts['kind'], facts.get('mode'))}\t{facts['name']}"


def group(kind, mode):
    if kind == "child":
        return "inference" if mode == "infer" else "child"
    return {"block": "operations"}.get(kind, kind)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    print({"machine": machine, "workload": workload}[what](*arguments))

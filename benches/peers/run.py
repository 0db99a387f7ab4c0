"""Runs one workload in PyTorch and prints what it cost, as one line of JSON."""

import argparse
import ctypes
import json
import resource
import statistics
import time

import torch
from torch import nn

import child
import controller
import language

LAYOUTS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}
WARM_UP = 2
LEAST_PASSES = 5


def main():
    arguments = parse()
    with open(arguments.workload) as file:
        workload = json.load(file)
    if not arguments.plain_allocator:
        keep_freed_memory()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    load_everything()
    memory = Memory()
    run = prepare(workload, LAYOUTS[arguments.layout])
    for _ in range(WARM_UP):
        run()
    cpu, wall = measure(run, arguments.seconds)
    result = {
        "name": workload["name"],
        "side": "pytorch",
        "threads": arguments.threads,
        "cpu_ms": 1e3 * statistics.median(cpu),
        "wall_ms": 1e3 * statistics.median(wall),
        "passes": len(wall),
        "peak_mib": memory.growth() / 2**20,
        "version": torch.__version__,
    }
    if workload["kind"] == "language":
        result["words"] = workload["batch"] * workload["segment"]
    print(json.dumps(result))


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", help="the JSON file of a workload")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to repeat the work")
    parser.add_argument("--layout", choices=LAYOUTS, default="nchw", help="of feature maps in memory")
    parser.add_argument("--plain-allocator", action="store_true", help="leave the C library's allocator as it is")
    return parser.parse_args()


def prepare(workload, layout):
    """The work as a function that does it once."""
    match workload["kind"]:
        case "child":
            return child.prepare(workload, layout)
        case "block":
            return child.prepare_block(workload, layout)
        case "controller":
            return controller.prepare(workload)
        case "language":
            return language.prepare(workload)
    raise ValueError(f"unknown kind of workload {workload['kind']!r}")


def keep_freed_memory():
    """Has glibc keep large freed buffers for the next tensor instead of returning them to the system.

    Otherwise each new tensor pays page faults. Our side's allocator keeps them too.
    """
    trim_threshold, mmap_threshold, never = -1, -3, 2**31 - 1
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # another C library
    mallopt(trim_threshold, never)
    mallopt(mmap_threshold, never)


def load_everything():
    """Uses each part of PyTorch once, so that what it loads at first use does not count as the work's memory."""
    model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(2))
    reader = nn.LSTM(1, 1, batch_first=True)
    parameters = [*model.parameters(), *reader.parameters()]
    optimizers = [torch.optim.SGD(parameters, fused=True), torch.optim.Adam(parameters, fused=True)]
    outputs, _ = reader(model(torch.randn(2, 1, 6, 6)).transpose(1, 2))
    outputs.sum().backward()
    for optimizer in optimizers:
        optimizer.step()


def measure(run, seconds):
    """Seconds of the process's CPU time and of the clock, per pass."""
    cpu, wall = [], []
    end = time.perf_counter() + seconds
    while len(wall) < LEAST_PASSES or time.perf_counter() < end:
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        run()
        wall.append(time.perf_counter() - wall_start)
        cpu.append(time.process_time() - cpu_start)
    return cpu, wall


class Memory:
    """How far resident memory rises above where it stood when this was made."""

    def __init__(self):
        try:
            # Forgets the high-water mark so far, that of loading PyTorch.
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            pass
        self.start = status("VmRSS")

    def growth(self):
        peak = status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return max(0, peak - self.start)


def status(field):
    """A number of bytes from the system's account of this process; 0 where it keeps none."""
    try:
        with open("/proc/self/status") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name == field:
                    return int(value.split()[0]) * 1024
    except OSError:
        pass
    return 0


if __name__ == "__main__":
    main()

"""What the scripts of this folder share: where things are, and one JSON line for each figure."""

import json
import os
import pathlib
import statistics

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("FLOWRUN_BUILD", ROOT / "build"))
FLOWRUN = BUILD / "bin/flowrun"


def cpu():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()} x{os.cpu_count()}"
    return f"unknown x{os.cpu_count()}"


def emit(name, unit, values, **extra):
    """Prints a measurement: its median is the value. No values: it could not be made, and `extra` says why."""
    figures = {"value": None}
    if values:
        figures = {"value": statistics.median(values), "min": min(values), "median": statistics.median(values), "max": max(values), "repeats": len(values)}
    figures = {key: float(f"{figure:.4g}") if isinstance(figure, float) else figure for key, figure in figures.items()}
    print(json.dumps({"name": name, "unit": unit, **figures, "cpu": cpu(), **extra}), flush=True)

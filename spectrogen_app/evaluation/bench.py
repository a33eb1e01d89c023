"""``spectrogen bench``: load time, latency, throughput and memory on this machine."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check, unchecked
from spectrogen_app.evaluation.published import HEIGHT, WIDTH, PublishedNetwork
from spectrogen_app.generation.bundle import load_model
from spectrogen_app.generation.device import choose_device
from spectrogen_app.generation.translator import Translator

REPEATS = 20
BATCH = 64


def bench(
    model_id: str | None = None, devices: Sequence[str] = (), check: Check = unchecked
) -> dict[str, Any]:
    """Measure a model beside the published layout with untrained weights.

    Parameters
    ----------
    model_id : str, optional
    devices : sequence of str
        Default: the processor, and the graphics card where one works.

    Returns
    -------
    dict
        Machine, and one entry per device and network; times in seconds, memory in bytes.
    """
    asked = tuple(devices) or ("cpu", "cuda", "mps")
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(asked):
        found = choose_device(name)
        if found.name != name:
            if devices:
                rows.append({"device": name, "network": "none", "note": found.reason})
            continue
        check(i / len(asked), f"Measuring on {found.label}")
        start = time.perf_counter()
        model = load_model(model_id, device=name)
        loaded = time.perf_counter() - start
        rows.append({"device": name, "label": found.label, "network": model.model_id,
                     "load": loaded, **_measure(_ours(model), name, check)})  # fmt: skip
        del model
        start = time.perf_counter()
        published = PublishedNetwork().eval().to(name)
        loaded = time.perf_counter() - start
        count = sum(p.numel() for p in published.parameters())
        rows.append({"device": name, "label": found.label, "network": "published layout",
                     "parameters": count, "load": loaded,
                     **_measure(_theirs(published, name), name, check, slow=True)})  # fmt: skip
        del published
    return {
        "machine": {
            "system": platform.platform(), "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(), "torch": torch.__version__,
        },
        "rows": rows,
    }  # fmt: skip


def _ours(model: Translator) -> Callable[[int], None]:
    targets = [t for t in model.targets if t != model.inputs[0]][:2]
    grid = model.config.grids[model.inputs[0]]
    rng = np.random.default_rng(0)
    spectra = []
    for _ in range(BATCH):
        centers = rng.uniform(grid.start, grid.stop, 8)
        y = np.exp(-(((grid.x[:, None] - centers) / (8 * grid.step)) ** 2)).sum(1)
        spectra.append(Spectrum(grid.x, y, modality=grid.modality))

    def run(n: int) -> None:
        model.generate_many(spectra[:n], targets)

    return run


def _theirs(network: PublishedNetwork, device: str) -> Callable[[int], None]:
    images = torch.rand(1, 1, HEIGHT, WIDTH, device=device)

    def run(n: int) -> None:
        with torch.inference_mode():
            for _ in range(n):
                for _target in range(2):
                    network(images).cpu()

    return run


def _measure(
    run: Callable[[int], None], device: str, check: Check, *, slow: bool = False
) -> dict[str, float]:
    start = time.perf_counter()
    run(1)
    first = time.perf_counter() - start
    repeats, many = (5, 4) if slow else (REPEATS, BATCH)
    times = []
    for _ in range(repeats):
        check(0.5, "Measuring latency")
        start = time.perf_counter()
        run(1)
        times.append(time.perf_counter() - start)
    run(many)
    check(0.5, "Measuring throughput")
    start = time.perf_counter()
    run(many)
    taken = time.perf_counter() - start
    return {
        "first": first, "median": float(np.median(times)), "p95": float(np.quantile(times, 0.95)),
        "batch": many, "batch_seconds": taken, "spectra_per_second": many / taken,
        "memory": float(_memory(device)),
    }  # fmt: skip


def _memory(device: str) -> int:
    """Peak bytes: of the card's memory, or of the process."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def render(found: dict[str, Any]) -> str:
    """The measurements as a table for people."""
    machine = found["machine"]
    lines = [
        f"{machine['system']}, {machine['threads']} threads, torch {machine['torch']}",
        "From one spectrum to two targets; the published layout is untrained, as published.",
        "",
        f"{'device':<7}{'network':<24}{'load s':>8}{'median ms':>11}{'p95 ms':>9}"
        f"{'spectra/s':>11}{'peak MB':>9}",
    ]
    medians: dict[str, list[float]] = {}
    for row in found["rows"]:
        if "median" not in row:
            lines.append(f"{row['device']:<7}{row['note']}")
            continue
        medians.setdefault(row["device"], []).append(row["median"])
        lines.append(
            f"{row['device']:<7}{row['network']:<24}{row['load']:8.2f}{1e3 * row['median']:11.1f}"
            f"{1e3 * row['p95']:9.1f}{row['spectra_per_second']:11.1f}{row['memory'] / 1e6:9.0f}"
        )
    for device, (ours, theirs) in ((d, m) for d, m in medians.items() if len(m) == 2):
        lines.append(f"{device}: {theirs / ours:.0f} times faster than the published layout")
    return "\n".join(lines)

"""``spectrogen evaluate``: every figure that is claimed about a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.errors import Check, ModelError, TrainingError, unchecked
from spectrogen_app.evaluation.baselines import METHODS, spectra_of
from spectrogen_app.evaluation.metrics import pearson
from spectrogen_app.evaluation.pictures import Panel, write_panels
from spectrogen_app.evaluation.published import paper_protocol
from spectrogen_app.evaluation.stress import (
    classification,
    drawn_samples,
    familiarity_report,
    mixtures,
    robustness,
)
from spectrogen_app.evaluation.tables import (
    Answers,
    ceiling,
    coverage,
    table,
    trained_on,
    two_sources,
)
from spectrogen_app.generation.arch import Network
from spectrogen_app.generation.bundle import load_model, load_parts, write_bundle
from spectrogen_app.paths import atomic_write
from spectrogen_app.training.card import GROUP_NAMES, label, markdown_table, names, render_card
from spectrogen_app.training.command import read_data
from spectrogen_app.training.dataset import Dataset
from spectrogen_app.training.splits import split

TEST_COPY = "-test"
"""``<id>-test`` beside a bundle is the same recipe trained without the test groups."""


@dataclass(frozen=True)
class EvaluateRequest:
    """What to score.

    Attributes
    ----------
    bundle : Path
        When it was trained on test samples, its test copy ``<bundle>-test`` is scored instead,
        and the report says so.
    data : Path
        Folder of archives, or a data set.
    out : Path
        Folder for metrics.json, evaluation.md and pictures.
    write_card : bool
        Put the scores into the bundle, and into its test copy.
    mixtures : int
        Mixtures per direction and ratio.
    """

    bundle: Path
    data: Path
    out: Path
    write_card: bool = False
    mixtures: int = 600


def evaluate(request: EvaluateRequest, check: Check = unchecked) -> str:
    """Score a model and write the report; returns the report as Markdown.

    Raises
    ------
    TrainingError
        The model was trained on the test samples and has no test copy, or nothing can be tested.
    ModelError
        The bundle is missing, damaged or altered.
    """

    def part(low: float, high: float) -> Check:
        def report(fraction: float, message: str) -> None:
            check(low + (high - low) * fraction, message)

        return report

    model = load_model(path=request.bundle, device="cpu")
    data = read_data(request.data, part(0.0, 0.1))
    groups = split(data)
    scored = request.bundle
    network = model.network
    if trained_on(network, data, groups.group):
        scored = request.bundle.with_name(request.bundle.name + TEST_COPY)
        try:
            network = load_model(path=scored, device="cpu").network
        except ModelError as error:
            raise TrainingError(
                f"{request.bundle.name} was trained on the test samples, and there is no "
                f"{scored.name} beside it.",
                hint="Train a copy with --hold-out and score that.",
            ) from error
    rows, answers = table(network, data, groups.group, part(0.1, 0.45))
    if not rows:
        raise TrainingError(
            "The data hold no test samples with two modalities.",
            hint="Give the folder that holds RRUFF's Raman, infrared and powder archives.",
        )
    held = coverage(data, answers)
    familiarity = familiarity_report(network, data, answers)
    result: dict[str, Any] = {
        "scored": scored.name,
        "splits": groups.sha256,
        "data": data.sha256,
        "rows": rows,
        "ceiling": ceiling(data, network.targets),
        "coverage": _pooled(held),
        "bands": held,
        "familiarity": familiarity,
        "two_sources": two_sources(data, answers),
        "samples": drawn_samples(network, data, answers),
        "robustness": robustness(network, data, groups.group, part(0.45, 0.6)),
        "mixtures": mixtures(network, data, groups.group, each=request.mixtures,
                             check=part(0.6, 0.85)),
        "classification": classification(network, data, groups.group, part(0.85, 0.95)),
        "paper": paper_protocol(data, answers),
    }  # fmt: skip
    report = render(result)
    request.out.mkdir(parents=True, exist_ok=True)
    with atomic_write(request.out / "metrics.json") as stream:
        stream.write(json.dumps(result, indent=1, allow_nan=True).encode())
    with atomic_write(request.out / "evaluation.md") as stream:
        stream.write(report.encode())
    pictures(network, data, answers, request.out)
    if request.write_card:
        for folder in {request.bundle, scored}:
            attach(folder, result)
    check(1.0, "Scored")
    return report


def _pooled(held: list[dict[str, Any]]) -> dict[str, float]:
    out = {}
    for group in GROUP_NAMES:
        mine = [(h["pointwise"], h["n"]) for h in held if h["group"] == group]
        if mine:
            values, weights = zip(*mine, strict=True)
            out[group] = float(np.average(values, weights=weights))
    return out


def attach(folder: Path, test: Mapping[str, Any]) -> None:
    """Put test scores into a bundle and render its card anew; the weights stay."""
    config, tensors, metrics = load_parts(folder)
    rounded = json.loads(json.dumps(test), parse_float=lambda v: round(float(v), 5))
    metrics = {**metrics, "test": rounded}
    write_bundle(folder, config, tensors, render_card(config, metrics), metrics)


def render(result: Mapping[str, Any]) -> str:
    """All figures as Markdown."""

    def place(row: Mapping[str, Any], group: str = "group") -> tuple[str, str, str]:
        sources = row["sources"] if "sources" in row else [row["source"]]
        return names(sources), label(row["target"]), GROUP_NAMES[row[group]]

    f = result["familiarity"]
    pooled = ", ".join(f"{GROUP_NAMES[g]} {v:.1%}" for g, v in result["coverage"].items())
    count = sum(m["n"] for m in result["mixtures"])
    kinds = ("measured source", "generated target", "measured target", "source + generated")
    lines = [
        f"# Scores of {result['scored']}", "",
        "Mean r / median r / RMSE / peak F1 on samples that the model never saw; the interval is "
        "of mean r, resampled by mineral; p is of the paired difference to the best simple "
        "method.", "",
        *markdown_table(
            ("from", "to", "test", "n", "model", "95 %", *METHODS, "p"),
            [
                (*place(r), r["n"],
                 f"{r['r']:.3f} / {r['median_r']:.3f} / {r['rmse']:.3f} / {r['f1']:.2f}",
                 f"{r['r_low']:.2f} to {r['r_high']:.2f}",
                 *(f"{r['simple'][m]['r']:.3f} / {r['simple'][m]['f1']:.2f}" for m in METHODS),
                 f"{r['p_against_best']:.3f}")
                for r in result["rows"]
            ],
        ),
        "", "Simple methods: mean r / F1. They are given the same inputs.", "",
        "## Replicate ceiling", "",
        "Another sample of the same mineral as the prediction:", "",
        *markdown_table(
            ("modality", "n", "mean r", "median r", "RMSE", "F1"),
            [
                (label(m), c["n"], f"{c['r']:.3f}", f"{c['median_r']:.3f}", f"{c['rmse']:.3f}",
                 f"{c['f1']:.2f}")
                for m, c in result["ceiling"].items()
            ],
        ),
        "", "## Bands of 90 %", "",
        *markdown_table(
            ("from", "to", "test", "points inside", "spectra inside the simultaneous band",
             "width"),
            [
                (*place(b), f"{b['pointwise']:.1%}", f"{b['simultaneous']:.1%}",
                 f"{b['width']:.2f}")
                for b in result["bands"]
            ],
        ),
        "", f"Points inside, over all directions: {pooled}.", "", "## Familiarity", "",
        f"AUROC of known against new minerals, mean over directions: {f['known_new']:.3f}; against "
        f"noise and flat lines {f['noise']:.3f}; against polymers {f['polymer']:.3f}.", "",
        *markdown_table(
            ("from", "to", "against", "AUROC"),
            [
                *((*place(a, "new"), f"{a['auroc']:.3f}") for a in f["by_direction"]),
                *((label(a["source"]), label(a["target"]), what, f"{a[what]:.3f}")
                  for a in f["no_mineral"] for what in ("noise", "flat", "polymer")),
            ],
        ),
        "", "## Draws from the autoencoder: mean r with the measured spectrum", "",
        *markdown_table(
            ("from", "to", "test", "n", "the answer", "one draw", "mean of five", "best of five",
             "draws with one another"),
            [
                (*place(d), d["n"], f"{d['answer']:.3f}", f"{d['one']:.3f}",
                 f"{d['mean_of_five']:.3f}", f"{d['best_of_five']:.3f}",
                 f"{d['with_one_another']:.3f}")
                for d in result["samples"]
            ],
        ),
        "", "## Two sources against each alone, on the same samples: mean r", "",
        *markdown_table(
            ("from", "to", "test", "n", "both", "first alone", "second alone"),
            [
                (*place(t), t["n"], f"{t['both']:.3f}", *(f"{r:.3f}" for r in t["alone"]))
                for t in result["two_sources"]
            ],
        ),
        "", "## Damaged sources: mean r on known and new minerals together", "",
        *(
            f"- {label(row['source'])} to {label(row['target'])} ({row['n']}): "
            + ", ".join(f"{k} {v:.3f}" for k, v in row["r"].items())
            for row in result["robustness"]
        ),
        "", f"## Mixtures of two minerals ({count})", "",
        *markdown_table(
            ("from", "to", "ratio", "r with the mixture", "r with the major", "r with the minor",
             "familiarity"),
            [
                (label(m["source"]), label(m["target"]),
                 f"{m['ratio'][0]:.0%} : {m['ratio'][1]:.0%}", f"{m['r_mixture']:.3f}",
                 f"{m['r_major']:.3f}", f"{m['r_minor']:.3f}", f"{m['familiarity']:.2f}")
                for m in result["mixtures"]
            ],
        ),
        "", "## Classification by nearest neighbours", "",
        "Share right. Published (material type): 0.75 from measured, 0.94 from generated "
        "spectra, split at random. A generated spectrum cannot hold more than its source; "
        "what it adds is what the model remembers.", "",
        *markdown_table(
            ("from", "to", "test", "n", "label", *kinds),
            [
                (*place(c), c["n"], shown, *(f"{c[what][k]:.2f}" for k in kinds))
                for c in result["classification"]
                for what, shown in (("family", "anion family"), ("species", "species"))
                if c[what]
            ],
        ),
        "", "## The published protocol: images of 256 x 2048", "",
        *markdown_table(
            ("from", "to", "image", "what", "n", "correlation", "RMSE", "SSIM"),
            [
                (label(p["source"]), label(p["target"]), p["image"], p["what"], p["n"],
                 f"{p['r']:.3f}", f"{p['rmse']:.3f}", f"{p['ssim']:.3f}")
                for p in result["paper"]
            ],
        ),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def pictures(
    network: Network,
    data: Dataset,
    answers: Mapping[tuple[str, tuple[str, ...], str], Answers],
    out: Path,
) -> None:
    """The best, the median and the worst decile of each direction from one spectrum."""
    for (target, sources, group), found in answers.items():
        if len(sources) > 1 or sources == ("formula",) or group == "family":
            continue
        truth, mask = spectra_of(data, target, found.samples)
        order = np.argsort(pearson(found.y, truth, mask))
        tenth = max(1, len(order) // 10)
        chosen = [*order[:tenth], order[len(order) // 2], order[-1]]
        panels = [_panel(network, data, found, truth, mask, int(i)) for i in chosen]
        write_panels(out / f"{sources[0]}-to-{target}-{group}.svg", panels)


def _panel(
    network: Network,
    data: Dataset,
    found: Answers,
    truth: NDArray[np.float32],
    mask: NDArray[np.bool_],
    *place: int,
) -> Panel:
    i = place[0]
    seen = mask[i]
    sample = found.samples[i]
    grid = next(g for g in network.config.grids.values() if g.size == truth.shape[1])
    r = pearson(found.y[i : i + 1], truth[i : i + 1], mask[i : i + 1])[0]
    title = (f"{data.minerals[sample]} {data.ids[sample]}: r {r:.2f}, familiarity "
             f"{found.familiarity[i]:.2f}")  # fmt: skip
    return Panel(
        title, grid.x[seen], found.y[i][seen], truth[i][seen], found.lower[i][seen],
        found.upper[i][seen], MODALITIES[grid.modality].reversed_x
        if grid.modality in MODALITIES else False,
    )  # fmt: skip

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
from spectrogen_app.training.card import label, render_card
from spectrogen_app.training.command import read_data
from spectrogen_app.training.dataset import Dataset
from spectrogen_app.training.splits import split

TEST_COPY = "-test"
"""``<id>-test`` beside a bundle is the same recipe trained without the test groups."""
GROUP_NAMES = {"sample": "known mineral", "mineral": "new mineral", "family": "new family"}


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
    lines = [
        f"# Scores of {result['scored']}",
        "",
        "Mean r / median r / RMSE / peak F1 on samples that the model never saw; the interval is "
        "of mean r, resampled by mineral; p is of the paired difference to the best simple "
        "method.",
        "",
        "| from | to | test | n | model | 95 % | " + " | ".join(METHODS) + " | p |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        simple = " | ".join(
            f"{s['r']:.3f} / {s['f1']:.2f}" for s in (row["simple"][m] for m in METHODS)
        )
        lines.append(
            f"| {_names(row['sources'])} | {label(row['target'])} | {GROUP_NAMES[row['group']]} | "
            f"{row['n']} | {row['r']:.3f} / {row['median_r']:.3f} / {row['rmse']:.3f} / "
            f"{row['f1']:.2f} | {row['r_low']:.2f} to {row['r_high']:.2f} | {simple} | "
            f"{row['p_against_best']:.3f} |"
        )
    lines += ["", "Simple methods: mean r / F1. They are given the same inputs.", ""]
    lines += [
        "## Replicate ceiling", "",
        "Another sample of the same mineral as the prediction:", "",
        "| modality | n | mean r | median r | RMSE | F1 |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for m, c in result["ceiling"].items():
        lines.append(f"| {label(m)} | {c['n']} | {c['r']:.3f} | {c['median_r']:.3f} | "
                     f"{c['rmse']:.3f} | {c['f1']:.2f} |")  # fmt: skip
    lines += ["", "## Bands of 90 %", "",
              "| from | to | test | points inside | spectra inside the simultaneous band | width |",
              "|---|---|---|---|---|---|"]  # fmt: skip
    for b in result["bands"]:
        lines.append(
            f"| {_names(b['sources'])} | {label(b['target'])} | {GROUP_NAMES[b['group']]} | "
            f"{b['pointwise']:.1%} | {b['simultaneous']:.1%} | {b['width']:.2f} |"
        )
    pooled = ", ".join(f"{GROUP_NAMES[g]} {v:.1%}" for g, v in result["coverage"].items())
    f = result["familiarity"]
    lines += [
        "", f"Points inside, over all directions: {pooled}.", "", "## Familiarity", "",
        f"AUROC of known against new minerals, mean over directions: {f['known_new']:.3f}; against "
        f"noise and flat lines {f['noise']:.3f}; against polymers {f['polymer']:.3f}.", "",
        "| from | to | against | AUROC |", "|---|---|---|---|",
    ]  # fmt: skip
    for a in f["by_direction"]:
        lines.append(f"| {_names(a['sources'])} | {label(a['target'])} | "
                     f"{GROUP_NAMES[a['new']]} | {a['auroc']:.3f} |")  # fmt: skip
    for a in f["no_mineral"]:
        for what in ("noise", "flat", "polymer"):
            lines.append(
                f"| {label(a['source'])} | {label(a['target'])} | {what} | {a[what]:.3f} |"
            )
    lines += ["", "## Draws from the autoencoder: mean r with the measured spectrum", "",
              "| from | to | test | n | the answer | one draw | mean of five | best of five | "
              "draws with one another |",
              "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for d in result["samples"]:
        lines.append(
            f"| {label(d['source'])} | {label(d['target'])} | {GROUP_NAMES[d['group']]} | {d['n']} "
            f"| {d['answer']:.3f} | {d['one']:.3f} | {d['mean_of_five']:.3f} | "
            f"{d['best_of_five']:.3f} | {d['with_one_another']:.3f} |"
        )
    lines += ["", "## Two sources against each alone, on the same samples: mean r", "",
              "| from | to | test | n | both | first alone | second alone |",
              "|---|---|---|---|---|---|---|"]  # fmt: skip
    for t in result["two_sources"]:
        lines.append(
            f"| {_names(t['sources'])} | {label(t['target'])} | {GROUP_NAMES[t['group']]} | "
            f"{t['n']} | {t['both']:.3f} | {t['alone'][0]:.3f} | {t['alone'][1]:.3f} |"
        )
    lines += ["", "## Damaged sources: mean r on known and new minerals together", ""]
    for row in result["robustness"]:
        said = ", ".join(f"{k} {v:.3f}" for k, v in row["r"].items())
        lines.append(f"- {label(row['source'])} to {label(row['target'])} ({row['n']}): {said}")
    count = sum(m["n"] for m in result["mixtures"])
    lines += ["", f"## Mixtures of two minerals ({count})", "",
              "| from | to | ratio | r with the mixture | r with the major | r with the minor | "
              "familiarity |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for m in result["mixtures"]:
        lines.append(
            f"| {label(m['source'])} | {label(m['target'])} | "
            f"{m['ratio'][0]:.0%} : {m['ratio'][1]:.0%} | {m['r_mixture']:.3f} | "
            f"{m['r_major']:.3f} | {m['r_minor']:.3f} | {m['familiarity']:.2f} |"
        )
    kinds = ("measured source", "generated target", "measured target", "source + generated")
    lines += ["", "## Classification by nearest neighbours", "",
              "Share right. Published (material type): 0.75 from measured, 0.94 from generated "
              "spectra, split at random. A generated spectrum cannot hold more than its source; "
              "what it adds is what the model remembers.", "",
              "| from | to | test | n | label | " + " | ".join(kinds) + " |",
              "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for c in result["classification"]:
        for what in ("family", "species"):
            if c[what]:
                values = " | ".join(f"{c[what][k]:.2f}" for k in kinds)
                lines.append(
                    f"| {label(c['source'])} | {label(c['target'])} | {GROUP_NAMES[c['group']]} | "
                    f"{c['n']} | {'anion family' if what == 'family' else what} | {values} |"
                )
    lines += ["", "## The published protocol: images of 256 x 2048", "",
              "| from | to | image | what | n | correlation | RMSE | SSIM |",
              "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for p in result["paper"]:
        lines.append(
            f"| {label(p['source'])} | {label(p['target'])} | {p['image']} | {p['what']} | "
            f"{p['n']} | {p['r']:.3f} | {p['rmse']:.3f} | {p['ssim']:.3f} |"
        )
    return "\n".join([*lines, ""])


def _names(sources: list[str]) -> str:
    return " + ".join(label(s) for s in sources)


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

"""The model card, rendered from the metrics of a bundle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.generation.arch import patterns_of
from spectrogen_app.generation.config import Config

GROUP_NAMES = {"sample": "known mineral", "mineral": "new mineral", "family": "new family"}
_GROUPS = {**GROUP_NAMES, "known": GROUP_NAMES["sample"], "new": GROUP_NAMES["mineral"]}


def label(modality: str) -> str:
    """Modality as shown to people."""
    return MODALITIES[modality].label if modality in MODALITIES else modality


def names(sources: Iterable[str]) -> str:
    """Sources as shown to people."""
    return " + ".join(label(s) for s in sources)


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a Markdown table."""

    def line(cells: Sequence[object]) -> str:
        return "".join(f"| {c} " if c != "" else "| " for c in cells) + "|"

    return [line(columns), "|---" * len(columns) + "|", *map(line, rows)]


def render_card(config: Config, metrics: Mapping[str, Any]) -> str:
    """Markdown: what the model is, what it was trained on, how good it is, where not to use it."""
    training = config.training
    modalities = ", ".join(label(m) for m in config.grids)
    spectra = training.get("spectra", {})
    counted = ", ".join(f"{n} {label(m)}" for m, n in spectra.items())
    held_out = bool(training.get("held_out"))
    lines = [
        f"# {config.name}",
        "",
        f"Model `{config.model_id}`, made {config.created} with SpectroGen "
        f"{config.program_version}.",
        "",
        f"Given any of {modalities} and the chemical formula of a sample, it generates the "
        "others. A variational autoencoder turns what is given into a Gaussian over codes (one "
        "encoder per source, product of experts) and decodes a code into shares of the line tables "
        "of the samples it learned from (pseudo-Voigt shapes over a smooth background). The "
        "answer's shares come from a second network, the gate, which weighs the autoencoder's "
        "against direct comparisons with every sample and kernel ridge regression; alternatives "
        "are drawn "
        "from the autoencoder. It holds line tables, compositions, codes, names and IDs; no "
        "measured curve is stored in it.",
        "",
        "## Trained on",
        "",
        f"{len(config.samples)} samples of {len({m for _, m in config.samples})} minerals"
        + (f" ({counted})" if counted else "") + f", data {str(training.get('data', ''))[:16]}.",
        "",
    ]  # fmt: skip
    source = training.get("source")
    if source:
        lines += [str(source), ""]
    if held_out:
        lines += [
            "The frozen test groups (samples, minerals, anion families) were left out; the test "
            f"scores below are of exactly these weights. Splits {training.get('splits', '')[:16]}.",
            "",
        ]  # fmt: skip
    leaning: dict[float, list[str]] = {}
    for target, patterns in config.settings.get("ridge", {}).items():
        bits = patterns_of(config, target)
        for pattern, part in patterns.items():
            sources = names(s for s, bit in bits.items() if bit & int(pattern))
            leaning.setdefault(part, []).append(f"{sources} to {label(target)}")
    said = "; ".join(f"{part:.0%} of it from {', '.join(cells)}"
                     for part, cells in sorted(leaning.items()) if part)  # fmt: skip
    if said:
        lines += [
            "Kernel ridge regression answers in part where that did better in cross-validation, "
            f"most for wholly unfamiliar samples: {said}.",
            "",
        ]
    if metrics.get("test"):
        lines += _test(metrics)
    if metrics.get("cross_validation"):
        lines += _cross_validation(metrics["cross_validation"])
    lines += [
        "## Where not to use it",
        "",
        "- On minerals unlike any it learned from (familiarity below 0.5) powder patterns and "
        "Raman spectra are guesses: they show which kind of structure is likely, not which one "
        "it is. Do not identify or refine from them.",
        "- Intensities of generated powder patterns know nothing of preferred orientation.",
        "- Organic compounds, polymers, glasses, melts and mixtures were not learned.",
        "- A generated spectrum holds no more than its source and what the model learned: it is "
        "no measurement.",
        "- Bands hold nine in ten points, not every point; see the coverage above.",
        "",
        "Data: B. Lafuente, R. T. Downs, H. Yang, N. Stone, The power of databases: the RRUFF "
        "project, in Highlights in Mineralogical Crystallography, De Gruyter 2015."
        if not training.get("own_data") else "Data: see above.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _test(metrics: Mapping[str, Any]) -> list[str]:
    test = metrics["test"]
    lines = [
        "## Scores on samples never seen",
        "",
        "Mean Pearson r against the measured spectrum, with the 95 % interval (resampled by "
        "mineral), beside the best simple method given the same inputs and the highest r that a "
        "second measurement of the same mineral reaches.",
        "",
        *markdown_table(
            ("from", "to", "test", "n", "r", "95 %", "best simple", "", "peak F1"),
            [
                (names(r["sources"]), label(r["target"]), _GROUPS[r["group"]], r["n"],
                 f"{r['r']:.3f}", f"{r['r_low']:.2f} to {r['r_high']:.2f}", f"{r['best_r']:.3f}",
                 r["best"], f"{r['f1']:.2f}")
                for r in test.get("rows", ())
            ],
        ),
    ]  # fmt: skip
    ceiling = test.get("ceiling", {})
    if ceiling:
        said = ", ".join(f"{label(m)} {v['r']:.2f}" for m, v in ceiling.items())
        lines += ["", f"A second sample of the same mineral reaches: {said}."]
    coverage = test.get("coverage", {})
    if coverage:
        said = ", ".join(f"{_GROUPS[g]} {v:.0%}" for g, v in coverage.items())
        lines += ["", f"90 % bands held, of all points: {said}."]
    drawn = test.get("samples", ())
    if drawn:
        said = "; ".join(
            f"{label(d['source'])} to {label(d['target'])} {d['answer']:.2f}, one draw "
            f"{d['one']:.2f}, best of five {d['best_of_five']:.2f}"
            for d in drawn if d["group"] == "mineral"
        )  # fmt: skip
        lines += ["", f"Draws from the autoencoder for new minerals, mean r: {said}."]
    short = [f"{_direction(r)} ({_GROUPS[r['group']]}: {r['r']:.2f} against {r['best_r']:.2f})"
             for r in test.get("rows", ()) if r["r"] < r["best_r"]]  # fmt: skip
    if short:
        lines += ["", f"A simple method had the higher mean r there: {'; '.join(short)}."]
    weak = [
        f"{_direction(r)} ({_GROUPS[r['group']]})" for r in test.get("rows", ())
        if "simple" in r and r["f1"] < max(s["f1"] for s in r["simple"].values())
    ]  # fmt: skip
    if weak:
        lines += ["", f"A simple method had the higher peak F1 there: {'; '.join(weak)}."]
    if "familiarity" in test:
        f = test["familiarity"]
        lines += [
            "",
            f"Familiarity tells known from new minerals with AUROC {f['known_new']:.2f}, and "
            f"minerals from noise and flat lines with {f['noise']:.2f}.",
        ]
    return [*lines, ""]


def _direction(row: Mapping[str, Any]) -> str:
    return f"{names(row['sources'])} to {label(row['target'])}"


def _cross_validation(scores: Mapping[str, Any]) -> list[str]:
    return [
        "## Cross-validated while training",
        "",
        "Each query was held out of the memory, and from the scorer that answers it; for a new "
        "family all minerals of its anion family were. Mean r.",
        "",
        *markdown_table(
            ("to", "from", "test", "n", "answer", "network alone", "kernel ridge", "nearest"),
            [
                (label(target), names(name.split("+")), _GROUPS[group], v["n"],
                 *(f"{v[k]:.3f}" for k in ("answer", "network", "kernel ridge", "nearest")))
                for target, patterns in scores.items()
                for name, groups in patterns.items()
                for group, v in groups.items()
            ],
        ),
        "",
    ]  # fmt: skip

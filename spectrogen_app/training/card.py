"""The model card, rendered from the metrics of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.generation.config import Config

_GROUPS = {"known": "known mineral", "sample": "known mineral", "new": "new mineral",
           "mineral": "new mineral", "family": "new family"}  # fmt: skip


def label(modality: str) -> str:
    """Modality as shown to people."""
    return MODALITIES[modality].label if modality in MODALITIES else modality


def render_card(config: Config, metrics: Mapping[str, Any]) -> str:
    """Markdown: what the model is, what it was trained on, how good it is, where not to use it."""
    training = config.training
    names = ", ".join(label(m) for m in config.grids)
    spectra = training.get("spectra", {})
    counted = ", ".join(f"{n} {label(m)}" for m, n in spectra.items())
    held_out = bool(training.get("held_out"))
    lines = [
        f"# {config.name}",
        "",
        f"Model `{config.model_id}`, made {config.created} with SpectroGen "
        f"{config.program_version}.",
        "",
        f"Given any of {names} and the chemical formula of a sample, it generates the others. It "
        "compares the spectra and the formula with every sample it learned from, decides with a "
        "small network how much each of them contributes, and mixes their fitted lines "
        "(pseudo-Voigt shapes over a smooth background). It holds line tables, compositions, "
        "names and IDs; no measured curve is stored in it.",
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
    fallback = {t: v for t, v in config.settings.get("fallback", {}).items() if v}
    if fallback:
        lines += [
            "Kernel ridge regression answers in place of the network, since it did better in "
            "cross-validation, for some sets of sources of: "
            + ", ".join(label(t) for t in fallback) + ".",
            "",
        ]  # fmt: skip
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
        "| from | to | test | n | r | 95 % | best simple | | peak F1 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in test.get("rows", ()):
        lines.append(
            f"| {' + '.join(label(s) for s in row['sources'])} | {label(row['target'])} | "
            f"{_GROUPS[row['group']]} | {row['n']} | {row['r']:.3f} | "
            f"{row['r_low']:.2f} to {row['r_high']:.2f} | {row['best_r']:.3f} | "
            f"{row['best']} | {row['f1']:.2f} |"
        )
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
        lines += ["", f"Sharp alternatives drawn for new minerals, mean r: {said}."]
    if "familiarity" in test:
        f = test["familiarity"]
        lines += [
            "",
            f"Familiarity tells known from new minerals with AUROC {f['known_new']:.2f}, and "
            f"minerals from noise and flat lines with {f['noise']:.2f}.",
        ]
    return [*lines, ""]


def _cross_validation(table: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Cross-validated while training",
        "",
        "Each query was held out of the memory, and from the scorers that answer it. Mean r.",
        "",
        "| to | from | test | n | network | kernel ridge | nearest |",
        "|---|---|---|---|---|---|---|",
    ]
    for target, patterns in table.items():
        for name, groups in patterns.items():
            sources = " + ".join(label(s) for s in name.split("+"))
            for group, v in groups.items():
                lines.append(
                    f"| {label(target)} | {sources} | {_GROUPS[group]} | {v['n']} | "
                    f"{v['network']:.3f} | {v['ridge']:.3f} | {v['nearest']:.3f} |"
                )
    return [*lines, ""]

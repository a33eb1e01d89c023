"""Fits as files: peaks and curves as CSV, everything as JSON, a text to read, templates."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spectrogen_app.data.axis import pretty_unit
from spectrogen_app.errors import FitError
from spectrogen_app.fitting import shapes
from spectrogen_app.fitting.estimate import Estimate
from spectrogen_app.fitting.model import Model, read_peaks
from spectrogen_app.fitting.result import FitResult
from spectrogen_app.paths import atomic_write

if TYPE_CHECKING:
    from spectrogen_app.fitting.batch import Outcome

_VALUES = ("center", "height", "fwhm", "area")


def peaks_csv(result: FitResult) -> str:
    """One row per peak: name, shape, and each value with its standard error, full precision."""
    extra = _extra_names(result)
    head = ["peak", "shape", *(f"{k}{e}" for k in (*_VALUES, *extra) for e in ("", "_stderr"))]
    rows = []
    for peak in result.peaks:
        held = [*(getattr(peak, k) for k in _VALUES), *(peak.params.get(n) for n in extra)]
        rows.append([peak.name, peak.shape, *(v for e in held for v in _pair(e))])
    return _csv([head, *rows])


def _extra_names(result: FitResult) -> list[str]:
    names = (n for p in result.peaks for n in p.params if n not in _VALUES)
    return list(dict.fromkeys(names))


def _pair(estimate: Estimate | None) -> tuple[str, str]:
    if estimate is None:
        return "", ""
    return repr(estimate.value), "" if estimate.stderr is None else repr(estimate.stderr)


def _csv(rows: Iterable[Sequence[object]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def curves_csv(result: FitResult) -> str:
    """Columns x, data, fit, residual, background and each peak, full precision."""
    names = [p.name for p in result.peaks]
    head = ["x", "data", "fit", "residual", "background", *names]
    s = result.spectrum
    columns = np.vstack(
        [s.x, s.y, result.curve.y, result.residual, result.background, result.components]
    )
    return _csv([head, *([repr(v) for v in row] for row in columns.T.tolist())])


def to_json(result: FitResult) -> str:
    """Everything, to be read back by :func:`from_json`."""
    return json.dumps(_finite(result.to_dict()), indent=1, allow_nan=False)


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {k: _finite(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(v) for v in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def from_json(text: str) -> FitResult:
    """The fit that :func:`to_json` wrote, without fitting again.

    Raises
    ------
    FitError
        Not such text.
    """
    return FitResult.from_dict(_object(text))


def _object(text: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise FitError(
            f"This is not JSON ({error}).", hint="Choose a file that SpectroGen wrote."
        ) from error
    if not isinstance(data, Mapping):
        raise FitError("This JSON is no fit.", hint="Choose a file that SpectroGen wrote.")
    return data


def text(result: FitResult) -> str:
    """A report to read."""
    s = result.spectrum
    unit = pretty_unit(s.x_unit)
    lines = [
        f"{s.name or 'Spectrum'}: {len(result.peaks)} peaks on {result.ndata} points",
        f"{result.message}; R² = {result.r_squared:.6f}, χ² = {result.chisqr:.6g}, "
        f"reduced χ² = {result.redchi:.6g}, AIC = {result.aic:.6g}, BIC = {result.bic:.6g}",
        f"weights {result.options.weights}, loss {result.options.loss}, "
        f"{result.nvarys} free parameters",
        "",
    ]
    for peak in result.peaks:
        lines.append(f"{peak.name}  {shapes.shape(peak.shape).label}")
        units = {"center": unit, "fwhm": unit, "height": s.y_unit, "area": f"{s.y_unit} {unit}"}
        for key in _VALUES:
            lines.append(f"  {key:<14}{getattr(peak, key)} {units[key]}".rstrip())
        own = {n: e for n, e in peak.params.items() if n not in _VALUES}
        lines += [f"  {n:<14}{e}" for n, e in own.items()]
    others = [n for n in result.params if not any(n.startswith(f"{p.name}_") for p in result.peaks)]
    lines += [f"{n:<16}{result.params[n]}" for n in others]
    if result.warnings:
        lines += ["", "Warnings", *(f"- {w}" for w in result.warnings)]
    if result.notes:
        lines += ["", "Notes", *(f"- {n}" for n in result.notes)]
    return "\n".join(lines) + "\n"


def table_csv(outcomes: Iterable[Outcome]) -> str:
    """All peaks of many fits, one row each, with statistics and the spectrum's name.

    A spectrum that was not fitted has a row without a peak; its error stands under ``warnings``.
    """
    head = ["spectrum", "file", "index", "success", "r_squared", "redchi", "peak", "shape",
            *(f"{k}{e}" for k in _VALUES for e in ("", "_stderr")), "warnings"]  # fmt: skip
    rows: list[list[object]] = []
    for r in outcomes:
        if not isinstance(r, FitResult):
            why = " ".join(str(r.error).split())
            rows.append([r.name, "", "", False, *[""] * (len(head) - 5), why])
            continue
        rows += [
            [r.spectrum.name, r.spectrum.provenance.path, r.spectrum.provenance.index, r.success,
             repr(r.r_squared), repr(r.redchi), p.name, p.shape,
             *(v for k in _VALUES for v in _pair(getattr(p, k))), " | ".join(r.warnings)]
            for p in r.peaks
        ]  # fmt: skip
    return _csv([head, *rows])


def template_json(model: Model) -> str:
    """A model as a template for other samples."""
    return json.dumps({"format": "spectrogen-peaks", "version": 1, "model": model.to_dict()},
                      indent=1)  # fmt: skip


def read_model(content: str) -> Model:
    """The model of a template, the fitted one of a JSON report, or peaks listed as CSV.

    CSV needs the columns ``center``, ``height`` and ``fwhm``; ``shape`` and further parameters of
    the shape are taken where given, as :func:`peaks_csv` writes them. Semicolons or tabs may stand
    between the columns; numbers may then have decimal commas.

    Raises
    ------
    FitError
        None of them, or of a newer version.
    """
    if not content.lstrip().startswith("{"):
        return _from_csv(content)
    data = _object(content)
    if data.get("format") not in ("spectrogen-peaks", "spectrogen-fit") or data.get("version") != 1:
        raise FitError(
            f"Expected a peak template or a fit report, found {data.get('format')!r} "
            f"{data.get('version')!r}.",
            hint="Choose a file that SpectroGen wrote.",
        )
    return Model.from_dict(data.get("model") or {})


def _from_csv(content: str) -> Model:
    head = content.partition("\n")[0]
    between = max(",;\t", key=head.count)
    try:
        rows = list(csv.DictReader(io.StringIO(content), delimiter=between))
    except csv.Error as error:
        raise FitError(f"This is no CSV ({error}).", hint="Choose a list of peaks.") from error
    if not rows or not {"center", "height", "fwhm"} <= set(rows[0]):
        raise FitError(
            "Expected a template, a fit report, or CSV with the columns center, height and fwhm.",
            hint="Such files are written by SpectroGen after a fit.",
        )
    given = []
    for row in rows:
        shape = row.get("shape") or "lorentzian"
        wanted = shapes.shape(shape).names
        if not all(row.get(n) for n in wanted):
            wanted = ("center", "height", "fwhm")
        own = {n: row[n] if between == "," else (row[n] or "").replace(",", ".") for n in wanted}
        given.append({"shape": shape, **own})
    return Model(tuple(read_peaks(given)))


def write(result: FitResult, folder: Path, stem: str) -> tuple[Path, ...]:
    """Write a fit as ``STEM.peaks.csv``, ``.curves.csv``, ``.fit.json`` and ``.txt``.

    Raises
    ------
    WriteError
        The folder cannot be written.
    """
    written = []
    for ending, make in (
        (".peaks.csv", peaks_csv), (".curves.csv", curves_csv), (".fit.json", to_json),
        (".txt", text),
    ):  # fmt: skip
        path = folder / f"{stem}{ending}"
        with atomic_write(path, "w", encoding="utf-8") as stream:
            stream.write(make(result))
        written.append(path)
    return tuple(written)

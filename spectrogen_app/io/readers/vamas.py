"""VAMAS (ISO 14976): surface analysis spectra, one value or text per line, in a fixed order.

Which lines are there depends on the experiment mode, the scan mode and the technique of each block.
The ordinates of several corresponding variables are interleaved; with an irregular scan the first
of them is the abscissa. 1E37 stands for a value that is not known.

Seen in a real file: blanks behind the numbers; the number of analysis positions is missing for
NORM; a binding energy axis that descends; the last line says ``end of experiment``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.recognise import recognise, y_axis

_MAGIC = b"VAMAS Surface Chemical Analysis Standard Data Transfer Format"
_MODES = {"MAP", "MAPDP", "MAPSV", "MAPSVDP", "NORM", "SDP", "SDPSV", "SEM", "NOEXP"}
_SCANS = {"REGULAR", "IRREGULAR", "MAPPING"}
_PROFILES = {"MAPDP", "MAPSVDP", "SDP", "SDPSV"}
_ION_TECHNIQUES = {"FABMS", "FABMS energy spec", "ISS", "SIMS", "SIMS energy spec", "SNMS",
                   "SNMS energy spec"}  # fmt: skip
_ELECTRON_TECHNIQUES = {"AES diff", "AES dir", "EDX", "ELS", "UPS", "XPS", "XRF"}
_UNKNOWN = 1e37
MAX_BLOCKS = 100_000
"""More blocks than this in one file are refused."""


class _Lines:
    """The lines in order; says what was expected where they end or are no number."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.split("\n")
        self.at = 0

    def text(self, what: str) -> str:
        if self.at >= len(self.lines):
            raise self.source.refuse(
                f"ends at line {self.at}; expected {what}.", "It is cut off; copy it again."
            )
        self.at += 1
        return self.lines[self.at - 1].strip()

    def number(self, what: str) -> float:
        line = self.text(what)
        try:
            value = float(line)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self.source.refuse(
                f"has {line[:30]!r} in line {self.at}; expected {what}.",
                "The file is damaged, or left out a line.",
            )
        return value

    def count(self, what: str, most: int = 100_000) -> int:
        value = self.number(what)
        if not 0 <= value <= most or value != int(value):
            raise self.source.refuse(
                f"says {value:g} in line {self.at} for {what}.", "The file is damaged."
            )
        return int(value)

    def skip(self, lines: int, what: str) -> None:
        for _ in range(lines):
            self.text(what)


class VamasReader(Reader):
    """VAMAS files."""

    name = "vamas"
    label = "VAMAS (ISO 14976)"
    vendors = "XPS, AES, UPS and SIMS instruments"
    extensions = (".vms", ".vamas", ".npl")
    tested_on = "1 real file (XPS, one region)"

    def sniff(self, source: Source) -> bool:
        """Whether the first line is the format's identifier."""
        return source.head.lstrip(b"\xef\xbb\xbf \r\n").startswith(_MAGIC)

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        lines = _Lines(source)
        while not lines.text("the identifier").startswith("VAMAS"):
            pass
        common: dict[str, Any] = {
            key: lines.text(key) for key in ("Institution", "Instrument", "Operator", "Experiment")
        }
        comments = [lines.text("a comment") for _ in range(lines.count("comment lines"))]
        common["Comment"] = "\n".join(comments)
        mode, scan = lines.text("the experiment mode"), lines.text("the scan mode")
        if mode not in _MODES or scan not in _SCANS:
            raise source.refuse(
                f"says experiment mode {mode[:20]!r} and scan mode {scan[:20]!r}.",
                "The file is damaged, or left out a line.",
            )
        if scan == "MAPPING":
            raise source.refuse("is a map of counts without spectra.", "Export the spectra.")
        if mode in ("MAP", "MAPDP", "NORM", "SDP"):
            lines.number("the number of spectral regions")
        if mode in ("MAP", "MAPDP"):
            lines.skip(3, "the size of the map")
        variables = [
            (lines.text("a variable"), lines.text("its unit"))
            for _ in range(lines.count("experimental variables", 1000))
        ]
        excluded = int(lines.number("entries of the inclusion list"))
        if excluded:
            raise source.refuse(
                "leaves out repeated parameters (an inclusion or exclusion list).",
                "Export it without that list, or as text.",
            )
        lines.skip(lines.count("manually entered items"), "a manually entered item")
        upgrade, upgrade_block = lines.count("future entries"), lines.count("future block entries")
        lines.skip(upgrade, "a future entry")
        blocks = lines.count("the number of blocks", MAX_BLOCKS)
        spectra: list[Spectrum] = []
        for number in range(blocks):
            if number % 100 == 0:
                check(number / max(blocks, 1), f"Reading {source.name}")
            if lines.at >= len(lines.lines) - 2 and spectra:
                source.warn(f"Cut off: {number} of {blocks} blocks are there.")
                break
            spectra += _block(
                source, lines, mode=mode, scan=scan, variables=variables, upgrade=upgrade_block,
                common=common, layout=layout,
            )  # fmt: skip
        return spectra


def _block(
    source: Source,
    lines: _Lines,
    *,
    mode: str,
    scan: str,
    variables: list[tuple[str, str]],
    upgrade: int,
    common: dict[str, Any],
    layout: TextLayout | None,
) -> list[Spectrum]:
    meta = dict(common)
    name, sample = lines.text("a block's name"), lines.text("the sample")
    date = [lines.number("the date") for _ in range(7)]
    if date[0] > 0:
        meta["Date"] = "{:04.0f}-{:02.0f}-{:02.0f} {:02.0f}:{:02.0f}:{:02.0f}".format(*date)
    comments = [lines.text("a comment") for _ in range(lines.count("comment lines"))]
    meta["Block comment"] = "\n".join(comments)
    technique = meta["Technique"] = lines.text("the technique")
    if mode in ("MAP", "MAPDP"):
        meta["Position"] = (lines.number("x of the position"), lines.number("y of the position"))
    for label, unit in variables:
        meta[f"{label} ({unit})"] = lines.number(label)
    meta["Source"] = lines.text("the analysis source")
    if mode in _PROFILES or technique in _ION_TECHNIQUES:
        lines.skip(3, "the sputtering ion")
    meta["Source energy (eV)"] = lines.number("the source energy")
    lines.skip(3, "the source")
    if mode in ("MAP", "MAPDP", "MAPSV", "MAPSVDP", "SEM"):
        lines.skip(2, "the field of view")
    if mode in ("MAPSV", "MAPSVDP", "SEM"):
        lines.skip(6, "the line scan")
    lines.skip(2, "the source angles")
    meta["Analyser mode"] = lines.text("the analyser mode")
    meta["Pass energy"] = lines.number("the pass energy")
    if technique == "AES diff":
        lines.skip(1, "the differential width")
    lines.skip(1, "the magnification")
    meta["Work function"] = lines.number("the work function")
    lines.skip(5, "the analyser")
    meta["Species"], meta["Transition"] = lines.text("the species"), lines.text("the transition")
    lines.skip(1, "the charge")
    x_label = ""
    start = step = 0.0
    if scan == "REGULAR":
        x_label = f"{lines.text('the x label')} {lines.text('the x unit')}"
        start, step = lines.number("the first x"), lines.number("the step of x")
    columns = [
        (lines.text("a variable"), lines.text("its unit"))
        for _ in range(lines.count("corresponding variables", 1000))
    ]
    meta["Signal mode"] = lines.text("the signal mode")
    meta["Dwell time (s)"] = lines.number("the collection time")
    meta["Scans"] = lines.number("the number of scans")
    lines.skip(1, "the time correction")
    if mode in _PROFILES and technique in _ELECTRON_TECHNIQUES:
        lines.skip(7, "the sputtering source")
    lines.skip(3, "the sample angles")
    for _ in range(lines.count("additional parameters")):
        label, unit = lines.text("a parameter"), lines.text("its unit")
        meta[f"{label} ({unit})"] = lines.text("its value")
    lines.skip(upgrade, "a future block entry")
    total = lines.count("the number of ordinates", 10_000_000)
    lines.skip(2 * len(columns), "the limits of a variable")
    values = _values(source, lines, total, len(columns))
    if scan == "IRREGULAR":
        x_label, x = " ".join(columns[0]), values[:, 0]
        ys = range(1, len(columns))
    else:
        x = start + step * np.arange(len(values))
        ys = range(len(columns))
    known = recognise(x, x_label=x_label, modality=layout.modality if layout else None)
    kind = known.x_kind if known.x_kind is not XKind.RAMAN_SHIFT else XKind.OTHER
    meta = {k: v for k, v in meta.items() if v not in ("", _UNKNOWN)}
    meta["x label"] = x_label
    return [
        source.spectrum(
            x, values[:, i],
            modality=known.modality, x_kind=kind,
            x_unit=known.x_unit if kind is known.x_kind else "",
            y_unit=y_axis(" ".join(columns[i])) or columns[i][1] or "a.u.",
            name=name if len(ys) == 1 else f"{name} {columns[i][0]}",
            sample=sample, metadata=meta,
        )
        for i in ys
    ]  # fmt: skip


def _values(source: Source, lines: _Lines, total: int, columns: int) -> np.ndarray:
    """Ordinates, shape (points, columns); fewer than promised are said."""
    if columns < 1 or total < 2 * columns:
        raise source.refuse(
            f"has a block of {total} values for {columns} variables.", "The file is damaged."
        )
    cells = []
    for line in lines.lines[lines.at : lines.at + total]:
        try:
            cells.append(float(line))
        except ValueError:
            break
    if len(cells) < total:
        cells = cells[:-1]
        source.warn(f"Cut off: {len(cells)} of {total} values of a block are there.")
    lines.at += total
    points = len(cells) // columns
    if points < 2:
        raise source.refuse(
            f"ends after {len(cells)} of {total} values of a block.", "Copy it again."
        )
    return np.array(cells[: points * columns]).reshape(points, columns)

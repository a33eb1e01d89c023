"""GSAS powder data: a title, then ``BANK`` lines with points behind them.

``BANK number channels records binning coefficients type``: with CONST (or CONS) binning x begins at
the first coefficient and goes on by the second, in hundredths of a degree. Type STD (the default)
has ten fields of eight characters on a line: two for the number of counters, six for their mean
counts; ESD five pairs of counts and deviation; FXYE, FXY one point per line with its own x, which
is in hundredths of a degree for CONST and in microseconds for time-of-flight binnings (SLOG,
LOG6, LPSD, RALF); ALT four points per line in fields of 8, 7 and 5 characters: x in 1/32
microsecond, counts and deviation with four decimals where no point is written.

Seen in real files: the last channel of STD data is often padding; it is left out, as GSAS-II
does, and that is said; banks that promise more channels than there are.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern

_BANK = re.compile(r"^BANK\s+(\d+)\s+(\d+)\s+(\d+)\s+(\w+)(.*)$", re.MULTILINE)


class GsasReader(Reader):
    """GSAS powder data."""

    name = "gsas"
    label = "GSAS powder data"
    vendors = "GSAS, GSAS-II, Mantid, beamline 11-BM"
    extensions = (".gsa", ".gda", ".gsas", ".fxye", ".xra", ".cwn", ".raw")
    tested_on = "9 real files: STD and FXYE, X-ray, neutron and time of flight"

    def sniff(self, source: Source) -> bool:
        """Whether the head holds a ``BANK`` line."""
        return re.search(rb"^BANK\s+\d+\s+\d+\s+\d+\s+[A-Z]", source.head, re.MULTILINE) is not None

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        text = source.text
        banks = list(_BANK.finditer(text))
        title = text[: banks[0].start()].strip()
        spectra = []
        for i, bank in enumerate(banks):
            check(i / len(banks), f"Reading {source.name}")
            end = banks[i + 1].start() if i + 1 < len(banks) else len(text)
            lines = [
                line for line in text[bank.end() : end].split("\n")
                if line.strip() and not line.startswith("#")
            ]  # fmt: skip
            coefficients = re.findall(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?(?![\w.])", bank[5])
            kind = next((k for k in ("ESD", "FXYE", "FXY", "ALT") if bank[5].split()[-1:] == [k]),
                        "STD")  # fmt: skip
            constant = bank[4].startswith("CONS")
            name = source.path.stem + (f" bank {bank[1]}" if len(banks) > 1 else "")
            try:
                x, y, sigma = _points(source, bank, lines, kind, [float(c) for c in coefficients])
            except ValueError as error:
                raise source.refuse(
                    f"has a bank with something else than numbers ({str(error)[:80]}).",
                    "It is damaged.",
                ) from error
            about = {"title": title, "bank": bank[0].strip()}
            band: dict[str, Any] = {} if sigma is None else {"lower": y - sigma, "upper": y + sigma}
            if constant:
                spectra.append(
                    pattern(source, x / 100, y, layout=layout, wavelength=_wavelength(title),
                            name=name, metadata=about, **band)
                )  # fmt: skip
            else:
                source.assume("Neutron time of flight in microseconds: no 2theta without the "
                              "instrument's constants.")  # fmt: skip
                spectra.append(
                    source.spectrum(x, y, modality="unknown", x_kind=XKind.OTHER, x_unit="us",
                                    y_unit="counts", name=name, metadata=about, **band)
                )  # fmt: skip
        return spectra


def _points(
    source: Source, bank: re.Match[str], lines: list[str], kind: str, coefficients: list[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    """x in the file's unit, y, and the standard deviation where there is one."""
    channels = int(bank[2])
    if kind == "ALT":
        cells = [line[i : i + 20] for line in lines for i in range(0, 80, 20) if line[i : i + 20]]
        table = np.array([
            (float(c[:8]) / 32, _fixed(c[8:15]), _fixed(c[15:20])) for c in cells if c.strip()
        ])[:channels]  # fmt: skip
        _tell_missing(source, channels, len(table))
        if len(table) < 2:
            raise source.refuse(f"has a bank of {len(table)} points.", "It is cut off.")
        return table[:, 0], table[:, 1], table[:, 2]
    if kind in ("FXYE", "FXY"):
        width = 2 if kind == "FXY" else 3
        rows = [line.split()[:width] for line in lines]
        table = np.array([[float(c) for c in row] for row in rows if len(row) == width])
        _tell_missing(source, channels, len(table))
        if len(table) < 2:
            raise source.refuse(f"has a bank of {len(table)} points.", "It is cut off.")
        return table[:, 0], table[:, 1], table[:, 2] if width == 3 else None
    if len(coefficients) < 2 or not bank[4].startswith("CONS"):
        raise source.refuse(
            f"has a bank with {bank[4]} binning, whose x only its own program knows.",
            "Export it with x (FXYE).",
        )
    if kind == "ESD":
        flat = np.array([float(v) for line in lines for v in line.split()])
        pairs = flat[: flat.size // 2 * 2].reshape(-1, 2)[:channels]
        _tell_missing(source, channels, len(pairs))
        y, sigma = pairs[:, 0], pairs[:, 1]
    else:
        cells = [line[i + 2 : i + 8] for line in lines for i in range(0, 80, 8)]
        y = np.array([float(c) for c in cells[: channels - 1] if c.strip()])
        sigma = None
        if channels - y.size > 1:
            _tell_missing(source, channels, y.size)
        else:
            source.assume("The last channel, often padding, is left out.")
    if y.size < 2:
        raise source.refuse(f"has a bank of {y.size} points.", "It is cut off.")
    x = coefficients[0] + coefficients[1] * np.arange(y.size, dtype=np.float64)
    return np.asarray(x, dtype=np.float64), y, sigma


def _fixed(text: str) -> float:
    """A number with four decimals where no point is written."""
    return float(text) if "." in text else float(text) / 1e4


def _tell_missing(source: Source, promised: int, found: int) -> None:
    if found < promised:
        source.warn(f"The bank promises {promised} channels, {found} were read.")


def _wavelength(title: str) -> float | None:
    match = re.search(r"(?i)(?:wavelength|lambda)\s*[=:]?\s*(\d\.\d+)|(\d\.\d{2,})\s?A\b", title)
    return float(match[1] or match[2]) if match else None

"""Photothermal ``.ptir``: HDF5 of mIRage instruments, a group per measurement.

Each ``Measurement_nnn`` holds ``Channel_nnn/Raw_Data`` (spectra x points) and
``Spectroscopic_Values``. Infrared (O-PTIR) and Raman measurements alternate in one file;
``IsRaman`` and ``ExcitationWavelength`` (metres) tell them apart. Background measurements are in
the file too and are left out by their ``IsBackground``.

Seen in real files: units as lists of single letters; the range of a Raman map in its attributes
(212-2070) differs from its stored axis (180-2116); the numbers are to be multiplied by the
channel's ``Scale`` (volts to the mV of its ``Units``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spectrogen_app.data.axis import XKind
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, SpectrumList, TextLayout
from spectrogen_app.io.maps import Part, spectra_of
from spectrogen_app.io.readers.nexus import (
    SIGNATURE,
    as_float,
    attribute,
    attributes,
    numbers,
    open_hdf5,
    walk,
)


class PhotothermalReader(Reader):
    """Photothermal Spectroscopy (O-PTIR) files."""

    name = "photothermal"
    label = "Photothermal PTIR"
    vendors = "Photothermal Spectroscopy mIRage (PTIR Studio)"
    extensions = (".ptir",)
    tested_on = "2 real files (spectra, hyperspectral map with Raman)"

    def sniff(self, source: Source) -> bool:
        """Whether it is HDF5 that names PTIR Studio."""
        return source.head.startswith(SIGNATURE) and (
            b"PTIR Studio" in source.head or source.suffix == ".ptir"
        )

    def read(
        self, source: Source, *, layout: TextLayout | None, check: Check
    ) -> list[Spectrum] | SpectrumList:
        """See :meth:`Reader.read`."""
        parts: list[Part] = []
        left_out = []
        with open_hdf5(source) as file:
            tree = walk(source, file)
            names = [p for p in tree.groups if p.startswith("Measurement_") and "/" not in p]
            for i, name in enumerate(sorted(names)):
                check(0.9 * i / len(names), f"Reading {source.name}")
                if attribute(tree.groups[name], "IsBackground") == "1":
                    left_out.append(attribute(tree.groups[name], "Label") or name)
                    continue
                parts += _measurement(source, tree, name)
        if left_out:
            source.assume(f"Backgrounds left out: {', '.join(left_out)[:200]}.")
        if not parts:
            raise source.refuse("holds no measured spectrum.", "Check that it was finished.")
        return spectra_of(source, parts)


def _measurement(source: Source, tree: Any, name: str) -> list[Part]:
    axis = tree.datasets.get(f"{name}/Spectroscopic_Values")
    if axis is None:
        source.warn(f"{name} has no axis and is left out.")
        return []
    x = as_float(numbers(source, axis, f"axis of {name}").ravel())
    group = tree.groups[name]
    pairs = attributes(group)
    raman = pairs.get("IsRaman") == "1"
    laser = None
    try:
        laser = float(pairs.get("ExcitationWavelength") or 0) * 1e9 if raman else None
        stated = [float(pairs[f"RangeWavenumber{k}"]) for k in ("Start", "End")]
        if raman and abs(stated[0] - x.min()) > 5:
            source.warn(f"{pairs.get('Label') or name}: the axis runs from {x.min():.1f} to "
                        f"{x.max():.1f} cm-1, but the settings say {stated[0]:.1f} to "
                        f"{stated[1]:.1f}.")  # fmt: skip
    except (KeyError, ValueError):
        pass
    position = tree.datasets.get(f"{name}/Position_Values")
    places = numbers(source, position, "positions") if position is not None else np.empty((0, 0))
    found = []
    for path in sorted(tree.groups):
        data = tree.datasets.get(f"{path}/Raw_Data")
        if not path.startswith(f"{name}/Channel_") or data is None:
            continue
        rows = numbers(source, data, f"data of {path}")
        if rows.ndim != 2 or rows.shape[1] != x.size:
            raise source.refuse(
                f"has data of shape {rows.shape} beside {x.size} x values in {path}.",
                "The file is damaged.",
            )
        maker = _maker(source, x, rows, pairs=pairs, channel=tree.groups[path], raman=raman,
                       laser=laser, places=places)  # fmt: skip
        found.append((rows, maker))
    return found


def _maker(
    source: Source, x: Any, rows: Any, *, pairs: dict[str, str], channel: Any, raman: bool,
    laser: float | None, places: Any,
) -> Any:  # fmt: skip
    label = pairs.get("Label", "") or source.path.stem
    signal, unit = attribute(channel, "Label"), attribute(channel, "Units")
    try:
        scale = float(attribute(channel, "Scale") or 1.0)
    except ValueError:
        scale = 1.0

    def make(index: int) -> Spectrum:
        parts = [label, signal if signal not in label else ""]
        meta: dict[str, Any] = {k: v for k, v in pairs.items() if v}
        if len(rows) > 1:
            parts.append(f"point {index + 1}")
            if index < len(places) and places.ndim == 2 and places.shape[1] >= 2:
                meta["Position (um)"] = tuple(float(v) for v in places[index][:2])
        return source.spectrum(
            x, as_float(rows[index]) * scale,
            modality="raman" if raman else "ir",
            x_kind=XKind.RAMAN_SHIFT if raman else XKind.WAVENUMBER,
            y_unit=unit or "a.u.", name=" ".join(p for p in parts if p),
            sample=source.path.stem, laser_nm=laser or None, metadata=meta,
        )  # fmt: skip

    return make

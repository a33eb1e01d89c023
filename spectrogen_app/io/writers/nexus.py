"""NeXus / HDF5: one NXentry per spectrum, with NXdata as nexusformat and silx plot it.

The group ``data`` names its signal and axes in attributes; the band is kept as ``lower`` and
``upper`` beside the signal. ``sample`` holds name and formula, ``process`` the description as text
and, in ``record``, as JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.io.writers.csv import describe, to_record
from spectrogen_app.paths import atomic_write

_X_NAMES = {
    "raman_shift": "raman_shift", "wavenumber": "wavenumber", "wavelength": "wavelength",
    "energy": "energy", "frequency": "frequency", "two_theta": "two_theta",
    "d_spacing": "d_spacing", "q": "q",
}  # fmt: skip
_UNITS = {"cm-1": "1/cm", "um": "µm", "deg": "degrees", "": ""}


def write(spectra: Sequence[Spectrum], path: Path) -> None:
    """Write spectra as NeXus.

    Parameters
    ----------
    spectra : sequence of Spectrum, at least one
    path : Path

    Raises
    ------
    WriteError
        The file cannot be written; an existing file stays as it was.
    """
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=True) as file:
        file.attrs["NX_class"] = "NXroot"
        file.attrs["default"] = "entry1"
        file.attrs["creator"] = "SpectroGen"
        file.attrs["file_time"] = datetime.now(UTC).isoformat()
        for i, spectrum in enumerate(spectra):
            _entry(_group(file, f"entry{i + 1}", "NXentry"), spectrum)
    with atomic_write(path) as stream:
        stream.write(buffer.getbuffer())


def _group(parent: Any, name: str, kind: str) -> Any:
    group = parent.create_group(name, track_order=True)
    group.attrs["NX_class"] = kind
    return group


def _entry(entry: Any, spectrum: Spectrum) -> None:
    entry.attrs["default"] = "data"
    entry["title"] = _text(spectrum.name)
    x_name = _X_NAMES.get(spectrum.x_kind.value, "x")
    data = _group(entry, "data", "NXdata")
    data.attrs["signal"] = "intensity"
    data.attrs["axes"] = [x_name]
    data.attrs[f"{x_name}_indices"] = [0]
    columns = {x_name: spectrum.x, "intensity": spectrum.y, "lower": spectrum.lower,
               "upper": spectrum.upper}  # fmt: skip
    for name, values in columns.items():
        if values is not None:
            data.create_dataset(name, data=values)
    data[x_name].attrs["units"] = _UNITS.get(spectrum.x_unit, spectrum.x_unit)
    data[x_name].attrs["long_name"] = spectrum.x_label
    data["intensity"].attrs["units"] = spectrum.y_unit
    data["intensity"].attrs["long_name"] = f"{spectrum.modality} ({spectrum.y_unit})"
    sample = _group(entry, "sample", "NXsample")
    sample["name"] = _text(spectrum.sample)
    if spectrum.formula:
        sample["chemical_formula"] = _text(spectrum.formula)
    if spectrum.laser_nm or spectrum.wavelength:
        instrument = _group(entry, "instrument", "NXinstrument")
        beam = _group(instrument, "beam_incident", "NXbeam")
        unit = "nm" if spectrum.laser_nm else "angstrom"
        beam["wavelength"] = spectrum.laser_nm or spectrum.wavelength
        beam["wavelength"].attrs["units"] = unit
    process = _group(entry, "process", "NXprocess")
    process["program"] = "SpectroGen"
    process["origin"] = spectrum.origin.value
    process["record"] = json.dumps(to_record(spectrum))
    note = _group(process, "description", "NXnote")
    note["type"] = "text/plain"
    note["data"] = _text("\n".join(f"{key}: {value}" for key, value in describe(spectrum)))


def _text(text: str) -> str:
    """Text that HDF5 can hold: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

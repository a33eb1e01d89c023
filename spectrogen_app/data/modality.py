"""The modalities a spectrum can have, declared as data."""

from __future__ import annotations

from dataclasses import dataclass

from spectrogen_app.data.axis import XKind, YUnit
from spectrogen_app.errors import SpectrumError


@dataclass(frozen=True)
class Modality:
    """A kind of measurement.

    Attributes
    ----------
    name : str
        Short key, as in files and on the command line.
    label : str
        As shown to people.
    x_kind : XKind
        The usual axis.
    y_unit : YUnit
        The usual ordinate.
    reversed_x : bool
        Drawn from high to low by convention.
    """

    name: str
    label: str
    x_kind: XKind
    y_unit: YUnit
    reversed_x: bool = False


MODALITIES: dict[str, Modality] = {
    m.name: m
    for m in (
        Modality("raman", "Raman", XKind.RAMAN_SHIFT, YUnit.INTENSITY),
        Modality("ir", "Infrared", XKind.WAVENUMBER, YUnit.ABSORBANCE, reversed_x=True),
        Modality("xrd", "Powder XRD", XKind.TWO_THETA, YUnit.COUNTS),
        Modality("fir", "Far infrared", XKind.WAVENUMBER, YUnit.ABSORBANCE, reversed_x=True),
        Modality("uvvis", "UV-Vis", XKind.WAVELENGTH, YUnit.ABSORBANCE),
        Modality("emission", "Emission", XKind.WAVELENGTH, YUnit.INTENSITY),
        Modality("unknown", "Other", XKind.OTHER, YUnit.INTENSITY),
    )
}


def modality(name: str) -> Modality:
    """The modality of that name.

    Raises
    ------
    SpectrumError
        No such modality.
    """
    try:
        return MODALITIES[name]
    except KeyError:
        raise SpectrumError(
            f"{name!r} is not a modality.",
            hint=f"Known: {', '.join(MODALITIES)}.",
            modality=name,
        ) from None

"""What a spectrum is, told from its header, its name, its axis labels and its range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import K_ALPHA, XKind, YUnit, default_unit
from spectrogen_app.data.modality import MODALITIES


@dataclass(frozen=True)
class Recognised:
    """Modality and axes of a spectrum.

    Attributes
    ----------
    modality : str
    x_kind : XKind
    x_unit, y_unit : str
    assumption : str
        Sentence for the user; empty when the file states it plainly.
    sure : bool
        False when only the numbers told.
    """

    modality: str
    x_kind: XKind
    x_unit: str
    y_unit: str
    assumption: str = ""
    sure: bool = True


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_CM1 = (
    r"cm\s*\^?\s*[-−–]?\s*\(?[-−–⁻]\s*\(?[1¹]\)?|cm\s*⁻¹|1\s*/\s*cm|/cm\b|\bcm[-_]?1\b|\brcm-?1\b|"
    r"kayser"
)
_X_LABELS: tuple[tuple[re.Pattern[str], XKind, str], ...] = (
    (_words(r"raman[\s_-]*shift|rel(ative|\.)?\s*(1/cm|cm|wave)|Δ\s*(ν|v|k)|stokes|rel\.\s*1/cm|"
            r"\br1?/?cm-?1\b|raman-?verschiebung|d[ée](placement|calage) raman|"
            r"desplazamiento raman|拉曼位移|ラマンシフト|shift\s*[/(\[,]?\s*(cm|1/cm|rcm)"),
     XKind.RAMAN_SHIFT, "cm-1"),
    (_words(r"2\s*[-_ ]?\s*(theta|θ|th\b)|two[\s_-]*theta|\btth\b|2th(eta)?(?![a-z])|\bangle\b|"
            r"scattering angle|\bCoupled TwoTheta"), XKind.TWO_THETA, "deg"),
    (_words(r"wave\s*-?\s*numbers?|wellenzahl|nombre d.onde|n[uú]mero d[ei]? ?.?onda|波数|"
            + _CM1), XKind.WAVENUMBER, "cm-1"),
    (_words(r"\bd[\s_-]*spacing|\bd\s*[/(\[]\s*(å|a\b|ang)|\bd_?value"),
     XKind.D_SPACING, "angstrom"),
    (_words(r"\bq\b.*(nm|nm\^-1)"), XKind.Q, "1/nm"),
    (_words(r"\bq\b\s*[/(\[]?.*(å|ang|a\^?-1|1/a)|^q$|q[\s_-]*value"), XKind.Q, "1/angstrom"),
    (_words(r"(?<![a-z])(µ|μ|u)m\b|micro(n|met)"), XKind.WAVELENGTH, "um"),
    (_words(r"wave\s*-?\s*length|wellenl[aä]e?nge|longueur d.onde|longitud de onda|"
            r"lunghezza d.onda|波长|波長|\bnm\b|nanomet|\blambda\b|λ"), XKind.WAVELENGTH, "nm"),
    (_words(r"\bmev\b"), XKind.ENERGY, "meV"),
    (_words(r"\bev\b|electron\s*-?volt"), XKind.ENERGY, "eV"),
    (_words(r"\bthz\b|terahertz"), XKind.FREQUENCY, "THz"),
)  # fmt: skip
_BARE_UNITS = {
    "deg": (XKind.TWO_THETA, "deg"), "angstrom": (XKind.D_SPACING, "angstrom"),
    "1/angstrom": (XKind.Q, "1/angstrom"), "1/nm": (XKind.Q, "1/nm"),
}  # fmt: skip
"""Units that are the whole label."""
_X_NOT = _words(r"\b(absorb|intensit|counts?|transm|reflect|time|pixel|index|point)")

_Y_LABELS: tuple[tuple[re.Pattern[str], YUnit], ...] = (
    (_words(r"%\s*t\b|%\s*transm|transm\w*\s*[\[(/,]?\s*%|percent\s*transm|\bt\s*[\[(]?%"),
     YUnit.TRANSMITTANCE_PERCENT),
    (_words(r"%\s*r\b|%\s*refl|refl\w*\s*[\[(/,]?\s*%|percent\s*refl|\br\s*[\[(]?%"),
     YUnit.REFLECTANCE_PERCENT),
    (_words(r"log\s*\(?\s*1\s*/\s*r"), YUnit.LOG_REFLECTANCE),
    (_words(r"kubelka|\bk\.?-?m\.?\b"), YUnit.KUBELKA_MUNK),
    (_words(r"absor[bv]|extin[ck]t|assorban|吸光度|\babs\b|\bab\b"), YUnit.ABSORBANCE),
    (_words(r"transm|durchl[aä]ssig|透过率|透過率"), YUnit.TRANSMITTANCE),
    (_words(r"refle[ck][tx]|反射率"), YUnit.REFLECTANCE),
    (_words(r"counts?\s*(/|per)\s*s|\bcps\b|counts/sec"), YUnit.CPS),
    (_words(r"counts?|cnts?\b|\badc\b|\bdet\b"), YUnit.COUNTS),
)  # fmt: skip

_MODALITY_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_words(r"raman|rruff.*\b(514|532|780|785)\b"), "raman"),
    (_words(r"infra-?\s?red|ft-?\s?ir|(?<![a-z])ir(?![a-z]|\d{3})|(?<![a-z])(atr|drifts?)(?![a-z])|"
            r"mid-?ir"), "ir"),
    (_words(r"(?<![a-z])p?xrd(?![a-z])|x-?\s?ray|diffract|(?<![a-z])powder(?![a-z])|"
            r"(?<![a-z])cu\s?-?k|k-?alpha|two-?\s?theta|2-?theta"), "xrd"),
    (_words(r"uv-?\s?/?-?vis|ultra-?violet"), "uvvis"),
    (_words(r"fluoresc|luminesc|emission"), "emission"),
)  # fmt: skip
_OPTICAL_ABSORPTION = {
    YUnit.ABSORBANCE, YUnit.TRANSMITTANCE, YUnit.TRANSMITTANCE_PERCENT, YUnit.REFLECTANCE,
    YUnit.REFLECTANCE_PERCENT, YUnit.LOG_REFLECTANCE, YUnit.KUBELKA_MUNK, YUnit.ATR,
}  # fmt: skip
FAR_INFRARED_TOP = 750.0
"""An infrared spectrum that ends below this (cm-1) is far infrared."""


def x_axis(label: str) -> tuple[XKind, str] | None:
    """Axis kind and unit that a column title or axis label names, or None."""
    if label in _BARE_UNITS:
        return _BARE_UNITS[label]
    for pattern, kind, unit in _X_LABELS:
        if pattern.search(label):
            if kind in (XKind.WAVELENGTH, XKind.ENERGY) and _X_NOT.search(label):
                return None
            return kind, unit
    return None


def y_axis(label: str) -> str:
    """Ordinate unit that a column title or axis label names, or an empty string."""
    for pattern, unit in _Y_LABELS:
        if pattern.search(label):
            return unit.value
    return ""


def laser_nm(text: str) -> float | None:
    """The laser line that a header or name tells, nm; only usual lines count."""
    for match in re.finditer(
        r"(?i)(?:laser|excit|raman|wl)[^\n\d]{0,40}?(\d{3,4}(?:[.,]\d+)?)|"
        r"(?<![\d.])(\d{3,4}(?:\.\d+)?)\s?nm|__(\d{3})__", text,
    ):  # fmt: skip
        value = float((match[1] or match[2] or match[3]).replace(",", "."))
        if any(abs(value - line) <= 3.1 for line in _LASERS):
            return value
    return None


_LASERS = (
    229, 244, 257, 266, 325, 355, 405, 442, 457, 473, 488, 514.5, 532, 561, 568, 594, 633, 638,
    647, 660, 671, 676, 690, 752, 780, 785, 808, 830, 976, 1030, 1064,
)  # fmt: skip


def xray_wavelength(pairs: Mapping[str, object]) -> float | None:
    """The X-ray wavelength that header pairs tell, angstrom: a number, or a named line."""
    for key, value in pairs.items():
        if re.search(r"(?i)wave\s*-?length|lambda|λ|x-?ray", key):
            for match in re.finditer(r"(?<![\w.])\d?[.,]\d+([eE][-+]?\d+)?", str(value)):
                number = float(match[0].replace(",", "."))
                number *= 1e10 if number < 1e-9 else 1
                if 0.1 < number < 3:
                    return number
    for key, value in pairs.items():
        if re.search(r"(?i)anode|tube|target|radiation|source", key):
            named = re.search(r"(?i)\b(Cu|Co|Mo|Cr|Fe|Ag)\b", str(value))
            if named:
                return K_ALPHA[named[1].capitalize()]
    return None



def recognise(
    x: NDArray[np.float64],
    *,
    x_label: str = "",
    y_label: str = "",
    header: str = "",
    path: Path | None = None,
    modality: str | None = None,
) -> Recognised:
    """What a spectrum is.

    Header words win over the axis labels' hints, these over the file name, and the name over the
    range of x. A modality given by the user wins over all.

    Parameters
    ----------
    x : ndarray, shape (n,)
        In the file's unit.
    x_label, y_label : str
        Titles or units of the columns.
    header : str
        Free text of the header.
    path : Path, optional
    modality : str, optional
        The user's choice.
    """
    axis = x_axis(x_label)
    unit_y = y_axis(y_label)
    said, because = modality, ""
    if said is None:
        said, because = _from_words(f"{header}\n{x_label}\n{y_label}"), "the header"
    if said is None and path is not None:
        said, because = _from_words(path.name.replace("_", " ")), "the file name"
    if axis is None:
        named = bool(x_label) and not _NO_NAME.fullmatch(x_label.strip(" \"'#()[]"))
        return _unlabelled(x, said, because if modality is None else "", unit_y, named)
    kind, unit = axis
    found = _by_axis(x, kind, unit, said, unit_y)
    if found == "raman" and kind is XKind.WAVENUMBER:
        kind, unit = XKind.RAMAN_SHIFT, "cm-1"
    if found in ("ir", "fir") and kind is XKind.RAMAN_SHIFT:
        kind = XKind.WAVENUMBER
    assumption = ""
    if modality is None and found != said and kind is XKind.WAVENUMBER:
        label = MODALITIES[found].label
        assumption = f"Taken as {label} from its range and ordinate; correct it if it is Raman."
    elif modality is None and found == "raman" and said is None and kind is XKind.RAMAN_SHIFT:
        assumption = "" if axis[0] is XKind.RAMAN_SHIFT else "Taken as Raman from its range."
    elif modality is None and because == "the file name" and found == said:
        assumption = f"Taken as {MODALITIES[found].label} from the file name."
    return Recognised(found, kind, unit, unit_y or MODALITIES[found].y_unit.value, assumption)


def _from_words(text: str) -> str | None:
    hits = {name for pattern, name in _MODALITY_WORDS if pattern.search(text)}
    if len(hits) == 2 and "emission" in hits:
        hits.discard("emission")
    return hits.pop() if len(hits) == 1 else None


def _by_axis(x: NDArray[np.float64], kind: XKind, unit: str, said: str | None, unit_y: str) -> str:
    """The modality that fits a known axis; words decide between those that fit."""
    if kind in (XKind.TWO_THETA, XKind.D_SPACING, XKind.Q):
        return "xrd"
    if kind is XKind.RAMAN_SHIFT:
        return said if said in ("raman", "ir", "fir") else "raman"
    absorbs = unit_y in _OPTICAL_ABSORPTION
    if kind is XKind.WAVENUMBER:
        if said in ("raman", "uvvis", "emission"):
            return said
        if said is None and not absorbs and float(np.min(x)) < 350 and float(np.max(x)) < 12000:
            return "raman"
        if float(np.min(x)) > 12000:
            return "uvvis" if absorbs else "emission"
        return "fir" if float(np.max(x)) < FAR_INFRARED_TOP else "ir"
    if kind is XKind.WAVELENGTH:
        if said in ("raman", "ir", "fir", "uvvis", "emission"):
            return said
        if absorbs:
            return "ir" if unit == "um" or float(np.min(x)) > 2000 else "uvvis"
        return "emission"
    if kind is XKind.FREQUENCY:
        return said or "fir"
    return said if said in ("raman", "ir", "uvvis", "emission") else "unknown"


_NO_NAME = _words(r"[\w.;,]{0,3}|x[\s_-]?(data|axis|values?)?|col(umn)?\s*\d*|wave|a\.?u\.?")
"""Titles of an x column that tell nothing."""


def _unlabelled(
    x: NDArray[np.float64], said: str | None, because: str, unit_y: str, named: bool
) -> Recognised:
    """No known label on x: the words where the range allows them, else the range, decide."""
    low, high = float(np.min(x)), float(np.max(x))
    spacing = (high - low) / max(x.size - 1, 1)
    if because != "" and said == "xrd" and not (low > -20 and high <= 180):
        said = None
    sure = said is not None
    if said is None:
        because = "the range of x alone"
        counting = low in (0, 1) and x.size > 9 and np.array_equal(x, np.arange(x.size) + low)
        if named or counting:
            said = "unknown"
        elif low > -5 and high <= 165 and high - low > 5 and spacing <= 0.15:
            said = "xrd"
        elif unit_y in _OPTICAL_ABSORPTION and low > 150 and high < 3300 and spacing >= 0.2:
            said = "uvvis" if high < 1200 else "ir"
        elif low >= 350 and 1800 < high < 8000:
            said = "ir"
        elif -1500 < low < 350 and 1150 < high < 8000:
            said = "raman"
        else:
            said = "unknown"
    if said == "ir" and high < FAR_INFRARED_TOP:
        said = "fir"
    declared = MODALITIES[said]
    if said == "unknown":
        text = "The axis is not named and its range does not tell what it is; choose the modality."
    else:
        text = f"Taken as {declared.label}, x as {_axis_words(declared.x_kind)}"
        text += f", from {because}." if because else "."
    return Recognised(
        said, declared.x_kind, default_unit(declared.x_kind),
        unit_y or declared.y_unit.value, text, sure,
    )  # fmt: skip


def _axis_words(kind: XKind) -> str:
    return {
        XKind.RAMAN_SHIFT: "Raman shift in cm-1", XKind.WAVENUMBER: "wavenumber in cm-1",
        XKind.TWO_THETA: "2theta in degrees", XKind.WAVELENGTH: "wavelength in nm",
    }.get(kind, kind.value)  # fmt: skip

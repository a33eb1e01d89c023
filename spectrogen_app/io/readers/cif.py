"""CIF: measured powder profiles (pdCIF), Raman spectra (ROD), and structures.

A profile stands in a loop of ``_pd_meas_*`` or ``_pd_proc_*`` items; x is an item of the loop, or
follows from ``_pd_meas_2theta_range_min``, ``_max`` and ``_inc``. The Raman Open Database uses
``_raman_spectrum.raman_shift`` and ``.intensity``. From a structure without a profile the powder
pattern is calculated and marked as simulated: kinematic, |F|^2 from neutral-atom form factors
(International Tables C, as in gemmi) and isotropic displacements, multiplicity, Lorentz and
polarisation factor of a powder without monochromator, pseudo-Voigt lines of one width.

Seen in real files: refinements that describe a powder measurement but hold no profile; two blocks,
of which one has the profile; standard uncertainties in brackets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.axis import CU_KALPHA, XKind
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Check
from spectrogen_app.io.base import Reader, Source, TextLayout
from spectrogen_app.io.diffraction import pattern

_X_ITEMS = (
    ("_pd_meas_2theta_scan", "2theta"), ("_pd_proc_2theta_corrected", "2theta"),
    ("_pd_meas_2theta_corrected", "2theta"), ("_pd_proc_d_spacing", "d"),
    ("_pd_meas_time_of_flight", "tof"),
)  # fmt: skip
_Y_ITEMS = (
    "_pd_meas_counts_total", "_pd_meas_intensity_total", "_pd_meas_intensity_net",
    "_pd_proc_intensity_total", "_pd_proc_intensity_net",
)  # fmt: skip
_GRID = (5.0, 90.0, 0.02)
"""First and last 2theta and step of a calculated pattern, degrees."""
_MAX_TERMS = 300_000_000
"""Reflections times atoms; larger structures are refused."""


class CifReader(Reader):
    """CIF files."""

    name = "cif"
    label = "CIF"
    vendors = "IUCr, COD, AMCSD, ROD; GSAS, FullProf, TOPAS"
    extensions = (".cif", ".rod", ".rtv")
    tested_on = "4 powder, 6 structure and 1 Raman real files"

    def sniff(self, source: Source) -> bool:
        """Whether a data block begins in the head, and items of CIF follow."""
        head = source.head.lower()
        begins = head.startswith(b"data_") or b"\ndata_" in head or b"\rdata_" in head
        return begins and (b"\n_" in head or b"\r_" in head or b"loop_" in head)

    def read(self, source: Source, *, layout: TextLayout | None, check: Check) -> list[Spectrum]:
        """See :meth:`Reader.read`."""
        import gemmi

        try:
            document = gemmi.cif.read_string(source.text)
        except (ValueError, RuntimeError) as error:
            raise source.refuse(
                f"is no valid CIF ({error}).", "It is cut off or damaged."
            ) from error
        spectra: list[Spectrum] = []
        for block in document:
            spectra += _measured(source, block, layout)
        if spectra:
            return spectra
        for i, block in enumerate(document):
            check(i / len(document), f"Calculating patterns of {source.name}")
            calculated = _calculated(source, block, layout or TextLayout())
            if calculated is not None:
                spectra.append(calculated)
        if not spectra:
            raise source.refuse(
                "holds neither a measured profile nor a structure with atoms.",
                "Take the CIF with the atoms, or the one with the powder profile.",
            )
        return spectra


def _measured(source: Source, block: Any, layout: TextLayout | None) -> list[Spectrum]:
    shift = _column(block, "_raman_spectrum.raman_shift")
    intensity = _column(block, "_raman_spectrum.intensity")
    about = _pairs(block)
    formula = about.get("_chemical_formula_sum", "").replace(" ", "") or None
    sample = about.get("_chemical_name_mineral") or about.get("_chemical_name_common") or ""
    if shift is not None and intensity is not None and shift.size == intensity.size:
        laser = _number(about.get("_raman_measurement_device.excitation_laser_wavelength"))
        return [
            source.spectrum(
                shift, intensity, modality="raman", x_kind=XKind.RAMAN_SHIFT, sample=sample,
                formula=formula, laser_nm=laser, metadata=about,
            )
        ]  # fmt: skip
    y_name = next((n for n in _Y_ITEMS if _column(block, n) is not None), None)
    if y_name is None:
        return []
    y = _column(block, y_name)
    assert y is not None
    wavelength = _number(about.get("_diffrn_radiation_wavelength"))
    for x_name, axis in _X_ITEMS:
        x = _column(block, x_name)
        if x is None or x.size != y.size:
            continue
        if axis == "2theta":
            return [pattern(source, x, y, layout=layout, wavelength=wavelength, sample=sample,
                            formula=formula, metadata=about)]  # fmt: skip
        kind, unit = (XKind.D_SPACING, "angstrom") if axis == "d" else (XKind.OTHER, "us")
        return [
            source.spectrum(
                x, y, modality="xrd" if axis == "d" else "unknown", x_kind=kind, x_unit=unit,
                sample=sample, formula=formula, metadata=about,
            )
        ]  # fmt: skip
    for stem in ("_pd_meas_2theta_range", "_pd_proc_2theta_range"):
        start, end = _number(about.get(f"{stem}_min")), _number(about.get(f"{stem}_max"))
        step = _number(about.get(f"{stem}_inc"))
        if start is None or step is None:
            continue
        if end is not None and abs((end - start) / step + 1 - y.size) > 0.5:
            promised = f"{(end - start) / step + 1:.0f}"
            source.warn(f"The range promises {promised} points, the loop holds {y.size}.")
        angles = start + step * np.arange(y.size)
        return [pattern(source, angles, y, layout=layout, wavelength=wavelength, sample=sample,
                        formula=formula, metadata=about)]  # fmt: skip
    source.warn("A profile without x was left out.")
    return []


def _column(block: Any, name: str) -> NDArray[np.float64] | None:
    import gemmi

    column = block.find_values(name)
    if len(column) < 2:
        return None
    return np.array([gemmi.cif.as_number(v) for v in column], dtype=np.float64)


def _pairs(block: Any) -> dict[str, str]:
    import gemmi

    found = {}
    for item in block:
        if item.pair is not None:
            key, value = item.pair
            if value not in ("?", "."):
                found[key] = gemmi.cif.as_string(value).strip()[:5000]
    return found


def _number(text: str | None) -> float | None:
    import gemmi

    value = gemmi.cif.as_number(text) if text else float("nan")
    return float(value) if np.isfinite(value) else None


def _calculated(source: Source, block: Any, layout: TextLayout) -> Spectrum | None:
    import gemmi

    try:
        structure = gemmi.make_small_structure_from_block(block)
    except (ValueError, RuntimeError) as error:
        raise source.refuse(
            f"has a structure that cannot be read ({error}).", "It is damaged; download it again."
        ) from error
    if not structure.sites or structure.cell.volume < 1:
        return None
    about = _pairs(block)
    wavelength, fwhm = layout.wavelength or CU_KALPHA, layout.width or 0.1
    if not (0.1 <= wavelength <= 5 and 0.01 <= fwhm <= 5):
        raise source.refuse(
            f"cannot be calculated for {wavelength:g} Å and lines {fwhm:g}° wide.",
            "Choose 0.1 to 5 Å and 0.01 to 5°.",
        )
    x, y = calculated_pattern(source, structure, wavelength, fwhm)
    source.assume(
        f"Calculated from the structure for {wavelength:g} Å"
        f"{' (Cu K-alpha)' * (wavelength == CU_KALPHA)}, lines {fwhm:g}° wide."
    )
    name = about.get("_chemical_name_mineral") or about.get("_chemical_name_common") or block.name
    return source.spectrum(
        x, y, modality="xrd", x_kind=XKind.TWO_THETA, y_unit="a.u.", wavelength=wavelength,
        name=f"{name} (calculated)", sample=about.get("_chemical_name_mineral", ""),
        formula=about.get("_chemical_formula_sum", "").replace(" ", "") or None,
        origin=Origin.SIMULATED, metadata=about,
    )  # fmt: skip


def calculated_pattern(
    source: Source, structure: Any, wavelength: float, fwhm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Powder pattern of a structure, the strongest point 100.

    Parameters
    ----------
    source : Source
        Named in errors; told what was assumed.
    structure : gemmi.SmallStructure
    wavelength : float
        Angstrom.
    fwhm : float
        Full width of the lines at half maximum, degrees; half Gaussian, half Lorentzian.

    Returns
    -------
    x, y : ndarray, shape (n,)
        2theta in degrees, and intensity.

    Raises
    ------
    ReadError
        Too many atoms and reflections, or no reflection in range.
    """
    import gemmi

    group = structure.spacegroup
    if group is None:
        source.assume("The space group is not known: the atoms are taken as they are listed.")
        group = gemmi.SpaceGroup("P 1")
    d_min = wavelength / (2 * np.sin(np.radians(_GRID[1] / 2)))
    sites = structure.get_all_unit_cell_sites()
    estimate = 4 / 3 * np.pi * structure.cell.volume / d_min**3
    if estimate * len(sites) > _MAX_TERMS:
        raise source.refuse(
            f"has {len(sites)} atoms in a cell of {structure.cell.volume:.0f} Å³: too large for a "
            "calculated pattern.",
            "Calculate it with a program for large structures.",
        )
    hkl = gemmi.make_miller_array(structure.cell, group, d_min, 1e3, unique=True)
    if len(hkl) == 0:
        raise source.refuse("gives no reflection below 90°.", "Check its cell.")
    d = structure.cell.calculate_d_array(hkl)
    theta = np.arcsin(np.clip(wavelength / (2 * d), 0, 1))
    strength = _multiplicity(hkl, group) * _squared_factors(hkl, d, sites)
    strength *= (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    start, end, step = _GRID
    x = np.linspace(start, end, round((end - start) / step) + 1)
    y = _lines(x, np.degrees(2 * theta), strength, fwhm)
    top = y.max()
    if not top > 0:
        raise source.refuse("gives no intensity below 90°.", "Check its cell and atoms.")
    return x, 100 * y / top


def _multiplicity(hkl: NDArray[np.int32], group: Any) -> NDArray[np.float64]:
    """Equivalent reflections in the Laue class."""
    rotations = {tuple(map(tuple, op.rot)) for op in group.operations()}
    matrices = np.array(list(rotations), dtype=np.int64) // 24
    images = np.einsum("ni,oij->noj", hkl.astype(np.int64), matrices)
    images = np.concatenate([images, -images], axis=1)
    codes = (images[..., 0] * 4096 + images[..., 1]) * 4096 + images[..., 2]
    codes.sort(axis=1)
    return 1.0 + np.count_nonzero(np.diff(codes, axis=1), axis=1)


def _squared_factors(
    hkl: NDArray[np.int32], d: NDArray[np.float64], sites: Any
) -> NDArray[np.float64]:
    """|F|^2 per reflection, summed over all atoms of the cell."""
    stol2 = 1 / (4 * d**2)
    places = np.array([[s.fract.x, s.fract.y, s.fract.z] for s in sites])
    factors: dict[str, NDArray[np.float64]] = {}
    total = np.zeros(len(hkl), dtype=np.complex128)
    for site, place in zip(sites, places, strict=True):
        symbol = site.element.name
        if symbol not in factors:
            shape = site.element.it92
            if shape is None:
                continue
            factors[symbol] = shape.c + sum(
                a * np.exp(-b * stol2) for a, b in zip(shape.a, shape.b, strict=True)
            )
        u = site.u_iso or (site.aniso.u11 + site.aniso.u22 + site.aniso.u33) / 3
        damping = np.exp(-8 * np.pi**2 * min(max(u, 0.0), 1.0) * stol2)
        total += site.occ * factors[symbol] * damping * np.exp(2j * np.pi * (hkl @ place))
    return np.abs(total) ** 2


def _lines(
    x: NDArray[np.float64],
    centres: NDArray[np.float64],
    strength: NDArray[np.float64],
    fwhm: float,
) -> NDArray[np.float64]:
    """Sum of pseudo-Voigt lines: sticks shared between neighbouring points, then convolved."""
    step = x[1] - x[0]
    place = (centres - x[0]) / step
    low = np.floor(place).astype(int)
    share = place - low
    sticks = np.zeros(x.size)
    for at, weight in ((low, 1 - share), (low + 1, share)):
        inside = (at >= 0) & (at < x.size)
        np.add.at(sticks, at[inside], (strength * weight)[inside])
    reach = np.arange(-x.size, x.size + 1) * step
    gauss = np.exp(-4 * np.log(2) * (reach / fwhm) ** 2) * 2 * np.sqrt(np.log(2) / np.pi) / fwhm
    lorentz = fwhm / (2 * np.pi) / (reach**2 + (fwhm / 2) ** 2)
    from scipy.signal import fftconvolve

    full = fftconvolve(sticks, 0.5 * gauss + 0.5 * lorentz)
    return np.clip(full[x.size : 2 * x.size], 0, None)

"""Compute the bundled example spectra from published facts.

    python resources/examples/make_examples.py

Raman and infrared curves are sums of pseudo-Voigt bands at published positions; strengths and
widths are the rounded description of the published spectra. Powder patterns follow from published
crystal structures: |F|^2 with the form factors of the International Tables (gemmi), anomalous
scattering, an isotropic B, multiplicity and the Lorentz-polarisation factor, for the weighted mean
of Cu K-alpha. Nothing here was measured, and every file says "simulated" in its header. SOURCES.md,
written by the same run, lists where each number comes from.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bands = tuple[tuple[float, float, float], ...]
FOLDER = Path(__file__).resolve().parent
CU_KALPHA = 1.541838
PHOTON_EV = 8041.0
RAMAN_X = np.arange(100.0, 1401.0, 1.0)
IR_X = np.arange(400.0, 4001.0, 4.0)
XRD_X = np.round(np.arange(5.0, 90.001, 0.04), 4)
FWHM_DEG = 0.16


@dataclass(frozen=True)
class Mineral:
    """What is published about a mineral.

    Attributes
    ----------
    name, formula : str
    spacegroup : str
        As gemmi spells it, with the origin where there are two.
    cell : tuple of float
        a, b, c (angstrom), alpha, beta, gamma (degrees).
    sites : tuple of (element, x, y, z)
    raman, ir : tuple of (position cm-1, height, full width at half maximum cm-1)
    sources : tuple of str
        Of the structure, of Raman, of infrared.
    b_iso : float
        Angstrom squared.
    """

    name: str
    formula: str
    spacegroup: str
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[tuple[str, float, float, float], ...]
    raman: Bands
    ir: Bands
    sources: tuple[str, str, str]
    b_iso: float = 0.6


MINERALS = (
    Mineral(
        "Quartz", "SiO2", "P 32 2 1", (4.916, 4.916, 5.4054, 90, 90, 120),
        (("Si", 0.4697, 0.0, 2 / 3), ("O", 0.4135, 0.2669, 0.7858)),
        ((128, 35, 6), (206, 40, 22), (265, 5, 8), (355, 8, 8), (394, 4, 10), (402, 4, 8),
         (464, 100, 8), (696, 2, 8), (795, 3, 10), (807, 4, 10), (1066, 1, 10), (1082, 4, 10),
         (1161, 4, 12)),
        ((400, 25, 25), (450, 85, 35), (512, 12, 25), (694, 15, 12), (779, 27, 14), (797, 32, 16),
         (1055, 90, 50), (1085, 55, 45), (1165, 22, 25)),
        ("Levien, Prewitt and Weidner, Am. Mineral. 65 (1980) 920",
         "Scott and Porto, Phys. Rev. 161 (1967) 903",
         "Spitzer and Kleinman, Phys. Rev. 121 (1961) 1324"),
    ),
    Mineral(
        "Calcite", "CaCO3", "R -3 c :H", (4.991, 4.991, 17.062, 90, 90, 120),
        (("Ca", 0, 0, 0), ("C", 0, 0, 0.25), ("O", 0.2570, 0, 0.25)),
        ((155, 15, 8), (282, 40, 11), (712, 13, 6), (1086, 100, 5)),
        ((712, 28, 8), (848, 5, 8), (872, 75, 12), (1400, 100, 85), (1430, 25, 70),
         (1795, 1.5, 10), (2513, 2, 50)),
        ("Maslen, Streltsov and Streltsova, Acta Cryst. B49 (1993) 636",
         "Rutt and Nicola, J. Phys. C 7 (1974) 4522",
         "White, in Farmer (ed.), The Infrared Spectra of Minerals (1974) 227"),
    ),
    Mineral(
        "Dolomite", "CaMg(CO3)2", "R -3 :H", (4.8064, 4.8064, 16.006, 90, 90, 120),
        (("Ca", 0, 0, 0), ("Mg", 0, 0, 0.5), ("C", 0, 0, 0.24287),
         ("O", 0.2480, -0.0354, 0.24393)),
        ((176, 16, 8), (299, 42, 11), (335, 2, 10), (725, 9, 7), (1098, 100, 6)),
        ((728, 28, 8), (852, 5, 8), (879, 70, 12), (1415, 100, 85), (1440, 20, 70), (1818, 1, 10),
         (2530, 2, 50)),
        ("Ross and Reeder, Am. Mineral. 77 (1992) 412",
         "Nicola, Scott, Couto and Correa, Phys. Rev. B 14 (1976) 4676",
         "White, in Farmer (ed.), The Infrared Spectra of Minerals (1974) 227"),
    ),
    Mineral(
        "Aragonite", "CaCO3", "P m c n", (4.9616, 7.9705, 5.7394, 90, 90, 90),
        (("Ca", 0.25, 0.41508, 0.75985), ("C", 0.25, 0.76211, -0.08622),
         ("O", 0.25, 0.92224, -0.09557), ("O", 0.47347, 0.68065, -0.08726)),
        ((142, 9, 7), (153, 35, 8), (180, 10, 8), (190, 8, 9), (206, 30, 9), (214, 8, 8),
         (250, 2, 10), (261, 3, 10), (272, 3, 10), (284, 2, 10), (701, 9, 5), (705, 16, 5),
         (717, 2, 5), (853, 2, 5), (1085, 100, 5)),
        ((700, 10, 6), (712, 24, 7), (844, 10, 10), (855, 75, 12), (1083, 14, 7), (1450, 85, 75),
         (1480, 60, 75), (1787, 2, 10), (2520, 2, 50)),
        ("De Villiers, Am. Mineral. 56 (1971) 758",
         "Frech, Wang and Bates, Spectrochim. Acta 36A (1980) 915",
         "White, in Farmer (ed.), The Infrared Spectra of Minerals (1974) 227"),
    ),
    Mineral(
        "Forsterite", "Mg2SiO4", "P b n m", (4.7535, 10.1943, 5.9807, 90, 90, 90),
        (("Mg", 0, 0, 0), ("Mg", 0.9915, 0.2774, 0.25), ("Si", 0.4262, 0.0940, 0.25),
         ("O", 0.7657, 0.0913, 0.25), ("O", 0.2215, 0.4474, 0.25),
         ("O", 0.2777, 0.1628, 0.0331)),
        ((183, 2, 6), (226, 6, 8), (304, 8, 9), (329, 7, 10), (339, 4, 10), (374, 3, 9),
         (424, 3, 12), (434, 6, 12), (545, 5, 12), (589, 7, 14), (608, 8, 14), (824, 88, 11),
         (856, 100, 13), (881, 14, 11), (920, 12, 11), (965, 24, 11)),
        ((415, 90, 25), (465, 20, 30), (502, 80, 35), (609, 30, 20), (838, 45, 14), (871, 100, 30),
         (957, 28, 20), (982, 60, 25)),
        ("Fujino, Sasaki, Takeuchi and Sadanaga, Acta Cryst. B37 (1981) 513 (cell); Hazen, Am. "
         "Mineral. 61 (1976) 1280 (positions)",
         "Chopelas, Am. Mineral. 76 (1991) 1101",
         "Hofmeister, Phys. Chem. Minerals 14 (1987) 499"),
    ),
    Mineral(
        "Diopside", "CaMgSi2O6", "C 1 2/c 1", (9.746, 8.899, 5.251, 90, 105.63, 90),
        (("Mg", 0, 0.9082, 0.25), ("Ca", 0, 0.3015, 0.25), ("Si", 0.2862, 0.0933, 0.2293),
         ("O", 0.1156, 0.0873, 0.1422), ("O", 0.3611, 0.2500, 0.3180),
         ("O", 0.3505, 0.0176, 0.9953)),
        ((139, 10, 7), (180, 3, 8), (196, 4, 8), (230, 10, 8), (255, 6, 8), (300, 6, 9),
         (325, 38, 11), (356, 20, 11), (390, 42, 11), (412, 5, 12), (508, 6, 10), (530, 7, 11),
         (559, 8, 11), (666, 85, 11), (855, 4, 12), (1011, 100, 10), (1045, 7, 12)),
        ((400, 60, 30), (470, 100, 32), (505, 70, 30), (630, 20, 16), (670, 22, 14), (855, 75, 28),
         (915, 55, 30), (957, 95, 35), (1060, 68, 32)),
        ("Cameron, Sueno, Prewitt and Papike, Am. Mineral. 58 (1973) 594",
         "Prencipe et al., J. Raman Spectrosc. 43 (2012) 1560",
         "Omori, Am. Mineral. 56 (1971) 1607"),
    ),
    Mineral(
        "Albite", "NaAlSi3O8", "C -1", (8.142, 12.785, 7.159, 94.19, 116.61, 87.68),
        (("Na", 0.2682, 0.9888, 0.1459), ("Al", 0.0091, 0.1688, 0.2083),
         ("Si", 0.0039, 0.8205, 0.2374), ("Si", 0.6920, 0.1102, 0.3150),
         ("Si", 0.6815, 0.8817, 0.3605), ("O", 0.0049, 0.1311, 0.9667),
         ("O", 0.5920, 0.9972, 0.2806), ("O", 0.8125, 0.1098, 0.1908),
         ("O", 0.8202, 0.8511, 0.2587), ("O", 0.0135, 0.3024, 0.2701),
         ("O", 0.0234, 0.6937, 0.2292), ("O", 0.2077, 0.1091, 0.3890),
         ("O", 0.1838, 0.8681, 0.4360)),
        ((114, 14, 6), (151, 5, 7), (161, 9, 7), (170, 8, 7), (185, 18, 7), (208, 19, 8),
         (251, 4, 9), (269, 5, 9), (291, 44, 9), (328, 12, 10), (407, 9, 10), (415, 5, 10),
         (457, 6, 10), (479, 37, 9), (507, 100, 8), (578, 5, 11), (762, 7, 12), (815, 7, 13),
         (977, 4, 14), (1032, 4, 14), (1098, 12, 14), (1115, 5, 13)),
        ((425, 60, 18), (460, 60, 22), (475, 25, 20), (530, 45, 18), (586, 62, 18), (609, 22, 12),
         (648, 18, 9), (722, 14, 9), (742, 18, 9), (760, 14, 9), (785, 20, 10), (985, 100, 38),
         (1030, 55, 35), (1092, 48, 35), (1145, 20, 30)),
        ("Harlow and Brown, Am. Mineral. 65 (1980) 986",
         "McKeown, Am. Mineral. 90 (2005) 1506",
         "Iiishi, Tomisaka, Kato and Umegaki, N. Jb. Miner. Abh. 115 (1971) 98"),
        0.9,
    ),
    Mineral(
        "Gypsum", "CaSO4·2H2O", "I 1 2/c 1", (5.679, 15.202, 6.522, 90, 118.43, 90),
        (("Ca", 0.5, 0.07967, 0.25), ("S", 0, 0.07705, 0.75), ("O", 0.96320, 0.13190, 0.55047),
         ("O", 0.75822, 0.02226, 0.66709), ("O", 0.37960, 0.18212, 0.45881),
         ("H", 0.25110, 0.16158, 0.50372), ("H", 0.40457, 0.24275, 0.49218)),
        ((122, 4, 10), (181, 6, 12), (210, 3, 12), (414, 16, 12), (493, 12, 14), (618, 7, 9),
         (623, 4, 9), (671, 6, 9), (1008, 100, 7), (1135, 11, 10), (1142, 4, 12)),
        ((450, 22, 60), (560, 20, 60), (598, 75, 20), (668, 65, 16), (1005, 6, 10), (1104, 100, 38),
         (1130, 35, 30), (1620, 22, 14), (1684, 13, 18), (3245, 6, 60), (3398, 32, 60),
         (3490, 12, 60), (3528, 28, 35)),
        ("Pedersen and Semmingsen, Acta Cryst. B38 (1982) 1074",
         "Krishnamurthy and Soots, Can. J. Phys. 49 (1971) 885",
         "Bishop, Lane, Dyar, King, Brown and Swayze, Am. Mineral. 99 (2014) 2105"),
        1.2,
    ),
    Mineral(
        "Barite", "BaSO4", "P n m a", (8.884, 5.457, 7.157, 90, 90, 90),
        (("Ba", 0.18453, 0.75, 0.65844), ("S", 0.43747, 0.25, 0.69082),
         ("O", 0.58698, 0.25, 0.60681), ("O", 0.31763, 0.25, 0.54958),
         ("O", 0.41934, 0.02950, 0.81190)),
        ((125, 4, 10), (151, 5, 10), (189, 3, 10), (453, 22, 8), (462, 26, 8), (617, 11, 8),
         (648, 9, 9), (988, 100, 6), (1084, 3, 8), (1104, 3, 8), (1138, 8, 8), (1167, 3, 8)),
        ((606, 70, 10), (632, 42, 12), (983, 20, 8), (1055, 100, 55), (1105, 65, 45),
         (1172, 38, 28)),
        ("Jacobsen, Smyth, Swope and Downs, Can. Mineral. 36 (1998) 1053",
         "Zhou, Mernagh, Mo, Wang, Zhang and Wang, Minerals 10 (2020) 260",
         "Ross, in Farmer (ed.), The Infrared Spectra of Minerals (1974) 423"),
    ),
    Mineral(
        "Fluorapatite", "Ca5(PO4)3F", "P 63/m", (9.397, 9.397, 6.878, 90, 90, 120),
        (("Ca", 1 / 3, 2 / 3, 0.0010), ("Ca", -0.00712, 0.24227, 0.25),
         ("P", 0.36895, 0.39850, 0.25), ("O", 0.4849, 0.3273, 0.25),
         ("O", 0.4667, 0.5875, 0.25), ("O", 0.2575, 0.3421, 0.0705), ("F", 0, 0, 0.25)),
        ((140, 4, 12), (205, 3, 14), (285, 3, 14), (430, 10, 10), (446, 7, 10), (581, 6, 9),
         (591, 9, 9), (607, 8, 9), (617, 3, 9), (965, 100, 6), (1034, 4, 9), (1042, 6, 9),
         (1053, 12, 9), (1060, 5, 10), (1081, 7, 9)),
        ((470, 6, 12), (565, 55, 12), (575, 35, 12), (600, 52, 12), (963, 18, 9), (1020, 100, 45),
         (1040, 45, 30), (1090, 30, 25)),
        ("Hughes, Cameron and Crowley, Am. Mineral. 74 (1989) 870",
         "Penel, Leroy, Rey, Sombret, Huvenne and Bres, J. Mater. Sci.: Mater. Med. 8 (1997) 271",
         "Fowler, Inorg. Chem. 13 (1974) 194"),
    ),
    Mineral(
        "Rutile", "TiO2", "P 42/m n m", (4.5937, 4.5937, 2.9587, 90, 90, 90),
        (("Ti", 0, 0, 0), ("O", 0.3048, 0.3048, 0)),
        ((143, 8, 8), (236, 45, 80), (320, 8, 60), (447, 85, 38), (612, 100, 40), (826, 2, 30)),
        ((400, 70, 80), (500, 60, 120), (610, 60, 150), (690, 10, 60)),
        ("Abrahams and Bernstein, J. Chem. Phys. 55 (1971) 3206",
         "Porto, Fleury and Damen, Phys. Rev. 154 (1967) 522",
         "Luxon and Summitt, J. Chem. Phys. 50 (1969) 1366"),
    ),
    Mineral(
        "Anatase", "TiO2", "I 41/a m d :1", (3.7842, 3.7842, 9.5146, 90, 90, 90),
        (("Ti", 0, 0, 0), ("O", 0, 0, 0.2081)),
        ((144, 100, 11), (197, 8, 12), (399, 20, 26), (514, 14, 22), (519, 10, 22),
         (639, 26, 28)),
        ((400, 80, 90), (470, 70, 110), (560, 45, 130), (680, 14, 110)),
        ("Howard, Sabine and Dickson, Acta Cryst. B47 (1991) 462",
         "Ohsaka, Izumi and Fujiki, J. Raman Spectrosc. 7 (1978) 321",
         "Gonzalez, Zallen and Berger, Phys. Rev. B 55 (1997) 7014"),
    ),
    Mineral(
        "Corundum", "Al2O3", "R -3 c :H", (4.7605, 4.7605, 12.9956, 90, 90, 120),
        (("Al", 0, 0, 0.35216), ("O", 0.30668, 0, 0.25)),
        ((378, 30, 7), (418, 100, 6), (432, 12, 8), (451, 9, 8), (578, 14, 9), (645, 28, 9),
         (751, 20, 9)),
        ((400, 15, 40), (440, 70, 35), (490, 30, 50), (560, 95, 60), (600, 70, 60), (640, 35, 50)),
        ("Lutterotti and Scardi, J. Appl. Cryst. 23 (1990) 246",
         "Porto and Krishnan, J. Chem. Phys. 47 (1967) 1009",
         "Barker, Phys. Rev. 132 (1963) 1474"),
        0.3,
    ),
    Mineral(
        "Hematite", "Fe2O3", "R -3 c :H", (5.038, 5.038, 13.772, 90, 90, 120),
        (("Fe", 0, 0, 0.35530), ("O", 0.3059, 0, 0.25)),
        ((226, 70, 9), (245, 13, 9), (292, 100, 14), (299, 20, 12), (411, 62, 20), (497, 14, 22),
         (612, 42, 24), (660, 14, 40), (1316, 60, 90)),
        ((400, 20, 40), (440, 95, 45), (525, 90, 75), (570, 20, 70)),
        ("Blake, Hessevick, Zoltai and Finger, Am. Mineral. 51 (1966) 123",
         "de Faria, Venancio Silva and de Oliveira, J. Raman Spectrosc. 28 (1997) 873",
         "Onari, Arai and Kudo, Phys. Rev. B 16 (1977) 1717"),
        0.4,
    ),
    Mineral(
        "Zircon", "ZrSiO4", "I 41/a m d :2", (6.604, 6.604, 5.979, 90, 90, 90),
        (("Zr", 0, 0.75, 0.125), ("Si", 0, 0.75, 0.625), ("O", 0, 0.0661, 0.1953)),
        ((202, 9, 8), (214, 14, 8), (225, 22, 8), (356, 72, 8), (393, 6, 8), (439, 32, 9),
         (974, 26, 9), (1008, 100, 9)),
        ((427, 80, 25), (610, 30, 14), (865, 100, 45), (900, 60, 45), (975, 15, 40)),
        ("Robinson, Gibbs and Ribbe, Am. Mineral. 56 (1971) 782",
         "Dawson, Hargreave and Wilkinson, J. Phys. C 4 (1971) 240",
         "Dawson, Hargreave and Wilkinson, J. Phys. C 4 (1971) 240"),
        0.3,
    ),
)  # fmt: skip


def bands(x: Array, listed: Bands, mixing: float) -> Array:
    """Sum of pseudo-Voigt bands; ``mixing`` is the Lorentzian share."""
    y = np.zeros_like(x)
    for centre, height, fwhm in listed:
        u = ((x - centre) / (fwhm / 2)) ** 2
        y += height * (mixing / (1 + u) + (1 - mixing) * np.exp(-np.log(2) * u))
    return y


def powder_lines(mineral: Mineral) -> tuple[Array, Array]:
    """2theta (degrees, Cu K-alpha) and intensity of all lines up to 95 degrees."""
    cell = gemmi.UnitCell(*mineral.cell)
    group = gemmi.SpaceGroup(mineral.spacegroup)
    atoms = unit_cell(mineral)
    elements = sorted({e for e, _ in atoms})
    places = {e: np.array([xyz for k, xyz in atoms if k == e]) for e in elements}
    dmin = CU_KALPHA / 2 / np.sin(np.radians(47.5))
    angles, strengths = [], []
    operations = group.operations()
    for hkl in gemmi.make_miller_array(cell, group, dmin, 1e3, unique=True):
        h = list(map(int, hkl))
        s2 = cell.calculate_1_d2(h) / 4
        total = 0j
        for element in elements:
            kind = gemmi.Element(element)
            f1, f2 = gemmi.cromer_liberman(kind.atomic_number, PHOTON_EV)
            f = kind.it92.calculate_sf(s2) + f1 + 1j * f2
            total += f * np.exp(2j * np.pi * places[element] @ np.array(h)).sum()
        total *= np.exp(-mineral.b_iso * s2)
        images = {tuple(op.apply_to_hkl(h)) for op in operations.sym_ops}
        multiplicity = len(images | {tuple(-k for k in image) for image in images})
        sine = CU_KALPHA * np.sqrt(s2)
        theta = np.arcsin(sine)
        lp = (1 + np.cos(2 * theta) ** 2) / (sine**2 * np.cos(theta))
        angles.append(np.degrees(2 * theta))
        strengths.append(multiplicity * abs(total) ** 2 * lp)
    return np.array(angles), np.array(strengths)


def unit_cell(mineral: Mineral) -> list[tuple[str, tuple[float, float, float]]]:
    """All atoms of the cell, fractional coordinates in 0..1."""
    operations = gemmi.SpaceGroup(mineral.spacegroup).operations()
    atoms: dict[tuple[str, tuple[int, ...]], tuple[float, float, float]] = {}
    for element, *xyz in mineral.sites:
        for op in operations:
            place = np.mod(op.apply_to_xyz(list(map(float, xyz))), 1.0)
            key = tuple(int(v) for v in np.mod(np.round(place * 500), 500))
            atoms.setdefault((element, key), tuple(place))
    return [(element, place) for (element, _), place in atoms.items()]


def powder(mineral: Mineral) -> Array:
    """Powder pattern on ``XRD_X``, highest point 1000."""
    y = np.zeros_like(XRD_X)
    for angle, strength in zip(*powder_lines(mineral), strict=True):
        y += bands(XRD_X, ((angle, strength, FWHM_DEG),), 0.5)
    return np.round(1000 * y / y.max() + 2, 2)


def raman(mineral: Mineral) -> Array:
    """Raman spectrum on ``RAMAN_X``, counts."""
    y = bands(RAMAN_X, mineral.raman, 0.8)
    return np.round(5000 * y / y.max() + 20, 1)


def infrared(mineral: Mineral) -> Array:
    """Absorbance on ``IR_X``."""
    y = bands(IR_X, mineral.ir, 0.7)
    return np.round(0.8 * y / y.max() + 0.004, 5)


SAID = "simulated from published data, not measured"


def table(
    mineral: Mineral, technique: str, x: Array, y: Array, labels: tuple[str, str],
    *, delimiter: str = ",", comma: bool = False, places: int = 5,
) -> str:  # fmt: skip
    """Columns of text under a commented header."""
    out = io.StringIO()
    for key, value in (
        ("Sample", mineral.name), ("Formula", mineral.formula), ("Technique", technique),
        ("Origin", SAID), ("Source", mineral.sources[_ROW[technique]]),
    ):  # fmt: skip
        out.write(f"# {key}: {value}\n")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(labels)
    for px, py in zip(x, y, strict=True):
        row = (f"{px:.10g}", f"{py:.{places}f}")
        writer.writerow([c.replace(".", ",") for c in row] if comma else row)
    return out.getvalue()


_ROW = {"Powder XRD, Cu K-alpha": 0, "Raman": 1, "Infrared": 2}


def jcamp(
    mineral: Mineral, technique: str, x: Array, y: Array, *, units: tuple[str, str], step: float
) -> str:
    """JCAMP-DX 4.24, one curve in AFFN."""
    lines = [
        f"##TITLE={mineral.name}",
        "##JCAMP-DX=4.24",
        f"##DATA TYPE={technique} SPECTRUM",
        f"##ORIGIN={SAID}",
        "##OWNER=public domain",
        f"##MOLFORM={mineral.formula}",
        f"##SOURCE REFERENCE={mineral.sources[1 if technique == 'RAMAN' else 2]}",
        f"##XUNITS={units[0]}",
        f"##YUNITS={units[1]}",
        f"##FIRSTX={x[0]:g}",
        f"##LASTX={x[-1]:g}",
        f"##DELTAX={step:g}",
        "##XFACTOR=1",
        "##YFACTOR=0.00001",
        f"##NPOINTS={x.size}",
        f"##FIRSTY={y[0]:g}",
        "##XYDATA=(X++(Y..Y))",
    ]
    counts = np.rint(y * 1e5).astype(int)
    for start in range(0, x.size, 8):
        row = " ".join(map(str, counts[start : start + 8]))
        lines.append(f"{x[start]:g} {row}")
    return "\n".join([*lines, "##END=", ""])


Writer = Callable[[Mineral], tuple[str, str]]


def raman_csv(mineral: Mineral) -> tuple[str, str]:
    """Comma-separated."""
    labels = "Raman shift (cm-1)", "Intensity (counts)"
    return ".csv", table(mineral, "Raman", RAMAN_X, raman(mineral), labels, places=1)


def raman_tabs(mineral: Mineral) -> tuple[str, str]:
    """Tab-separated, as many spectrometers write it."""
    labels = "Raman shift (cm-1)", "Intensity (counts)"
    y = raman(mineral)
    return ".txt", table(mineral, "Raman", RAMAN_X, y, labels, delimiter="\t", places=1)


def raman_decimal_comma(mineral: Mineral) -> tuple[str, str]:
    """Semicolons and decimal commas."""
    labels = "Raman shift (cm-1)", "Intensity (counts)"
    return ".csv", table(mineral, "Raman", RAMAN_X, raman(mineral), labels, delimiter=";",
                         comma=True, places=1)  # fmt: skip


def raman_jcamp(mineral: Mineral) -> tuple[str, str]:
    """JCAMP-DX."""
    y = raman(mineral) / 5000
    return ".jdx", jcamp(mineral, "RAMAN", RAMAN_X, y,
                         units=("1/CM", "ARBITRARY UNITS"), step=1.0)  # fmt: skip


def ir_jcamp(mineral: Mineral) -> tuple[str, str]:
    """JCAMP-DX, ascending."""
    return ".jdx", jcamp(mineral, "INFRARED", IR_X, infrared(mineral),
                         units=("1/CM", "ABSORBANCE"), step=4.0)  # fmt: skip


def ir_csv(mineral: Mineral) -> tuple[str, str]:
    """Comma-separated, from high to low wavenumber."""
    labels = "Wavenumber (cm-1)", "Absorbance"
    return ".csv", table(mineral, "Infrared", IR_X[::-1], infrared(mineral)[::-1], labels)


def ir_transmittance(mineral: Mineral) -> tuple[str, str]:
    """Per cent transmittance."""
    labels = "Wavenumber (cm-1)", "Transmittance (%)"
    y = 100 * 10 ** -infrared(mineral)
    return ".csv", table(mineral, "Infrared", IR_X[::-1], y[::-1], labels, places=4)


def xrd_xy(mineral: Mineral) -> tuple[str, str]:
    """Two columns."""
    labels = "2theta(deg)", "Intensity(counts)"
    y = powder(mineral)
    return ".xy", table(mineral, "Powder XRD, Cu K-alpha", XRD_X, y, labels, delimiter=" ",
                        places=2)  # fmt: skip


_RAMAN = (raman_csv, raman_tabs, raman_decimal_comma, raman_jcamp)
_IR = (ir_jcamp, ir_csv, ir_transmittance)


def main() -> None:
    """Write all files and SOURCES.md."""
    rows = []
    for number, mineral in enumerate(MINERALS):
        for kind, write in (
            ("raman", _RAMAN[number % len(_RAMAN)]),
            ("ir", _IR[number % len(_IR)]),
            ("xrd", xrd_xy),
        ):
            extension, text = write(mineral)
            name = f"{mineral.name.lower()}_{kind}{extension}"
            (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        rows.append(f"| {mineral.name} | {mineral.formula} | " + " | ".join(mineral.sources) + " |")
    text = "\n".join([SOURCES, *rows, ""])
    (FOLDER / "SOURCES.md").write_text(text, encoding="utf-8", newline="\n")


SOURCES = """\
# Example spectra

Computed by `make_examples.py` from published band positions and crystal structures; nothing here
was measured. Positions are those of the sources named below; strengths and widths are rounded, and
infrared bands stand where attenuated total reflection shows them, which for strong bands is 10 to
40 cm-1 below transmission. Form factors: International Tables for Crystallography, volume C,
through gemmi. The files are in the public domain.

| Mineral | Formula | Crystal structure | Raman bands | Infrared bands |
|---|---|---|---|---|"""


if __name__ == "__main__":
    main()

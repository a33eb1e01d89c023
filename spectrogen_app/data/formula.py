"""Chemical formulas, parsed strictly.

Understood are plain text (``CaCO3``, ``(Mg,Fe)2SiO4``, ``CuSO4·5H2O``, ``Fe2+2SiO4`` written
``Fe^2+^2SiO4`` or ``Fe²⁺₂SiO₄``) and the notation of the RRUFF database: ``_3_`` for a subscript,
``^2+^`` for a charge, ``[box]`` for a vacancy, ``(Mg,Fe)`` for a shared site, ``_4.5-2.5_`` for a
range, ``&#931;=5`` for the sum of a site.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from spectrogen_app.errors import FormulaError

ELEMENTS: tuple[str, ...] = tuple(
    re.findall(
        r"\w+",
        "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As "
        "Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu "
        "Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U ",
    )
)
_KNOWN = frozenset(ELEMENTS)
_ALIASES: dict[str, dict[str, float]] = {
    "REE": {"Ce": 0.5, "La": 0.25, "Nd": 0.25},
    "Ln": {"Ce": 0.5, "La": 0.25, "Nd": 0.25},
    "D": {"H": 1.0},
}
_UNKNOWN_WATER = 4.0
_UNKNOWN_SHARE = 0.25
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+-")
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_CHARGE_OR_SUM = re.compile(rf"\^\s*(?:[+\-]\d*|\d+[+\-]?)\s*\^?|_?Σ\s*=?\s*(?:{_NUMBER})_?")


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    Attributes
    ----------
    text : str
        As it was given.
    counts : mapping of str to float
        Atoms per formula unit by element symbol.
    assumptions : tuple of str
        What a vague formula was taken to mean, such as the amount of ``nH2O``.
    """

    text: str
    counts: Mapping[str, float]
    assumptions: tuple[str, ...] = ()

    @property
    def fractions(self) -> dict[str, float]:
        """Atomic fractions by element symbol; they add up to 1."""
        total = sum(self.counts.values())
        return {element: n / total for element, n in self.counts.items()}

    @property
    def hill(self) -> str:
        """Sum formula in Hill order: carbon, hydrogen, then the alphabet."""
        first = ("C", "H") if "C" in self.counts else ()
        order = sorted(self.counts, key=lambda e: (first.index(e) if e in first else 9, e))
        return "".join(e + ("" if self.counts[e] == 1 else f"{self.counts[e]:g}") for e in order)


@lru_cache(maxsize=8192)
def parse_formula(text: str) -> Formula:
    """Parse a chemical formula.

    A shared site such as ``(Mg,Fe)`` is split in the ratio 1 : 1/2 : 1/3 ... (most abundant
    first); a range counts as its middle; vacancies hold no atom; charges are checked and dropped.

    Parameters
    ----------
    text : str

    Returns
    -------
    Formula

    Raises
    ------
    FormulaError
        ``fields['position']`` is the 0-based place in ``text`` where parsing stopped.
    """
    return _Parser(text).formula()


_Counts = defaultdict[str, float]


def _counts(values: Mapping[str, float] | None = None) -> _Counts:
    return defaultdict(float, values or {})


class _Parser:
    """Recursive descent over the formula; ``origin`` maps each character to its place in ``text``.

    Grammar: formula = part {dot part}; part = [number] sequence; sequence = {unit};
    unit = (element | bracket | vacancy) {charge | count}; bracket = "(" sequence {"," sequence} ")"
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.s, self.origin = _plain(text)
        self.i = 0
        self.assumptions: list[str] = []
        self.shares = self._stated_shares()

    def formula(self) -> Formula:
        if not self.s.strip():
            self._fail("The formula is empty", "Type something like CaCO3.")
        total = _counts()
        while True:
            self._spaces()
            multiple = self._prefix()
            self._spaces()
            before = self.i
            for element, n in self._sequence(top=True).items():
                total[element] += multiple * n
            if self.i == before:
                self._fail("Expected an element here", "Write each part like CaSO4 or 2H2O.")
            self._spaces()
            if self.i >= len(self.s):
                break
            if self.s[self.i] == "·":
                self.i += 1
                continue
            self._unexpected()
        counts = {e: total[e] for e in sorted(total, key=ELEMENTS.index) if total[e] > 1e-9}
        if not counts:
            self._fail("The formula holds no atoms", "Type something like CaCO3.")
        return Formula(self.text, counts, tuple(dict.fromkeys(self.assumptions)))

    def _stated_shares(self) -> dict[str, float]:
        """Take a trailing ``(0≤x≤0.4)`` or ``(x=0.3)`` off and read the middle of it."""
        found = re.search(
            rf"\s*[(,]\s*(?:({_NUMBER})\s*[≤<]\s*)?([xyz])\s*([≤<=~≈])\s*"
            rf"({_NUMBER})(?:\s*-\s*({_NUMBER}))?\s*\)?\s*$",
            self.s,
        )
        if not found:
            return {}
        low, name, sign, high, top = found.groups()
        self.s = self.s[: found.start()]
        if sign in "=~≈":
            low = low or high
        value = (float(low or 0) + float(top or high)) / 2
        self.assumptions.append(f"{name} = {value:g}")
        return {name: value}

    def _share(self, name: str) -> float:
        if name not in self.shares:
            self.shares[name] = _UNKNOWN_SHARE
            self.assumptions.append(f"{name} = {_UNKNOWN_SHARE:g} (not given)")
        return self.shares[name]

    def _spaces(self) -> None:
        while self.i < len(self.s) and self.s[self.i].isspace():
            self.i += 1

    def _prefix(self) -> float:
        """The number before a part, as 5 in 5H2O; also 5-8, n and x."""
        found = re.compile(rf"({_NUMBER})\s*-\s*({_NUMBER})(?=[A-Z([])").match(self.s, self.i)
        if found:
            self.i = found.end()
            low, high = map(float, found.groups())
            self.assumptions.append(f"{low:g}-{high:g} taken as {(low + high) / 2:g}")
            return (low + high) / 2
        found = re.compile(rf"(?:({_NUMBER})|([nxyz]))(?=\s*[A-Z([])").match(self.s, self.i)
        if not found:
            return 1.0
        self.i = found.end()
        if found[1]:
            return float(found[1])
        if found[2] in self.shares:
            return self.shares[found[2]]
        self.assumptions.append(f"{found[2]} = {_UNKNOWN_WATER:g} (not given)")
        return _UNKNOWN_WATER

    def _sequence(self, top: bool = False) -> _Counts:
        total = _counts()
        while self.i < len(self.s):
            c = self.s[self.i]
            if c in ")]},·" or (top and c.isspace()):
                break
            if c.isspace():
                self.i += 1
                continue
            unit = self._unit()
            n = self._multiplier()
            for element, m in unit.items():
                total[element] += n * m
        return total

    def _unit(self) -> _Counts:
        c = self.s[self.i]
        if c == "□":
            self.i += 1
            return _counts()
        if c in "([{":
            return self._bracket()
        found = re.compile("REE|Ln|[A-Z][a-z]?").match(self.s, self.i)
        if not found:
            self._unexpected()
        assert found is not None
        for symbol in dict.fromkeys((found[0], found[0][0])):
            if symbol in _KNOWN or symbol in _ALIASES:
                self.i += len(symbol)
                return _counts(_ALIASES.get(symbol, {symbol: 1.0}))
        self._fail(f"{found[0]} is not an element", "Check the capital letters: Co is cobalt, CO "
                   "carbon and oxygen.")  # fmt: skip
        raise AssertionError

    def _bracket(self) -> _Counts:
        opened = self.i
        close = {"(": ")", "[": "]", "{": "}"}[self.s[self.i]]
        self.i += 1
        choices: list[_Counts] = []
        while True:
            before = self.i
            choices.append(self._sequence())
            if self.i == before:
                if self.i >= len(self.s):
                    self._fail(f"The bracket is not closed by {close}", "Close it.", opened)
                self._fail("Expected an element here", "Fill or remove the empty place.")
            if self.i >= len(self.s):
                self._fail(f"The bracket is not closed by {close}", "Close it.", opened)
            mark = self.s[self.i]
            if mark not in (",", close):
                self._unexpected()
            self.i += 1
            if mark == close:
                break
        weights = [1 / (k + 1) for k in range(len(choices))]
        total = _counts()
        for weight, choice in zip(weights, choices, strict=True):
            for element, n in choice.items():
                total[element] += n * weight / sum(weights)
        return total

    def _multiplier(self) -> float:
        """Charges and counts after a unit; the counts multiply, charges and sums are dropped."""
        n = 1.0
        counted = False
        while self.i < len(self.s):
            rest = self.s[self.i :]
            if found := _CHARGE_OR_SUM.match(rest):
                self.i += found.end()
            elif rest[0] == "_":
                n *= self._subscript()
            elif not counted and (found := re.match(_NUMBER, rest)):
                counted = True
                number = found[0]
                water = re.match(r"(\d+)\.(\d*)(?=H_?2_?O)", rest)
                if water:  # CuSO4.5H2O: the point is the dot of a hydrate
                    number = water[1]
                    self.s = self.s[: self.i] + number + "·" + self.s[self.i + len(number) + 1 :]
                self.i += len(number)
                n *= float(number)
            else:
                break
        return n

    def _subscript(self) -> float:
        start = self.i
        end = self.s.find("_", start + 1)
        if end < 0:
            self._fail("This subscript is not closed by _", "Write subscripts as _3_ or just 3.")
        inner = self.s[start + 1 : end]
        self.i = end + 1
        value = self._value(inner)
        if value is None:
            self.i = start + 1
            self._fail(f"{inner!r} is no count", "A count is a number, a range or like 1-x.")
        assert value is not None
        return value

    def _value(self, inner: str) -> float | None:
        bare = re.sub(r"\s+", "", inner).strip("~≈<>≤≥")
        while bare.startswith("(") and bare.endswith(")"):
            bare = bare[1:-1]
        bare = re.sub(r"^Σ?=", "", bare)
        if re.fullmatch(_NUMBER, bare):
            return float(bare)
        if found := re.fullmatch(rf"({_NUMBER})[-–]({_NUMBER})", bare):
            low, high = map(float, found.groups())
            self.assumptions.append(f"{bare} taken as {(low + high) / 2:g}")
            return (low + high) / 2
        if found := re.fullmatch(rf"({_NUMBER})/({_NUMBER})", bare):
            return float(found[1]) / float(found[2])
        if bare == "n":
            self.assumptions.append(f"n = {_UNKNOWN_WATER:g} (not given)")
            return _UNKNOWN_WATER
        term = rf"(?:(?:{_NUMBER})?[xyz](?:/(?:{_NUMBER}))?|{_NUMBER})"
        if not re.fullmatch(rf"{term}(?:[+\-]{term})*", bare):
            return None
        total = 0.0
        for sign, factor, name, divisor, number in re.findall(
            rf"([+\-]?)(?:({_NUMBER})?([xyz])(?:/({_NUMBER}))?|({_NUMBER}))", bare
        ):
            size = float(number) if number else (
                float(factor or 1) * self._share(name) / float(divisor or 1)
            )  # fmt: skip
            total += -size if sign == "-" else size
        return max(total, 0.0)

    def _unexpected(self) -> None:
        c = self.s[self.i]
        if c in ")]}":
            self._fail(f"{c} closes a bracket that was not opened", "Remove it, or open it.")
        if c == ",":
            self._fail("A comma stands only inside brackets", "Write a shared site as (Mg,Fe).")
        if c.islower():
            self._fail(
                f"{c!r} cannot stand here", "Element symbols begin with a capital letter, and "
                "counts are numbers; unknown shares go into a subscript, like _1-x_."
            )  # fmt: skip
        self._fail(f"{c!r} cannot stand here", "Write it like CaCO3 or CaSO4·2H2O.")

    def _fail(self, what: str, hint: str, at: int | None = None) -> None:
        at = self.i if at is None else at
        place = self.origin[at] if at < len(self.origin) else len(self.text)
        shown = f" (character {place + 1} of {self.text!r})" if self.text else ""
        raise FormulaError(f"{what}{shown}.", hint=hint, position=place, text=self.text)


_REPLACED = (
    (re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|\w+);"), lambda m: html.unescape(m[0])),
    (re.compile(r"</?sub>", re.I), lambda m: "_"),
    (re.compile(r"</?sup>", re.I), lambda m: "^"),
    (re.compile(r"</?[a-z]+>", re.I), lambda m: ""),
    (re.compile(r"\[box\]|◻|▢|vacancy", re.I), lambda m: "□"),
    (re.compile(r"[•∙⋅‧●*]|\s+\.\s*|\s+·\s*"), lambda m: "·"),
    (re.compile(r"[–—−]"), lambda m: "-"),
    (re.compile(r"[₀-₉]+(?:\.[₀-₉]+)?"), lambda m: m[0].translate(_SUBSCRIPTS)),
    (
        re.compile(r"[⁰¹²³⁴-⁹]*[⁺⁻]"),
        lambda m: "^" + m[0].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")) + "^",
    ),
    (re.compile(r"^\s*[αβγδε]-"), lambda m: ""),
)


def _plain(text: str) -> tuple[str, list[int]]:
    """One spelling for the many, and for each character its place in ``text``."""
    s, origin = text, list(range(len(text)))
    for pattern, make in _REPLACED:
        out, places, last = [], [], 0
        for found in pattern.finditer(s):
            out.append(s[last : found.start()])
            places.extend(origin[last : found.start()])
            new = make(found)
            out.append(new)
            places.extend([origin[found.start()]] * len(new))
            last = found.end()
        s, origin = "".join(out) + s[last:], places + origin[last:]
    return s, origin


_FAMILIES = (
    ("silicate", "Si"), ("phosphate", "P"), ("arsenate", "As"), ("vanadate", "V"),
    ("sulfate", "S"), ("carbonate", "C"), ("borate", "B"), ("nitrate", "N"),
    ("chromate", "Cr"), ("molybdate", "Mo"), ("tungstate", "W"), ("tellurate", "Te"),
    ("selenate", "Se"), ("iodate", "I"),
)  # fmt: skip


def anion_family(formula: Formula) -> str:
    """The anion family of a mineral: silicate, carbonate, sulfide, halide, oxide ...

    Decided from composition alone: a former of oxyanions with at least the oxygen of its group
    makes the family (silicate before phosphate before arsenate ...); otherwise sulfide-like
    anions, hydroxide or oxide, halide, or element.
    """
    counts = formula.counts
    oxygen = counts.get("O", 0.0)
    heavy = {e: n for e, n in counts.items() if e not in ("H", "O")}
    halogens = sum(counts.get(e, 0.0) for e in ("F", "Cl", "Br", "I"))
    if oxygen:
        if counts.get("C") and counts.get("H") and counts["C"] > oxygen:
            return "organic"
        for family, former in _FAMILIES:
            n = counts.get(former, 0.0)
            least = {"carbonate": 2.5, "nitrate": 2.5, "borate": 1.5, "silicate": 1.9,
                     "vanadate": 2.4, "iodate": 2.9, "tellurate": 2.0}.get(family, 2.9)  # fmt: skip
            enough = n > 0 and oxygen >= least * n * 0.99
            if enough and n >= 0.08 * sum(heavy.values()):
                if family == "nitrate" and counts.get("H", 0) >= 3 * n:
                    continue  # ammonium
                return family
        if halogens > 0.5 * oxygen:
            return "halide"
        return "hydroxide" if counts.get("H", 0.0) >= 0.5 * oxygen else "oxide"
    if any(counts.get(e, 0) for e in ("S", "Se", "Te", "As", "Sb", "Bi")) and len(counts) > 1:
        return "sulfide"
    if halogens:
        return "halide"
    if counts.get("C") and counts.get("H"):
        return "organic"
    return "element"

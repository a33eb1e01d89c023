"""One compact data set from RRUFF's archives or from one's own table, cleaned by written rules.

Rules, applied in this order; the report counts what each left out:

1. A file needs a technique in its name, a RRUFF ID and at least 50 finite points. The header's ID
   is believed before the file name's; clashes are listed.
2. Infrared files that end below 1500 cm-1 are far-infrared spectra (modality ``fir``).
3. The spectrum is resampled and normalised as scoring defines it, which removes forced zeros at
   both ends, wild scales and negative baselines. It must then cover 30 % of its grid and not be
   flat.
4. A curve that equals another one of the same modality within 1e-3 is dropped, so that no copy of
   a spectrum can be on both sides of a split. When it belongs to another sample, that is listed.
5. Powder patterns whose ``ID CONFIDENCE`` is neither ``exact`` nor ``inferred-high`` are left out.
6. Samples whose identification is not confirmed are kept, marked: their spectra still belong
   together, but their mineral name is not used as a label.
7. A formula that does not parse, or is missing, is taken from another sample of the mineral.

The first spectrum of a sample and modality is its primary one: Raman by laser 532, 514, 785,
780 nm, then the widest range.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from spectrogen_app.data.formula import ELEMENTS, anion_family, parse_formula
from spectrogen_app.errors import Check, FormulaError, SpectrogenError, TrainingError, unchecked
from spectrogen_app.processing.scoring import GRIDS, Grid, prepare
from spectrogen_app.training.rruff import iter_files, mineral_stem, parse

LEAST_COVERAGE = 0.3
_LASER_ORDER = {532: 0, 514: 1, 785: 2, 780: 3}
_FORMAT = 1


@dataclass
class Spectra:
    """All spectra of one modality.

    Attributes
    ----------
    y : ndarray of float32, shape (n, size)
        Normalised, 0 where not measured.
    mask : ndarray of bool, shape (n, size)
    sample : ndarray of int, shape (n,)
        Row in the list of samples.
    laser : ndarray of int, shape (n,)
    primary : ndarray of bool, shape (n,)
        The one spectrum that stands for the sample.
    """

    y: NDArray[np.float32]
    mask: NDArray[np.bool_]
    sample: NDArray[np.int64]
    laser: NDArray[np.int64]
    primary: NDArray[np.bool_]

    def of_samples(self, n: int) -> NDArray[np.int64]:
        """Row of the primary spectrum of each of ``n`` samples, -1 where there is none."""
        rows = np.full(n, -1)
        rows[self.sample[self.primary]] = np.flatnonzero(self.primary)
        return rows


@dataclass
class Dataset:
    """Samples and their spectra.

    Attributes
    ----------
    ids, minerals, stems, formulas, families : list of str, length n
    confirmed : ndarray of bool, shape (n,)
    composition : ndarray, shape (n, elements)
        Atoms per formula unit; a row of zeros where no formula is known.
    spectra : dict of str to Spectra
    grids : dict of str to Grid
    report : dict
    """

    ids: list[str]
    minerals: list[str]
    stems: list[str]
    formulas: list[str]
    families: list[str]
    confirmed: NDArray[np.bool_]
    composition: NDArray[np.float64]
    spectra: dict[str, Spectra]
    grids: dict[str, Grid]
    report: dict[str, object] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def has(self, modality: str) -> NDArray[np.bool_]:
        """Which samples have a spectrum of the modality; ``formula`` counts as one."""
        if modality == "formula":
            return self.composition.sum(axis=1) > 0
        if modality not in self.spectra:
            return np.zeros(len(self), dtype=bool)
        return self.spectra[modality].of_samples(len(self)) >= 0

    @property
    def sha256(self) -> str:
        """Fingerprint of all samples and spectra."""
        digest = hashlib.sha256()
        digest.update(json.dumps([self.ids, self.minerals, self.formulas]).encode())
        for modality in sorted(self.spectra):
            digest.update(self.spectra[modality].y.astype(np.float16).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class _Entry:
    sample: str
    mineral: str
    formula: str
    confirmed: bool
    modality: str
    laser: int
    y: NDArray[np.float32]
    mask: NDArray[np.bool_]
    file: str


def build(folder: str | Path, check: Check = unchecked) -> Dataset:
    """Read RRUFF's archives from a folder, clean them, and say what was left out.

    Raises
    ------
    TrainingError
        A damaged archive, or nothing that can be used.
    """
    why: Counter[str] = Counter()
    clashes: list[str] = []
    entries: list[_Entry] = []
    for name, content in iter_files(Path(folder), check):
        found = parse(name, content)
        if isinstance(found, str):
            why[found] += 1
            continue
        if found.clash:
            clashes.append(f"{name}: the header says {found.sample}")
        confidence = found.keys.get("ID CONFIDENCE", "exact")
        if confidence not in ("exact", "inferred-high"):
            why["low confidence of the ID"] += 1
            continue
        modality = found.modality
        if modality == "ir" and found.x[-1] < 1500:
            modality = "fir"
        entry = _entry(
            found.x, found.y, GRIDS[modality], found.sample, found.mineral,
            formula=found.keys.get("IDEAL CHEMISTRY", ""), laser=found.laser, file=name,
            confirmed=not any(w in found.keys.get("STATUS", "").lower()
                              for w in ("not yet", "unconfirmed")),
        )  # fmt: skip
        if isinstance(entry, str):
            why[entry] += 1
        else:
            entries.append(entry)
    return _assemble(entries, dict(GRIDS), why, clashes)


def build_from_table(
    table: str | Path,
    read: Callable[[Path], Iterable[object]],
    grids: dict[str, Grid] | None = None,
    check: Check = unchecked,
) -> Dataset:
    """One's own paired files: a CSV table with columns sample, modality, file, formula, mineral.

    ``formula`` and ``mineral`` may be left out; files are relative to the table.

    Parameters
    ----------
    table : path-like
    read : callable(path)
        Gives the spectra of a file; the first one counts.
    grids : dict of str to Grid, optional
        Grids of modalities beyond the known ones.

    Raises
    ------
    TrainingError
        A missing column or file, an unknown modality, or contradicting formulas of one sample.
    """
    path = Path(table)
    known = {**GRIDS, **(grids or {})}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream, dialect=_dialect(stream.read(4096), stream)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(
            f"{path.name} cannot be read as a table ({error}).",
            hint="Save it as CSV with the columns sample, modality, file and formula.",
        ) from error
    missing = {"sample", "modality", "file"} - set(rows[0] if rows else ())
    if missing:
        raise TrainingError(
            f"{path.name} has no column {', '.join(sorted(missing))}.",
            hint="The first line names the columns: sample, modality, file, formula.",
        )
    formulas: dict[str, str] = {}
    why: Counter[str] = Counter()
    entries: list[_Entry] = []
    lost = [r["file"] for r in rows if not (path.parent / r["file"]).is_file()]
    if lost:
        shown = ", ".join(lost[:5])
        raise TrainingError(
            f"{len(lost)} of {len(rows)} files of {path.name} are not there: {shown}.",
            hint="Paths are relative to the table.", files=lost,
        )  # fmt: skip
    for i, row in enumerate(rows):
        check(i / len(rows), f"Reading {row['file']}")
        sample, modality = row["sample"].strip(), row["modality"].strip().lower()
        if modality not in known:
            raise TrainingError(
                f"Line {i + 2} of {path.name}: {modality!r} is not a modality.",
                hint=f"Known: {', '.join(known)}.", line=i + 2,
            )  # fmt: skip
        formula = (row.get("formula") or "").strip()
        if formula:
            counts = parse_formula(formula).counts
            before = formulas.setdefault(sample, formula)
            if parse_formula(before).counts != counts:
                raise TrainingError(
                    f"Sample {sample} has two formulas, {before} and {formula}.",
                    hint="Give one formula per sample.", sample=sample,
                )  # fmt: skip
        try:
            spectrum = next(iter(read(path.parent / row["file"])))
            prepared = prepare(spectrum, known[modality])  # type: ignore[arg-type]
        except SpectrogenError as error:
            why[f"{row['file']}: {error}"] += 1
            continue
        if prepared.mask.mean() < LEAST_COVERAGE or not prepared.y.any():
            why["covers less than 30 % of the grid, or flat"] += 1
            continue
        mineral = (row.get("mineral") or "").strip() or sample
        entries.append(
            _Entry(sample, mineral, formula, True, modality, 0,
                   prepared.y.astype(np.float32), prepared.mask, row["file"])
        )  # fmt: skip
    used = {e.modality for e in entries}
    return _assemble(entries, {m: g for m, g in known.items() if m in used}, why, [])


def _dialect(head: str, stream: object) -> type[csv.Dialect] | csv.Dialect:
    stream.seek(0)  # type: ignore[attr-defined]
    try:
        return csv.Sniffer().sniff(head, delimiters=",;\t")
    except csv.Error:
        return csv.excel


def _entry(
    x: NDArray[np.float64], y: NDArray[np.float64], grid: Grid, sample: str, mineral: str, *,
    formula: str, laser: int, confirmed: bool, file: str,
) -> _Entry | str:  # fmt: skip
    prepared = prepare((x, y), grid)
    if prepared.mask.mean() < LEAST_COVERAGE:
        return "covers less than 30 % of the grid"
    if prepared.y[prepared.mask].std() < 1e-4:
        return "flat"
    return _Entry(
        sample, mineral, formula, confirmed, grid.modality, laser,
        prepared.y.astype(np.float32), prepared.mask, file,
    )  # fmt: skip


def _assemble(
    entries: list[_Entry], grids: dict[str, Grid], why: Counter[str], clashes: list[str]
) -> Dataset:
    kept: list[_Entry] = []
    seen: dict[tuple[str, bytes], _Entry] = {}
    copies: list[str] = []
    for entry in sorted(entries, key=_priority):
        key = (entry.modality, np.round(entry.y[:: max(1, entry.y.size // 300)], 3).tobytes())
        before = seen.setdefault(key, entry)
        if before is entry:
            kept.append(entry)
            continue
        why["copy of another curve"] += 1
        if before.sample != entry.sample:
            copies.append(f"{entry.file} equals {before.file}")
    if not kept:
        reasons = "; ".join(f"{n} {w}" for w, n in why.most_common(3))
        raise TrainingError(
            f"No usable spectrum was found{f' ({reasons})' if reasons else ''}.",
            hint="Give the folder that holds RRUFF's archives of spectra.",
        )
    ids = sorted({e.sample for e in kept})
    at = {sample: i for i, sample in enumerate(ids)}
    minerals, formulas, confirmed = [""] * len(ids), [""] * len(ids), np.ones(len(ids), bool)
    for entry in kept:
        i = at[entry.sample]
        minerals[i] = minerals[i] or entry.mineral
        formulas[i] = formulas[i] or entry.formula
        confirmed[i] &= entry.confirmed
    composition, unparsed = _compositions(formulas, minerals)
    spectra = {}
    for modality, grid in grids.items():
        rows = [e for e in kept if e.modality == modality]
        if not rows:
            continue
        sample = np.array([at[e.sample] for e in rows])
        primary = np.zeros(len(rows), bool)
        primary[np.unique(sample, return_index=True)[1]] = True
        spectra[modality] = Spectra(
            np.array([e.y for e in rows], np.float32).reshape(-1, grid.size),
            np.array([e.mask for e in rows]).reshape(-1, grid.size),
            sample, np.array([e.laser for e in rows]), primary,
        )  # fmt: skip
    families = [
        anion_family(parse_formula(f)) if c.sum() else "unknown"
        for f, c in zip(formulas, composition, strict=True)
    ]
    report: dict[str, object] = {
        "spectra": {m: len(s.y) for m, s in spectra.items()},
        "samples": {m: int(s.primary.sum()) for m, s in spectra.items()},
        "minerals": len(set(minerals)),
        "left_out": dict(why.most_common()),
        "id_clashes": clashes,
        "copies_between_samples": copies,
        "unconfirmed_samples": int((~confirmed).sum()),
        "formulas_missing": int((composition.sum(axis=1) == 0).sum()),
        "formulas_not_parsed": unparsed,
    }
    return Dataset(
        ids, minerals, [mineral_stem(m) for m in minerals], formulas, families, confirmed,
        composition, spectra, {m: grids[m] for m in spectra}, report,
    )  # fmt: skip


def _priority(entry: _Entry) -> tuple[object, ...]:
    return (
        entry.modality, entry.sample, _LASER_ORDER.get(entry.laser, 9), -int(entry.mask.sum()),
        entry.file,
    )  # fmt: skip


def _compositions(
    formulas: list[str], minerals: list[str]
) -> tuple[NDArray[np.float64], list[str]]:
    """Atom counts; missing formulas are filled in place from samples of the same mineral."""
    out = np.zeros((len(formulas), len(ELEMENTS)))
    unparsed: list[str] = []
    by_mineral: dict[str, int] = {}
    for i, text in enumerate(formulas):
        if not text:
            continue
        try:
            out[i] = composition_vector(text)
            by_mineral.setdefault(minerals[i], i)
        except FormulaError:
            unparsed.append(text)
            formulas[i] = ""
    for i, mineral in enumerate(minerals):
        if not out[i].any() and mineral in by_mineral:
            out[i] = out[by_mineral[mineral]]
            formulas[i] = formulas[by_mineral[mineral]]
    return out, sorted(set(unparsed))


def composition_vector(text: str) -> NDArray[np.float64]:
    """Atoms per formula unit, in the order of ``ELEMENTS``.

    Raises
    ------
    FormulaError
    """
    counts = parse_formula(text).counts
    return np.array([counts.get(e, 0.0) for e in ELEMENTS])


def save(dataset: Dataset, path: str | Path) -> Path:
    """Write the data set as HDF5, compressed."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".part")
    text = h5py.string_dtype()
    with h5py.File(temporary, "w") as file:
        file.attrs["format"] = _FORMAT
        file.attrs["report"] = json.dumps(dataset.report)
        for key in ("ids", "minerals", "formulas"):
            file.create_dataset(key, data=getattr(dataset, key), dtype=text)
        file["confirmed"] = dataset.confirmed
        for modality, spectra in dataset.spectra.items():
            group = file.create_group(f"spectra/{modality}")
            grid = dataset.grids[modality]
            group.attrs["grid"] = json.dumps(
                {k: getattr(grid, k) for k in grid.__dataclass_fields__}
            )
            pack = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
            group.create_dataset("y", data=spectra.y.astype(np.float16), **pack)
            group.create_dataset("mask", data=np.packbits(spectra.mask, axis=1), **pack)
            for key in ("sample", "laser", "primary"):
                group[key] = getattr(spectra, key)
    temporary.replace(target)
    return target


def load(path: str | Path) -> Dataset:
    """Read a data set written by :func:`save`.

    Raises
    ------
    TrainingError
        Not such a file, or a newer version.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != _FORMAT:
                raise TrainingError(
                    f"{Path(path).name} is a data set of another version.", hint="Build it again."
                )
            ids, minerals, formulas = (
                [v.decode() for v in file[k][:]] for k in ("ids", "minerals", "formulas")
            )
            spectra, grids = {}, {}
            for modality, group in file["spectra"].items():
                grids[modality] = Grid(**json.loads(group.attrs["grid"]))
                size = grids[modality].size
                spectra[modality] = Spectra(
                    group["y"][:].astype(np.float32),
                    np.unpackbits(group["mask"][:], axis=1, count=size).astype(bool),
                    group["sample"][:], group["laser"][:], group["primary"][:],
                )  # fmt: skip
            confirmed = file["confirmed"][:]
            report = json.loads(file.attrs["report"])
    except (OSError, KeyError) as error:
        raise TrainingError(
            f"{Path(path).name} is not a data set, or is damaged ({error}).",
            hint="Build it again from the archives.",
        ) from error
    composition, _ = _compositions(formulas, minerals)
    families = [
        anion_family(parse_formula(f)) if c.sum() else "unknown"
        for f, c in zip(formulas, composition, strict=True)
    ]
    return Dataset(
        ids, minerals, [mineral_stem(m) for m in minerals], formulas, families, confirmed,
        composition, spectra, grids, report,
    )  # fmt: skip

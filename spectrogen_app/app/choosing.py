"""Which of the many spectra of a file are taken: what they are called, those chosen, their mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from spectrogen_app.app.jobs import Token
from spectrogen_app.data.modality import MODALITIES
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import SpectrogenError, SpectrumError
from spectrogen_app.io.base import Verdict
from spectrogen_app.processing.mean import mean

BATCH = 200


@dataclass(frozen=True)
class Item:
    """A spectrum of a file, as listed.

    Attributes
    ----------
    name, place, kind : str
        ``place`` is where on a map it was measured; ``kind`` the modality, or why it cannot be
        taken.
    points : int
        0 when it cannot be taken.
    """

    name: str
    place: str
    kind: str
    points: int


def list_items(verdict: Verdict, token: Token, deliver: Callable[[tuple[Item, ...]], None]) -> int:
    """Look at each spectrum of a file and tell what it is called, in batches.

    Returns
    -------
    int
        Number of spectra.

    Raises
    ------
    Cancelled
    """
    total, batch = verdict.count, []
    for index in range(total):
        token.check(index / total, f"Listing {verdict.path.name}")
        try:
            s = verdict.at(index)
            batch.append(Item(s.name, place_of(s), MODALITIES[s.modality].label, len(s)))
        except SpectrogenError as error:
            batch.append(Item(f"Spectrum {index + 1}", "", error.message, 0))
        if len(batch) == BATCH or index + 1 == total:
            deliver(tuple(batch))
            batch = []
    return total


def place_of(spectrum: Spectrum) -> str:
    """Where on a map a spectrum was measured, as its metadata say; empty where they do not."""
    for key, value in spectrum.metadata.items():
        if key.casefold().startswith("position") and value not in ("", None):
            unit = key.partition("(")[2].rstrip(")")
            numbers = value if isinstance(value, (tuple, list)) else (value,)
            text = ", ".join(f"{v:.6g}" if isinstance(v, float) else str(v) for v in numbers)
            return f"{text} {unit}".strip()
    spots = [
        f"{key.partition(' (')[0]} {value:.6g}" for key, value in spectrum.metadata.items()
        if key.partition(" (")[0].casefold() in ("x", "y", "z") and isinstance(value, float)
    ]  # fmt: skip
    return ", ".join(spots)


@dataclass(frozen=True)
class TakeRequest:
    """Spectra of one file to be taken.

    Attributes
    ----------
    verdict : Verdict
    indices : tuple of int
        As of :meth:`Verdict.at`.
    mean_of : tuple of int
        Those whose mean is taken as well; empty for none.
    """

    verdict: Verdict
    indices: tuple[int, ...]
    mean_of: tuple[int, ...] = ()


def take(request: TakeRequest, token: Token) -> tuple[Spectrum, ...]:
    """The chosen spectra, and the mean at the end when one was asked for.

    Raises
    ------
    SpectrogenError
        One of them is refused, or they have no mean.
    Cancelled
    """
    verdict, total = request.verdict, len(request.indices) + len(request.mean_of)
    taken: list[Spectrum] = []
    for at, index in enumerate(request.indices):
        token.check(at / total, f"Taking spectra of {verdict.path.name}")
        taken.append(verdict.at(index))
    if request.mean_of:
        taken.append(_mean(verdict, request.mean_of, token, len(request.indices) / total))
    return tuple(taken)


def _mean(verdict: Verdict, indices: Sequence[int], token: Token, done: float) -> Spectrum:
    last: list[Spectrum] = []

    def each() -> Iterator[Spectrum]:
        for at, index in enumerate(indices):
            token.check(
                done + (1 - done) * at / len(indices), f"Averaging spectra of {verdict.path.name}"
            )
            last[:] = [verdict.at(index)]
            yield last[0]

    found = mean(each())
    file, known = verdict.path.name, last[0].provenance
    which = f"Mean of {len(indices)} spectra of {file}: numbers {ranges(indices)}."
    return found.replace(
        name=f"{file.rpartition('.')[0] or file} mean of {len(indices)}",
        metadata={"mean of": which},
        provenance=replace(known, index=0, mean_of=tuple(indices), assumptions=(which,)),
    )


def ranges(indices: Sequence[int]) -> str:
    """Indices from 0 as people count them: ``1-4, 7``."""
    ordered = sorted(set(indices))
    edges = [i for i, (a, b) in enumerate(pairwise(ordered), 1) if b != a + 1]
    runs = [ordered[a:b] for a, b in pairwise([0, *edges, len(ordered)]) if a < b]
    return ", ".join(f"{r[0] + 1}-{r[-1] + 1}" if len(r) > 1 else f"{r[0] + 1}" for r in runs)


def parse_ranges(text: str, total: int) -> set[int]:
    """Indices from 0 of ``1-4, 7, 90-``.

    Raises
    ------
    SpectrumError
        Not a list of numbers and ranges of 1..``total``.
    """
    chosen: set[int] = set()
    for part in text.replace("–", "-").replace(";", ",").split(","):
        first, dash, last = (p.strip() for p in part.partition("-"))
        try:
            low = int(first or 1) if first or dash else int(part)
            high = (int(last) if last else total) if dash else low
            if not 1 <= low <= high <= total:
                raise ValueError
        except ValueError:
            raise SpectrumError(
                f"{part.strip() or 'Nothing'} is no range of 1 to {total}.",
                hint="Such as 1-20, 35.",
            ) from None
        chosen |= set(range(low - 1, high))
    return chosen

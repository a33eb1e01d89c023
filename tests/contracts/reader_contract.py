"""What every reader must do; a reader's test class inherits ``ReaderContract``."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, SpectrogenError
from spectrogen_app.io import registry
from spectrogen_app.io.base import Reader, Verdict
from spectrogen_app.io.sanity import check_spectrum

MUTATIONS = 500
"""Per file; the fuzz run of the benchmarks takes many more."""
SECONDS = 2.0
MEGABYTES = 500


def same(left: Spectrum, right: Spectrum) -> bool:
    """Whether two spectra hold the same numbers and description."""
    return (
        np.array_equal(left.x, right.x)
        and np.array_equal(left.y, right.y)
        and (left.modality, left.x_kind, left.x_unit, left.y_unit, left.name, left.sample)
        == (right.modality, right.x_kind, right.x_unit, right.y_unit, right.name, right.sample)
        and dict(left.metadata) == dict(right.metadata)
    )


def mutate(data: bytes, rng: random.Random) -> bytes:
    """A damaged copy: cut off, or some bytes flipped, or a piece doubled or missing."""
    kind = rng.randrange(4)
    if kind == 0 or len(data) < 4:
        return data[: rng.randrange(len(data) + 1)]
    changed = bytearray(data)
    if kind in (1, 2):
        span = min(len(data), 4096) if rng.random() < 0.5 else len(data)
        for _ in range(rng.choice((1, 2, 8, 64))):
            changed[rng.randrange(span)] = rng.randrange(256)
        return bytes(changed)
    a, b = sorted(rng.randrange(len(data)) for _ in range(2))
    return data[:a] + data[b:] if rng.random() < 0.5 else data[:b] + data[a:]


def assert_refused_or_sane(verdict: Verdict) -> None:
    """A refusal that speaks, or spectra that pass the sanity checks."""
    if verdict.error is not None:
        assert isinstance(verdict.error, SpectrogenError)
        assert verdict.error.message
        return
    assert len(verdict.spectra) > 0
    for spectrum in verdict.spectra[:3]:
        check_spectrum(spectrum)
        assert len(spectrum) >= 2


class ReaderContract:
    """Inherited by the test class of each reader.

    A subclass sets ``reader`` and either ``files`` (real files, below ``instruments``) or the
    fixture ``sample`` (a file that the test writes).
    """

    reader: ClassVar[Reader]
    files: ClassVar[Sequence[str]] = ()

    @pytest.fixture
    def sample(self, shared_data: Path) -> Path:
        """The file that the contract is tried on."""
        return shared_data / "instruments" / self.files[0]

    def open(self, path: Path) -> Verdict:
        """Open through the registry."""
        return registry.open_path(path)

    def test_listed_with_a_description(self) -> None:
        assert any(type(r) is type(self.reader) for r in registry.READERS)
        info = next(f for f in registry.formats() if f.name == self.reader.name)
        assert info.label
        assert info.tested_on
        assert all(e.startswith(".") and e == e.lower() for e in info.extensions)

    def test_opens_as_this_format(self, sample: Path) -> None:
        verdict = self.open(sample)
        assert verdict.error is None, verdict.error
        assert verdict.format == self.reader.label
        for index, spectrum in enumerate(verdict.spectra[:3]):
            assert spectrum.provenance.path
            assert len(spectrum.provenance.sha256) == 64
            assert spectrum.provenance.index == index
            assert spectrum.name

    def test_input_is_left_unmodified(self, sample: Path) -> None:
        before, stamp = sample.read_bytes(), sample.stat().st_mtime_ns
        self.open(sample)
        assert sample.read_bytes() == before
        assert sample.stat().st_mtime_ns == stamp

    def test_repeatable(self, sample: Path) -> None:
        first, second = self.open(sample), self.open(sample)
        assert len(first.spectra) == len(second.spectra)
        assert all(same(a, b) for a, b in zip(first.spectra[:5], second.spectra[:5], strict=True))
        assert first.warnings == second.warnings
        assert first.assumptions == second.assumptions

    def test_thread_safe(self, sample: Path) -> None:
        alone = self.open(sample).spectra[0]
        with ThreadPoolExecutor(4) as pool:
            for verdict in pool.map(self.open, [sample] * 8):
                assert verdict.error is None
                assert same(verdict.spectra[0], alone)

    def test_cancel_leaves_at_once(self, sample: Path) -> None:
        def refuse(fraction: float, message: str = "") -> None:
            raise Cancelled

        with pytest.raises(Cancelled):
            registry.open_path(sample, check=refuse)

    def test_damaged_copies_are_refused_or_sane(self, sample: Path, tmp_path: Path) -> None:
        data = sample.read_bytes()
        rng = random.Random(len(data))
        target = tmp_path / sample.name
        for _ in range(MUTATIONS):
            target.write_bytes(mutate(data, rng))
            with bounded():
                assert_refused_or_sane(registry.open_path(target))


class bounded:
    """Fail when the block takes over ``SECONDS``, or memory grows by ``MEGABYTES``."""

    def __enter__(self) -> None:
        self.start = time.process_time()
        self.memory = _peak()

    def __exit__(self, *_: object) -> None:
        assert time.process_time() - self.start < SECONDS
        assert _peak() - self.memory < MEGABYTES


def _peak() -> float:
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def text_file(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """Write a text file without touching its line ends."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path

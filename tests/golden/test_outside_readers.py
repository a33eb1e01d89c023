"""Whole arrays of real files against independent libraries, where these are installed."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.io import registry


def test_wdf_against_renishaw_wire(shared_data: Path) -> None:
    package = pytest.importorskip("renishawWiRE")
    compared = 0
    for path in sorted((shared_data / "instruments" / "wdf").glob("*.wdf")):
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                theirs = package.WDFReader(str(path))
            except Exception:
                continue
        spectra = np.asarray(theirs.spectra).reshape(-1, theirs.point_per_spectrum)
        x = np.asarray(theirs.xdata, dtype=float)
        theirs.close()
        order = np.argsort(x, kind="stable")
        ours = registry.open_path(path).spectra
        for i in range(0, len(ours), max(len(ours) // 5, 1)):
            assert np.array_equal(ours[i].x, x[order]), path.name
            assert np.array_equal(ours[i].y, spectra[i].astype(float)[order]), path.name
        compared += 1
    assert compared >= 12


def test_opus_against_brukeropus(shared_data: Path) -> None:
    package = pytest.importorskip("brukeropus")
    compared = 0
    for path in sorted((shared_data / "instruments" / "opus").iterdir()):
        theirs = package.read_opus(str(path))
        kinds = [k for k in ("a", "r", "t", "ra") if k in theirs.data_keys]
        data = getattr(theirs, kinds[0])
        ours = registry.read(path)[0]
        order = np.argsort(data.x, kind="stable")
        assert np.allclose(ours.x, data.x[order], rtol=1e-12), path.name
        assert np.allclose(ours.y, np.asarray(data.y, dtype=float)[order], rtol=1e-6), path.name
        compared += 1
    assert compared >= 12

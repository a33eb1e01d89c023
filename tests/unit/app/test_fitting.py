"""Fit jobs: steps before the fit, one broken spectrum among many, cancel."""

from pathlib import Path

import numpy as np
import pytest

from spectrogen_app.app.fitting import (
    BatchFitRequest,
    FitChoices,
    FitRequest,
    batch_fit_job,
    fit_job,
    read_template,
)
from spectrogen_app.app.jobs import Token
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, FitError, ProcessingError
from spectrogen_app.fitting.batch import Failure
from spectrogen_app.fitting.model import Model, Peak
from spectrogen_app.fitting.result import FitResult

X = np.linspace(100, 900, 1601)
TRUTH = Model((Peak.make("lorentzian", 300, 10, 12), Peak.make("lorentzian", 465, 20, 9)))


def spectrum(seed: int = 0) -> Spectrum:
    under = 30 + 1e-5 * (X - 400) ** 2
    noise = np.random.default_rng(seed).normal(0, 0.1, X.size)
    return Spectrum(X, TRUTH.evaluate(X) + under + noise, modality="raman", name=f"s{seed}")


def test_steps_come_before_the_fit_and_are_recorded() -> None:
    result = fit_job(FitRequest(spectrum(), FitChoices(steps=("arpls(lam=1e7)",))), Token())
    assert {300, 465} <= {round(p.center.value) for p in result.peaks}
    assert result.spectrum.provenance.steps == ("arpls(lam=10000000.0)",)
    with pytest.raises(ProcessingError):
        fit_job(FitRequest(spectrum(), FitChoices(steps=("nonsense",))), Token())


def test_one_that_cannot_be_processed_does_not_stop_the_others() -> None:
    spectra = (spectrum(0), Spectrum([1, 2], [1, 2], name="short"), spectrum(1))
    arrived: list[int] = []
    request = BatchFitRequest(spectra, FitChoices(peaks=TRUTH, steps=("arpls(lam=1e7)",)))
    outcomes = batch_fit_job(request, Token(), lambda i, _: arrived.append(i))
    assert [type(o) for o in outcomes] == [FitResult, Failure, FitResult]
    assert outcomes[1].index == 1
    assert sorted(arrived) == [0, 1, 2]


def test_failures_are_numbered_as_in_the_request() -> None:
    flat = Spectrum(X, np.zeros_like(X), name="flat")
    spectra = (Spectrum([1, 2], [1, 2], name="short"), spectrum(0), flat)
    outcomes = batch_fit_job(BatchFitRequest(spectra, FitChoices(steps=("arpls",))), Token())
    assert [o.index for o in outcomes if isinstance(o, Failure)] == [0, 2]


def test_cancel_before_and_within() -> None:
    token = Token()
    token.cancel()
    with pytest.raises(Cancelled):
        fit_job(FitRequest(spectrum(), FitChoices(steps=("arpls",))), token)
    held = fit_job(FitRequest(spectrum(), FitChoices(peaks=TRUTH)), token)
    assert held.cancelled
    outcomes = batch_fit_job(BatchFitRequest((spectrum(),), FitChoices(peaks=TRUTH)), token)
    assert outcomes == (None,)


def test_template_that_cannot_be_read(tmp_path: Path) -> None:
    for content in (None, b"\xff\xfe\x00", b"hello"):
        path = tmp_path / "template"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(FitError):
            read_template(path)

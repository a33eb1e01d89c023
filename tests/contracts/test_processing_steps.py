"""What every processing step must hold."""

import threading

import numpy as np
import pytest

from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, ProcessingError, SpectrogenError
from spectrogen_app.processing import pipeline
from spectrogen_app.processing.pipeline import STEPS, Step, apply, parse

EXTRA = {"anchors": {"points": ((100.0, 5.0), (400.0, 6.0), (800.0, 5.0))},
         "crop": {"low": 150.0, "high": 700.0}}  # fmt: skip
ALL = pytest.mark.parametrize("step", [Step(n, EXTRA.get(n, {})) for n in STEPS], ids=list(STEPS))


def made_up(x: np.ndarray, **fields: object) -> Spectrum:
    noise = np.random.default_rng(0).normal(0, 0.1, x.size)
    y = 5 + x / 500 + 20 / (1 + ((x - 400) / 8) ** 2) + noise
    return Spectrum(x, y, modality="raman", **fields)


UNIFORM = made_up(np.linspace(50, 900, 1701))
IRREGULAR = made_up(np.sort(np.random.default_rng(1).uniform(50, 900, 1701)))


@ALL
@pytest.mark.parametrize("spectrum", [UNIFORM, IRREGULAR], ids=["uniform", "irregular"])
def test_step_is_pure_and_repeatable(step: Step, spectrum: Spectrum) -> None:
    before = spectrum.x.copy(), spectrum.y.copy()
    first, second = apply(spectrum, [step]), apply(spectrum, [step.text])
    assert np.array_equal(spectrum.x, before[0])
    assert np.array_equal(spectrum.y, before[1])
    assert np.array_equal(first.y, second.y)
    assert np.all(np.isfinite(first.y))
    assert first.origin is Origin.PROCESSED
    assert first.provenance.steps == (step.text,)
    if step.name != "crop":
        assert np.array_equal(first.x, spectrum.x)


@ALL
def test_text_reads_back(step: Step) -> None:
    assert parse(step.text) == step
    assert hash(parse(step.text)) == hash(step)


@ALL
@pytest.mark.parametrize("y", [[1.0, 2.0], [0.0, 0.0], [1e300, -1e300], [3.0] * 5, [0.0] * 60])
def test_little_or_flat_data_is_done_or_refused_in_words(step: Step, y: list[float]) -> None:
    spectrum = Spectrum(100 + 10 * np.arange(len(y)), y)
    try:
        out = apply(spectrum, [step])
    except SpectrogenError as error:
        assert error.message  # noqa: PT017
    else:
        assert np.all(np.isfinite(out.y))


@ALL
def test_band_follows_or_goes(step: Step) -> None:
    y = UNIFORM.y
    out = apply(UNIFORM.replace(lower=y - 1, upper=y + 1), [step])
    if out.lower is not None:
        assert out.upper is not None
        assert np.all(out.lower < out.y)
        assert np.all(out.y < out.upper)


@ALL
def test_units_of_intensity_do_not_matter(step: Step) -> None:
    if step.name in ("normalise", "derivative", "anchors", "despike"):
        pytest.skip("not proportional by definition, or with given intensities")
    scaled = UNIFORM.replace(y=UNIFORM.y * 1e6)
    expected = apply(UNIFORM, [step]).y * 1e6
    assert np.allclose(apply(scaled, [step]).y, expected, rtol=1e-5, atol=1e-5 * expected.max())


@ALL
def test_threads_do_not_disturb_each_other(step: Step) -> None:
    expected = apply(UNIFORM, [step]).y
    results: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: results.append(apply(UNIFORM, [step]).y)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all(np.array_equal(r, expected) for r in results)


@ALL
def test_bad_values_are_refused(step: Step) -> None:
    for parameter in step.kind.parameters:
        for bad in (float("nan"), "nonsense", [[1, 2, 3]], object()):
            with pytest.raises(ProcessingError) as caught:
                Step(step.name, {parameter.name: bad})
            assert caught.value.fields["parameter"] == parameter.name
        if parameter.type in (int, float) and np.isfinite(parameter.minimum):
            with pytest.raises(ProcessingError):
                Step(step.name, {parameter.name: parameter.minimum - 1})
            with pytest.raises(ProcessingError):
                Step(step.name, {parameter.name: parameter.maximum * 2 + 1})
    with pytest.raises(ProcessingError):
        Step(step.name, {"no_such": 1})


@ALL
def test_extreme_values_are_done_or_refused(step: Step) -> None:
    spectrum = made_up(np.linspace(50, 900, 301))
    for parameter in step.kind.parameters:
        values = parameter.choices or (parameter.minimum, parameter.maximum)
        for value in values:
            if parameter.type in (int, float) and not np.isfinite(value):
                continue
            try:
                changed = step.with_values(**{parameter.name: value})
                out = apply(spectrum, [changed])
            except ProcessingError:
                continue
            except ValueError as error:
                pytest.fail(f"{step.name} {parameter.name}={value}: {error!r}")
            assert np.all(np.isfinite(out.y))


@ALL
def test_form_can_be_built(step: Step) -> None:
    kind = step.kind
    assert kind.label
    assert kind.group
    assert kind.help
    for p in kind.parameters:
        assert p.label
        assert p.type in (float, int, str, bool, tuple)
        assert p.checked(p.default) == p.default
        assert bool(p.choices) == (p.type is str)


@pytest.mark.parametrize(
    "text", ["", "nothing", "arpls(1)", "arpls(lam=open('x'))", "__import__('os')", "arpls(lam=1",
             "arpls(**{})", "(" * 300, "a.b(c=1)", "arpls(lam=-1)"],
)  # fmt: skip
def test_text_that_is_no_step_is_refused_without_running_it(text: str) -> None:
    with pytest.raises(ProcessingError):
        parse(text)


def test_steps_run_in_order_and_are_recorded() -> None:
    out = apply(UNIFORM, ["crop(low=100, high=800)", "arpls", "normalise"])
    assert [s.split("(")[0] for s in out.provenance.steps] == ["crop", "arpls", "normalise"]
    again = apply(UNIFORM, out.provenance.steps)
    assert np.array_equal(again.y, out.y)
    assert apply(UNIFORM, []) is UNIFORM


def test_cancel_stops_between_steps() -> None:
    def check(fraction: float, message: str) -> None:
        if fraction > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        apply(UNIFORM, ["arpls", "normalise"], check)


def test_baseline_preview_is_what_is_subtracted() -> None:
    for name, kind in STEPS.items():
        step = Step(name, EXTRA.get(name, {}))
        if kind.curve is None:
            with pytest.raises(ProcessingError):
                pipeline.baseline_curve(UNIFORM, step)
        else:
            curve = pipeline.baseline_curve(UNIFORM, step)
            assert np.allclose(UNIFORM.y - curve, apply(UNIFORM, [step]).y)


def test_a_generated_spectrum_stays_generated() -> None:
    generated = UNIFORM.replace(origin=Origin.GENERATED)
    assert apply(generated, ["normalise"]).origin is Origin.GENERATED

"""Editing the session."""

import numpy as np
import pytest

from spectrogen_app.app.session import SessionState, sample_key
from spectrogen_app.data.provenance import Origin
from spectrogen_app.data.spectrum import Spectrum


def make(modality: str = "raman", **fields: object) -> Spectrum:
    return Spectrum(np.arange(200.0, 210.0), np.ones(10), modality=modality, **fields)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Calcite_R040070_Raman.txt", "calcite R040070 (IR).txt", True),
        ("quartz_xrd", "quartz_raman", True),
        ("Quartz R040031", "Quartz R050125", False),
        ("Fire opal", "Opal", False),
        ("Raman", "IR", False),
    ],
)
def test_samples_are_matched_by_name(one: str, other: str, same: bool) -> None:
    assert (sample_key(one) == sample_key(other)) is same


def test_modalities_of_one_sample_share_a_sample() -> None:
    state = SessionState().add([make(name="calcite_raman"), make("ir", name="calcite_ir")])
    assert [len(s.curves) for s in state.samples] == [2]


def test_a_new_answer_replaces_the_old_one() -> None:
    state = SessionState().add([make(name="a")])
    sample, parent = state.samples[0], next(state.curves())
    for _ in range(2):
        state = state.add_derived(sample.id, [make("ir", origin=Origin.GENERATED)], [parent.id])
    assert [c.spectrum.origin for c in state.curves()] == [Origin.MEASURED, Origin.GENERATED]


def test_an_empty_sample_goes() -> None:
    state = SessionState().add([make(name="a"), make(name="b")])
    first = next(state.curves())
    assert [s.name for s in state.remove([first.id]).samples] == ["b"]


def test_moving_the_last_curve_keeps_the_target() -> None:
    state = SessionState().add([make(name="a"), make(name="b")])
    curve = next(state.curves())
    moved = state.move([curve.id], state.samples[1].id)
    assert [s.name for s in moved.samples] == ["b"]
    assert len(moved.samples[0].curves) == 2
    assert state.samples[0].curves == (curve,), "the state before is untouched"


def test_arrays_are_shared_between_states() -> None:
    state = SessionState().add([make(name="a")])
    curve = next(state.curves())
    edited = state.edit_curve(curve.id, colour="#000000")
    assert next(edited.curves()).spectrum.y is curve.spectrum.y


def test_what_did_not_change_is_the_same_object() -> None:
    """Views rely on it to redraw only what is new."""
    state = SessionState().add([make(name="a"), make(name="b")])
    a, b = state.curves()
    hidden = state.show([b.id], False)
    assert hidden.samples[0] is state.samples[0]
    assert [c.visible for c in hidden.curves()] == [True, False]
    assert hidden.add([make(name="c")]).samples[:2] == hidden.samples
    assert state.edit_curve(a.id, colour="#000000").samples[1] is state.samples[1]

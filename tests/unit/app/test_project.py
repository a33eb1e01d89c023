"""Project files: the same session back, and clear words about damage."""

import contextlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from spectrogen_app.app import project
from spectrogen_app.app.jobs import Token
from spectrogen_app.app.session import SessionState
from spectrogen_app.data.provenance import Generation, Origin, Provenance, Reference
from spectrogen_app.data.spectrum import Spectrum
from spectrogen_app.errors import Cancelled, ProjectError, SpectrogenError, WriteError


def same(a: Spectrum, b: Spectrum) -> None:
    for name in ("x", "y", "lower", "upper"):
        one, other = getattr(a, name), getattr(b, name)
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_array_equal(one, other)
    for name in ("modality", "x_kind", "x_unit", "y_unit", "name", "sample", "formula", "laser_nm",
                 "wavelength", "origin", "provenance"):  # fmt: skip
        assert getattr(a, name) == getattr(b, name), name


def same_state(a: SessionState, b: SessionState) -> None:
    assert [(s.id, s.name, s.formula) for s in a.samples] == [
        (s.id, s.name, s.formula) for s in b.samples
    ]
    for one, other in zip(a.curves(), b.curves(), strict=True):
        assert (one.id, one.visible, one.colour, one.parents) == (
            other.id, other.visible, other.colour, other.parents,
        )  # fmt: skip
        same(one.spectrum, other.spectrum)


TEXT = st.text(max_size=12)
NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@st.composite
def spectra(draw: st.DrawFn) -> Spectrum:
    n = draw(st.integers(2, 200))
    x = np.cumsum(draw(arrays.arrays(float, n, elements=st.floats(1e-3, 5.0))))
    y = draw(arrays.arrays(float, n, elements=NUMBERS))
    generation = draw(st.none() | st.builds(
        Generation, model_id=TEXT, model_sha256=TEXT, seed=st.integers(0, 2**31), device=TEXT,
        sources=st.lists(TEXT, max_size=2).map(tuple), formula=st.none() | TEXT,
        familiarity=st.floats(0, 1),
        references=st.lists(st.builds(Reference, TEXT, TEXT, st.floats(0, 1)),
                            max_size=2).map(tuple),
        notes=st.lists(TEXT, max_size=2).map(tuple),
    ))  # fmt: skip
    metadata = draw(st.dictionaries(TEXT, st.none() | st.integers() | TEXT | st.lists(TEXT)))
    return Spectrum(
        x, y, modality=draw(st.sampled_from(["raman", "ir", "xrd", "unknown"])),
        name=draw(TEXT), sample=draw(TEXT), formula=draw(st.none() | TEXT),
        lower=draw(st.none() | st.just(y - 1)), origin=draw(st.sampled_from(Origin)),
        metadata=metadata,
        provenance=Provenance(path=draw(TEXT), steps=("crop(low=1)",), generation=generation),
    )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(held=st.lists(spectra(), max_size=4))
def test_a_session_comes_back_as_it_was(
    held: list[Spectrum], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("project") / "work.spectrogen"
    state = SessionState().add(held)
    project.save(state, path)
    again = project.load(path)
    same_state(state, again)
    for one, other in zip(state.curves(), again.curves(), strict=True):
        assert one.spectrum.metadata == other.spectrum.metadata


@pytest.fixture
def state() -> SessionState:
    x = np.linspace(100, 1300, 1201)
    raman = Spectrum(x, np.sin(x / 50), modality="raman", name="one", metadata={"a": np.arange(3)})
    state = SessionState().add([raman])
    curve = next(state.curves())
    return state.add_derived(
        state.samples[0].id, [raman.replace(y=raman.y * 2, origin=Origin.PROCESSED)], [curve.id]
    )


def test_shared_arrays_are_stored_once(state: SessionState, tmp_path: Path) -> None:
    project.save(state, tmp_path / "a.spectrogen")
    with h5py.File(tmp_path / "a.spectrogen") as file:
        assert len(file["arrays"]) == 5, "x of both, y of both, one array of metadata"


def test_what_is_written_in_pieces_comes_back_whole(tmp_path: Path) -> None:
    x = np.linspace(100, 4000, 2 * project._PIECE + 7)
    image = np.arange(3.0 * 5 * project._PIECE).reshape(5, -1, 3)
    long = Spectrum(x, np.sin(x), modality="raman", metadata={"image": image, "note": "ä" * 50_000})
    project.save(SessionState().add([long]), tmp_path / "a.spectrogen")
    (back,) = project.load(tmp_path / "a.spectrogen").curves()
    same(back.spectrum, long)
    np.testing.assert_array_equal(back.spectrum.metadata["image"], image)
    assert back.spectrum.metadata["note"] == "ä" * 50_000


def test_any_truncation_is_refused(state: SessionState, tmp_path: Path) -> None:
    path = tmp_path / "a.spectrogen"
    project.save(state, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(ProjectError, match=r"damaged|not a SpectroGen"):
            project.load(path)


def test_any_flipped_byte_gives_an_answer(state: SessionState, tmp_path: Path) -> None:
    path = tmp_path / "a.spectrogen"
    project.save(state, path)
    whole = bytearray(path.read_bytes())
    for at in range(0, len(whole), max(1, len(whole) // 120)):
        flipped = bytearray(whole)
        flipped[at] ^= 0xFF
        path.write_bytes(flipped)
        with contextlib.suppress(SpectrogenError):
            assert isinstance(project.load(path), SessionState)


def test_a_newer_file_says_so(state: SessionState, tmp_path: Path) -> None:
    path = tmp_path / "a.spectrogen"
    project.save(state, path)
    with h5py.File(path, "a") as file:
        file.attrs["version"] = project.VERSION + 1
    with pytest.raises(ProjectError, match="newer version"):
        project.load(path)


def test_another_hdf5_file_is_no_project(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = [1]
    with pytest.raises(ProjectError, match="not a SpectroGen project"):
        project.load(tmp_path / "a.h5")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="does not exist"):
        project.load(tmp_path / "none.spectrogen")


def test_a_failed_save_keeps_the_old_file(state: SessionState, tmp_path: Path) -> None:
    path = tmp_path / "a.spectrogen"
    project.save(state, path)
    before = path.read_bytes()
    token = Token()
    token.cancel()
    with pytest.raises(Cancelled):
        project.save(state, path, token.check)
    assert path.read_bytes() == before
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(WriteError):
        project.save(state, blocked / "a.spectrogen")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.spectrogen", "file"]


def test_a_crash_leaves_a_recovery(state: SessionState, tmp_path: Path) -> None:
    autosave = project.Autosave(tmp_path)
    autosave.save(state, Path("/home/me/work.spectrogen"))
    assert project.recoveries(tmp_path) == [], "live work is no crash"
    autosave._lock.close()  # what the system does when a program dies
    (found,) = project.recoveries(tmp_path)
    assert (found.samples, found.curves) == (1, 2)
    assert found.project == "/home/me/work.spectrogen"
    same_state(project.load(found.path), state)
    project.discard(found.path)
    assert list(tmp_path.iterdir()) == []


def test_an_orderly_end_leaves_nothing(state: SessionState, tmp_path: Path) -> None:
    autosave = project.Autosave(tmp_path)
    autosave.save(state)
    autosave.close()
    autosave.close()
    assert list(tmp_path.iterdir()) == []


def test_damaged_leftovers_are_passed_over(state: SessionState, tmp_path: Path) -> None:
    autosave = project.Autosave(tmp_path)
    autosave.save(state)
    autosave._lock.close()
    about = autosave.path.with_suffix(".json")
    about.write_text(json.dumps({"unexpected": 1}))
    assert [r.curves for r in project.recoveries(tmp_path)] == [2], "the session itself tells"
    autosave.path.write_bytes(b"nonsense")
    assert project.recoveries(tmp_path) == []


def test_unknown_kinds_of_metadata_become_text(tmp_path: Path) -> None:
    spectrum = Spectrum([1.0, 2.0], [1.0, 2.0], metadata={"date": Path("x"), "n": np.float32(1.5)})
    project.save(SessionState().add([spectrum]), tmp_path / "a.spectrogen")
    loaded = next(project.load(tmp_path / "a.spectrogen").curves()).spectrum
    assert loaded.metadata == {"date": "x", "n": 1.5}

"""The frozen splits hold no leak, and cannot be altered unnoticed."""

import json

import numpy as np
import pytest

from spectrogen_app.errors import TrainingError
from spectrogen_app.training import splits
from spectrogen_app.training.dataset import Dataset


def dataset(ids, stems):
    n = len(ids)
    return Dataset(
        ids, stems, stems, [""] * n, ["oxide"] * n, np.ones(n, bool), np.zeros((n, 92)), {}, {}
    )


def test_lists_are_disjoint_and_sealed():
    content = splits.frozen()
    groups = [set(content["ids"][g]) for g in splits.GROUPS]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert not set(content["stems"]["mineral"]) & set(content["stems"]["family"])
    assert splits.fingerprint(content["ids"]) == content["sha256"]


def test_altered_lists_are_refused(monkeypatch, tmp_path):
    content = json.loads(json.dumps(splits.frozen()))
    content["ids"]["mineral"].pop()
    (tmp_path / "splits.json").write_text(json.dumps(content))
    monkeypatch.setattr(splits.resources, "files", lambda _: tmp_path)
    splits.frozen.cache_clear()
    try:
        with pytest.raises(TrainingError, match="altered"):
            splits.frozen()
    finally:
        splits.frozen.cache_clear()


def test_a_new_sample_of_a_held_out_mineral_is_held_out():
    stem = splits.frozen()["stems"]["mineral"][0]
    got = splits.split(dataset(["R999999", "R999998"], [stem, "nosuchmineral"]))
    assert got.group.tolist() == ["mineral", "train"]
    assert got.train.tolist() == [False, True]


def test_folds_keep_stems_together():
    stems = ["a", "a", "b", "c", "c", "c", "d"]
    members = np.array([1, 1, 1, 1, 1, 1, 0], bool)
    fold = splits.folds_by_stem(stems, members, 2, seed=1)
    assert fold[6] == -1
    assert fold[0] == fold[1]
    assert len({fold[3], fold[4], fold[5]}) == 1
    siblings = splits.folds_of_siblings(stems, members, 2, seed=1)
    assert siblings[2] == siblings[6] == -1
    assert set(siblings[:2]) == {0, 1}


def test_family_folds_leave_the_largest_family_and_unknown_ones_alone():
    families = ["silicate"] * 5 + ["oxide"] * 3 + ["sulfate"] * 2 + ["halide"] + ["unknown"] * 9
    fold = splits.folds_by_family(families, 2)
    assert fold.tolist() == [-1] * 5 + [0] * 3 + [1] * 2 + [0] + [-1] * 9


def test_no_leak_in_the_archives(shared_data):
    """No curve, sample or mineral of a test group is in training, as the data stand."""
    from spectrogen_app.training.dataset import build

    data = build(shared_data / "rruff")
    group = splits.split(data).group
    stems = np.array(data.stems)
    for held in ("mineral", "family"):
        assert not set(stems[group == held]) & set(stems[group != held])
    assert set(stems[group == "sample"]) <= set(stems[group == "train"])
    assert (group == "train").sum() > 0.7 * len(data)
    for modality, spectra in data.spectra.items():
        of = group[spectra.sample]
        y = np.ascontiguousarray(np.round(spectra.y, 3))
        curves = {g: {row.tobytes() for row in y[of == g]} for g in set(of)}
        for held in splits.GROUPS:
            assert not curves.get(held, set()) & curves["train"], modality

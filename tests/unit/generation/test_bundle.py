"""Bundles are verified before they are used."""

import json
import shutil
import subprocess
import sys

import pytest

from spectrogen_app.errors import ModelError
from spectrogen_app.generation import bundle


@pytest.fixture
def copy(tiny_bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("SPECTROGEN_MODELS", str(tmp_path))
    monkeypatch.setattr(bundle, "user_data", lambda: tmp_path / "user")
    return shutil.copytree(tiny_bundle, tmp_path / "tiny")


def test_list_and_load(copy):
    (info,) = bundle.list_models()
    assert (info.model_id, info.bundled) == ("tiny", True)
    assert info.inputs == ("raman", "ir", "xrd", "formula")
    assert info.targets == ("raman", "ir", "xrd")
    assert "Where not to use it" in info.card
    model = bundle.load_model(device="cpu")
    assert model.sha256 == info.sha256
    assert model.card == info.card
    assert bundle.load_model("tiny").model_id == "tiny"
    assert bundle.load_model(path=copy).model_id == "tiny"


@pytest.mark.parametrize("name", [bundle.WEIGHTS, bundle.CONFIG, bundle.CARD, bundle.METRICS])
def test_an_altered_file_is_refused(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged or was altered: its SHA-256"):
        bundle.load_model("tiny")


@pytest.mark.parametrize("name", [bundle.WEIGHTS, bundle.CONFIG, bundle.CARD, bundle.METRICS])
def test_a_missing_file_is_refused(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelError, match=f"{name} of the model tiny is missing"):
        bundle.load_model("tiny")


def reseal(folder):
    import hashlib

    names = (bundle.WEIGHTS, bundle.CONFIG, bundle.CARD, bundle.METRICS)
    sums = (f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names)
    (folder / bundle.SUMS).write_text("".join(sums))


def test_a_newer_format_is_refused(copy):
    config = json.loads((copy / bundle.CONFIG).read_text())
    config["format"] = 99
    (copy / bundle.CONFIG).write_text(json.dumps(config))
    reseal(copy)
    with pytest.raises(ModelError, match=r"has format 99, this program reads up to"):
        bundle.load_model("tiny")


@pytest.mark.parametrize("drop", ["grids", "samples", "settings"])
def test_an_incomplete_config_is_refused(copy, drop):
    config = json.loads((copy / bundle.CONFIG).read_text())
    del config[drop]
    (copy / bundle.CONFIG).write_text(json.dumps(config))
    reseal(copy)
    with pytest.raises(ModelError, match="incomplete"):
        bundle.load_model("tiny")


def test_resealed_rubbish_weights_are_refused(copy):
    (copy / bundle.WEIGHTS).write_bytes(b"\x80\x04rubbish" * 100)
    reseal(copy)
    with pytest.raises(ModelError, match="weights are damaged"):
        bundle.load_model("tiny")


@pytest.mark.parametrize("text", ["", "no sums here", "00  weights.safetensors\n"])
def test_damaged_sums(copy, text):
    (copy / bundle.SUMS).write_text(text)
    with pytest.raises(ModelError, match="checksums"):
        bundle.load_model("tiny")


def test_unknown_and_none(copy, monkeypatch):
    with pytest.raises(ModelError, match=r"no model 'other'.*Installed: tiny"):
        bundle.load_model("other")
    with pytest.raises(ModelError, match="no model"):
        bundle.load_model("../tiny")
    shutil.rmtree(copy)
    with pytest.raises(ModelError, match="No model is installed"):
        bundle.load_model()
    with pytest.raises(ModelError, match="not a model folder"):
        bundle.load_model(path=copy)


def test_damaged_models_are_not_listed(copy):
    (copy / bundle.CARD).write_text("altered")
    assert bundle.list_models() == ()


def test_listing_needs_no_torch():
    code = (
        "import sys; from spectrogen_app.generation import bundle, translator, result, device; "
        "bundle.list_models(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""The device is one that computes, and the reason is said."""

import pytest
import torch

from spectrogen_app.errors import GenerationError
from spectrogen_app.generation import device


def test_cpu():
    found = device.choose_device("cpu")
    assert found.name == "cpu"
    assert "asked" in found.reason


def test_unknown():
    with pytest.raises(GenerationError, match="'tpu' is not a device"):
        device.choose_device("tpu")


def test_a_card_that_lies_is_not_trusted(monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("CUDA error: no kernel image is available for execution")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "arange", broken)
    found = device.choose_device("auto")
    assert found.name == "cpu"
    assert "no kernel image" in found.reason


def test_what_was_asked_for_and_is_missing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    found = device.choose_device("cuda")
    assert found.name == "cpu"
    assert "cuda was asked for, but no CUDA card" in found.reason


def test_a_wrong_result_is_not_trusted(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    arange = torch.arange

    def on_cpu(*args, device=None, **kwargs):
        return arange(*args, **kwargs)

    monkeypatch.setattr(torch, "arange", on_cpu)
    monkeypatch.setattr(torch, "eye", lambda n, device=None: torch.ones(n, n) * (device is None))
    assert "wrong result" in device.choose_device("auto").reason


def test_out_of_memory_is_recognised():
    assert device.is_out_of_memory(torch.OutOfMemoryError("x"))
    assert device.is_out_of_memory(RuntimeError("DefaultCPUAllocator: out of memory"))
    assert not device.is_out_of_memory(RuntimeError("shape mismatch"))

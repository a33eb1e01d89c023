"""Which device computes, and why."""

from __future__ import annotations

from dataclasses import dataclass

from spectrogen_app.errors import GenerationError
from spectrogen_app.generation import runtime

CHOICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """The device that computes.

    Attributes
    ----------
    name : str
        ``cpu``, ``cuda`` or ``mps``.
    label : str
        As shown to people, such as the name of the graphics card.
    reason : str
        Why this one, as a sentence.
    """

    name: str
    label: str
    reason: str


def choose_device(wanted: str = "auto") -> Device:
    """Pick a device that has just proved that it computes.

    Parameters
    ----------
    wanted : str
        ``auto`` takes a graphics card that works, else the processor. A card that was asked for
        and does not work is replaced by the processor too, and the reason says so.

    Raises
    ------
    GenerationError
        ``wanted`` is not one of the choices.
    """
    if wanted not in CHOICES:
        raise GenerationError(
            f"{wanted!r} is not a device.", hint=f"Choose from {', '.join(CHOICES)}.", device=wanted
        )
    if wanted == "cpu":
        return _cpu("The processor was asked for.")
    failures = []
    for name in ("cuda", "mps") if wanted == "auto" else (wanted,):
        problem = _problem_with(name)
        if not problem:
            asked = "It was asked for" if wanted != "auto" else "A graphics card was found"
            return Device(name, _label(name), _told(f"{asked} and passed a test computation."))
        failures.append(problem)
    if wanted == "auto":
        told = [f for f in failures if not f.startswith("no ")]
        return _cpu(f"{told[0]}." if told else _no_card())
    return _cpu(f"{wanted} was asked for, but {failures[0]}.")


def _no_card() -> str:
    import torch

    if torch.version.cuda or torch.backends.mps.is_built():
        return "No graphics card that torch can use was found."
    return "This torch computes on the processor only; for NVIDIA cards there is a GPU runtime."


def _cpu(reason: str) -> Device:
    import torch

    threads = torch.get_num_threads()
    return Device("cpu", f"CPU, {threads} thread{'s' if threads > 1 else ''}", _told(reason))


def _told(reason: str) -> str:
    """With what is to be said of the GPU runtime."""
    found = runtime.activate()
    return f"{reason} {found}" if found else reason


def _problem_with(name: str) -> str:
    """Why the device cannot be used; empty when a real computation on it came out right."""
    import torch

    try:
        if name == "cuda" and not torch.cuda.is_available():
            return "no CUDA card with a matching driver was found"
        if name == "mps" and not torch.backends.mps.is_available():
            return "no Apple GPU was found"
        a = torch.arange(64, dtype=torch.float32, device=name).reshape(8, 8) / 64
        b = torch.fft.irfft(torch.fft.rfft(a @ a.T + torch.eye(8, device=name), n=16), n=16)
        c = torch.arange(64, dtype=torch.float32).reshape(8, 8) / 64
        expected = c @ c.T + torch.eye(8)
        if not torch.allclose(b[:, :8].cpu(), expected, atol=1e-3):
            return f"the {name} device gave a wrong result in a test computation"
    except Exception as error:  # drivers fail with whatever they like
        first = str(error).strip().splitlines()[0][:160] if str(error).strip() else ""
        return f"a test computation on {name} failed ({type(error).__name__}: {first})"
    return ""


def _label(name: str) -> str:
    import torch

    return torch.cuda.get_device_name() if name == "cuda" else "Apple GPU"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a computation failed for want of memory on the device."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
    )

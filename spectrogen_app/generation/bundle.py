"""Model bundles: find, verify, load and write them.

A bundle is a folder ``<model-id>`` with ``weights.safetensors``, ``config.json``,
``MODEL_CARD.md``, ``metrics.json`` and ``SHA256SUMS``. Nothing in it is executed or unpickled, and
nothing is used before its checksum was found right.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spectrogen_app.errors import ModelError
from spectrogen_app.paths import atomic_write, shipped, user_data

if TYPE_CHECKING:
    import torch

    from spectrogen_app.generation.config import Config
    from spectrogen_app.generation.translator import Translator

WEIGHTS, CONFIG, CARD, METRICS = (
    "weights.safetensors",
    "config.json",
    "MODEL_CARD.md",
    "metrics.json",
)
SUMS = "SHA256SUMS"
DEFAULT = "spectrogen-1"
"""The model that is used unless another one is chosen."""


@dataclass(frozen=True)
class ModelInfo:
    """A bundle that could be loaded.

    Attributes
    ----------
    model_id, name : str
    path : Path
    inputs, targets : tuple of str
        Modality names; inputs hold ``formula`` besides.
    sha256 : str
        Of the weights.
    card : str
        The model card, Markdown.
    metrics : mapping
    size : int
        Bytes of the whole bundle.
    bundled : bool
        Came with the program.
    """

    model_id: str
    name: str
    path: Path
    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    sha256: str
    card: str
    metrics: Mapping[str, Any]
    size: int
    bundled: bool


def model_folders() -> tuple[Path, ...]:
    """Where bundles are looked for: those of the program, then the user's own."""
    return shipped("models"), user_data() / "models"


def list_models() -> tuple[ModelInfo, ...]:
    """All bundles that can be read, the default first; damaged ones are left out.

    Weights are not read, so this is quick; :func:`load_model` verifies them.
    """
    found: dict[str, ModelInfo] = {}
    for number, folder in enumerate(model_folders()):
        if not folder.is_dir():
            continue
        infos = []
        for path in sorted(folder.iterdir()):
            if not (path / SUMS).is_file():
                continue
            try:
                infos.append(read_info(path, bundled=number == 0))
            except ModelError:
                continue
        for info in sorted(infos, key=lambda i: (i.model_id != DEFAULT, i.model_id)):
            found.setdefault(info.model_id, info)
    return tuple(found.values())


def check_shipped() -> None:
    """See that no model of the program itself would be left out by :func:`list_models`.

    Raises
    ------
    ModelError
        Names the first that is damaged.
    """
    for sums in sorted(shipped("models").glob(f"*/{SUMS}")):
        read_info(sums.parent)


def read_info(path: str | os.PathLike[str], *, bundled: bool = False) -> ModelInfo:
    """The description of a bundle, everything but its weights verified.

    Raises
    ------
    ModelError
        A file is missing, damaged, altered or of a newer version.
    """
    folder = Path(path)
    sums = _sums(folder)
    config, card, metrics = _described(folder, sums)
    return ModelInfo(
        config.model_id, config.name, folder, (*config.grids, "formula"), tuple(config.banks),
        sums[WEIGHTS], card, metrics,
        sum(f.stat().st_size for f in folder.iterdir() if f.is_file()), bundled,
    )  # fmt: skip


def load_model(
    model_id: str | None = None,
    *,
    device: str = "auto",
    path: str | os.PathLike[str] | None = None,
) -> Translator:
    """Load a bundle after verifying every file of it.

    Parameters
    ----------
    model_id : str, optional
        Default: the first of :func:`list_models`.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    path : path-like, optional
        Folder of a bundle, in place of ``model_id``.

    Raises
    ------
    ModelError
        No such model, or a file of it is missing, damaged, altered or of a newer version.
    """
    from spectrogen_app.generation.preload import load_torch

    load_torch()
    from spectrogen_app.generation.arch import Network
    from spectrogen_app.generation.device import choose_device
    from spectrogen_app.generation.translator import Translator

    folder = Path(path) if path is not None else _find(model_id)
    sums = _sums(folder)
    config, card, metrics = _described(folder, sums)
    tensors = _tensors(_verified(folder, WEIGHTS, sums))
    try:
        network = Network(config, tensors)
    except (KeyError, RuntimeError, ValueError, IndexError) as error:
        raise ModelError(
            f"The weights of {config.model_id} do not fit its config.json ({error}).",
            hint="Install the model again.", path=str(folder),
        ) from error  # fmt: skip
    return Translator(network, choose_device(device), sums[WEIGHTS], card, metrics)


def load_parts(
    path: str | os.PathLike[str],
) -> tuple[Config, dict[str, torch.Tensor], dict[str, Any]]:
    """Config, tensors and metrics of a bundle, verified.

    Raises
    ------
    ModelError
        As :func:`load_model`.
    """
    folder = Path(path)
    sums = _sums(folder)
    config, _, metrics = _described(folder, sums)
    return config, _tensors(_verified(folder, WEIGHTS, sums)), metrics


def write_bundle(
    folder: str | os.PathLike[str],
    config: Config,
    tensors: Mapping[str, torch.Tensor],
    card: str,
    metrics: Mapping[str, Any],
) -> Path:
    """Write a bundle; the checksums come last, so that a half-written one is never loaded.

    Raises
    ------
    WriteError
        The folder cannot be written or the disk is full.
    """
    from safetensors.torch import save

    target = Path(folder)
    contents = {
        WEIGHTS: save({k: t.contiguous() for k, t in tensors.items()}),
        CONFIG: _json(config.to_json()),
        CARD: card.encode(),
        METRICS: _json(metrics),
    }
    sums = target / SUMS
    sums.unlink(missing_ok=True)
    for name, content in contents.items():
        with atomic_write(target / name) as stream:
            stream.write(content)
    lines = [f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in sorted(contents.items())]
    with atomic_write(sums) as stream:
        stream.write("".join(lines).encode())
    return target


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _find(model_id: str | None) -> Path:
    folders = model_folders()
    if model_id is not None:
        for folder in folders:
            if model_id and Path(model_id).name == model_id and (folder / model_id).is_dir():
                return folder / model_id
    models = list_models()
    if model_id is None and models:
        return models[0].path
    known = ", ".join(m.model_id for m in models)
    raise ModelError(
        f"There is no model {model_id!r}." if model_id else "No model is installed.",
        hint=f"Installed: {known}." if known else "Train one with `spectrogen train`, or install "
        f"the program again; models are looked for in {folders[0]}.",
        model_id=model_id,
    )  # fmt: skip


def _sums(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise ModelError(
            f"{folder} is not a model folder.", hint="Give the folder that holds config.json.",
            path=str(folder),
        )  # fmt: skip
    try:
        text = (folder / SUMS).read_text("ascii")
        sums = {name: digest for digest, name in (line.split() for line in text.splitlines())}
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The checksums of the model {folder.name} are missing or damaged.",
            hint="Install the model again.", path=str(folder),
        ) from error  # fmt: skip
    missing = {WEIGHTS, CONFIG, CARD, METRICS} - set(sums)
    if missing:
        raise ModelError(
            f"The checksums of the model {folder.name} leave out {', '.join(sorted(missing))}.",
            hint="Install the model again.", path=str(folder),
        )  # fmt: skip
    return sums


def _verified(folder: Path, name: str, sums: Mapping[str, str]) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ModelError(
            f"{name} of the model {folder.name} is missing or cannot be read.",
            hint="Install the model again.", path=str(folder / name),
        ) from error  # fmt: skip
    found = hashlib.sha256(content).hexdigest()
    if found != sums[name]:
        raise ModelError(
            f"{name} of the model {folder.name} is damaged or was altered: its SHA-256 is "
            f"{found[:12]}..., expected {sums[name][:12]}....",
            hint="Install the model again; it was not loaded.", path=str(folder / name),
        )  # fmt: skip
    return content


def _described(folder: Path, sums: Mapping[str, str]) -> tuple[Config, str, dict[str, Any]]:
    from spectrogen_app.generation.config import Config

    try:
        config = Config.from_json(json.loads(_verified(folder, CONFIG, sums)))
        metrics = json.loads(_verified(folder, METRICS, sums))
        card = _verified(folder, CARD, sums).decode()
    except ValueError as error:
        raise ModelError(
            f"The description of the model {folder.name} is damaged ({error}).",
            hint="Install the model again.", path=str(folder),
        ) from error  # fmt: skip
    return config, card, metrics


def _tensors(content: bytes) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(content)
    except SafetensorError as error:
        raise ModelError(
            f"The weights are damaged ({error}).", hint="Install the model again."
        ) from error

"""The optional GPU runtime: another build of the same torch, put before the program's own.

It is a folder ``gpu``, the user's or the program's (:func:`folders`), that holds ``component.json``
(what it is and for what), ``SHA256SUMS`` and ``site/``, which goes first on the path of imports. It
is used when it is for this program, its files are right, and a process of its own could load it;
whether its card computes is found out by :mod:`spectrogen_app.generation.device`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import shutil
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path, PurePosixPath

from spectrogen_app.errors import Check, ModelError, WriteError, unchecked
from spectrogen_app.paths import atomic_write, shipped, user_data

NAME, DESCRIPTION, SUMS, SITE = "gpu", "component.json", "SHA256SUMS", "site"
_LOAD_SECONDS = 120


@dataclass(frozen=True)
class Runtime:
    """The runtime that was found.

    Attributes
    ----------
    folder : Path
    label : str
        Such as ``torch 2.13.0 with CUDA 13.0``.
    problem : str
        Why it is not used; empty when it is.
    """

    folder: Path
    label: str
    problem: str

    def __str__(self) -> str:
        used = f"is not used: {self.problem}" if self.problem else "is in use"
        return f"The GPU runtime in {self.folder} ({self.label}) {used}."


_found: list[Runtime | None] = []


def folders() -> tuple[Path, ...]:
    """Where the runtime is looked for: the user's own, then beside the program."""
    return user_data() / NAME, shipped(NAME)


def activate() -> Runtime | None:
    """Find the runtime and put it first on the path of imports; done once, before torch is loaded.

    Returns
    -------
    Runtime or None
        None when there is none.
    """
    if not _found:
        _found.append(find())
        if _found[0] is not None and not _found[0].problem:
            _import_from(_found[0].folder / SITE)
    return _found[0]


def find(check: Check = unchecked) -> Runtime | None:
    """The first runtime that is there, with what speaks against it."""
    for folder in folders():
        if (folder / DESCRIPTION).is_file():
            label, problem = _described(folder)
            if not problem:
                problem = _untrusted(folder, check)
            return Runtime(folder, label, problem)
    return None


def forget() -> None:
    """Look at the runtime anew at the next :func:`find`, after a driver was installed, say."""
    _stamp().unlink(missing_ok=True)


def give_up(error: BaseException) -> ModelError:
    """What to raise when a runtime that could be loaded before does not load any more."""
    forget()
    return ModelError(
        f"The GPU runtime does not load any more ({type(error).__name__}: {error}).",
        hint="Start the program again: it then goes without. `spectrogen gpu` says more.",
    )


def install(archive: str | os.PathLike[str], check: Check = unchecked) -> Runtime:
    """Unpack a runtime into the user's data folder, after verifying it; replaces an older one.

    Parameters
    ----------
    archive : path-like
        ``spectrogen-gpu-*.tar.gz``.
    check : callable, optional
        Progress; may raise Cancelled.

    Raises
    ------
    ModelError
        The archive is damaged, is no runtime, or is for another program or system.
    WriteError
        It could not be written, or the disk is too small; an older one stays.
    """
    target = folders()[0]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gpu-", dir=target.parent) as temporary:
            _unpack(Path(archive), Path(temporary), check)
            fresh = Path(temporary, NAME)
            if not (fresh / DESCRIPTION).is_file():
                raise ModelError(
                    f"{archive} holds no GPU runtime.", hint="Choose spectrogen-gpu-….tar.gz."
                )
            label, problem = _described(fresh)
            problem = problem or _altered(fresh, check)
            if problem:
                raise ModelError(
                    f"{archive} was not installed: {problem}.",
                    hint="Download the one for this version and system again.",
                )
            shutil.rmtree(target, ignore_errors=True)
            fresh.replace(target)
    except OSError as error:
        raise WriteError(
            f"The GPU runtime could not be written to {target}: {error.strerror or error}.",
            hint="Free space on the disk, or close the program that uses the runtime.",
        ) from error
    forget()
    return Runtime(target, label, _untrusted(target, check))


def remove() -> bool:
    """Delete the user's runtime; False when there was none."""
    forget()
    target = folders()[0]
    if not target.exists():
        return False
    shutil.rmtree(target)
    return True


def _unpack(archive: Path, target: Path, check: Check) -> None:
    try:
        size = archive.stat().st_size
        with archive.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:gz") as tar:
            for member in tar:
                check(0.6 * raw.tell() / size, "Unpacking")
                if member.isfile() and member.size > shutil.disk_usage(target).free:
                    raise WriteError(
                        f"The disk of {target.parent} is full.",
                        hint="The GPU runtime needs several GB there; free them and try again.",
                    )
                _extract(tar, member, target)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise ModelError(
            f"{archive} is damaged or no archive ({error}).", hint="Download it again."
        ) from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    """Files and folders inside the target, nothing else (Python before 3.11.4 has no filters)."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
        raise tarfile.TarError(f"it holds {member.name}, which is no file inside it")
    place = target / name
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    source = tar.extractfile(member)
    assert source is not None
    with source, place.open("xb") as out:
        shutil.copyfileobj(source, out)
    place.chmod(0o755 if member.mode & 0o100 else 0o644)


def _described(folder: Path) -> tuple[str, str]:
    """Its label, and why it is not for this program."""
    try:
        made_for = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        label = f"torch {made_for['torch']} with CUDA {made_for['cuda']}"
        for key, here in _here().items():
            if made_for[key] != here:
                return label, f"it is for {key} {made_for[key]}, and this program has {here}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return "unknown", f"{DESCRIPTION} is damaged ({error})"
    return label, ""


def _here() -> dict[str, str]:
    return {
        "torch": importlib.metadata.version("torch").split("+")[0],
        "python": sys.implementation.cache_tag or "",
        "system": platform.system(),
        "machine": platform.machine(),
    }


def _untrusted(folder: Path, check: Check) -> str:
    """Why it is not to be loaded; what was found out holds until a file changes."""
    state = _state(folder)
    try:
        known, _, problem = _stamp().read_text("utf-8").partition("\n")
        if known == state:
            return problem
    except OSError:
        pass
    problem = _altered(folder, check) or _does_not_load(folder)
    with contextlib.suppress(WriteError), atomic_write(_stamp(), "w", encoding="utf-8") as stream:
        stream.write(f"{state}\n{problem}")
    return problem


def _stamp() -> Path:
    return user_data() / f"{NAME}.verified"


def _files(folder: Path) -> dict[str, Path]:
    site = folder / SITE
    return {p.relative_to(folder).as_posix(): p for p in site.rglob("*") if p.is_file()}


def _state(folder: Path) -> str:
    """Changes when any file does."""
    digest = hashlib.sha256(str(folder.resolve()).encode())
    for name, path in sorted(_files(folder).items()):
        status = path.stat()
        digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _altered(folder: Path, check: Check) -> str:
    """The first file that differs from the list of checksums."""
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
        sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError):
        return f"{SUMS} is missing or damaged"
    found = _files(folder)
    odd = sorted(found.keys() ^ sums.keys())
    if odd:
        return f"{odd[0]} is {'missing' if odd[0] in sums else 'not part of it'}"
    for number, (name, path) in enumerate(found.items()):
        check(0.6 + 0.35 * number / len(found), "Verifying")
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != sums[name]:
                return f"{name} is damaged or was altered"
    return ""


def _does_not_load(folder: Path) -> str:
    """Why torch cannot be loaded from there, tried in a process that may crash."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_load, args=(folder / SITE, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        problem = str(ours.recv()) if ours.poll(_LOAD_SECONDS) else "it does not load in time"
    except EOFError:
        process.join()
        problem = f"loading it crashes (exit code {process.exitcode})"
    process.kill()
    process.join()
    return problem


def _import_from(site: Path) -> None:
    """Put a folder first, and compile nothing into it: its files are those that were verified."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()


def _load(site: Path, answer: Connection) -> None:
    _import_from(site)
    try:
        import torch

        problem = "" if torch.ones(2).sum().item() == 2 else "it computes wrongly"
    except Exception as error:  # libraries fail with whatever they like
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        problem = f"it does not load ({first[:160]})"
    answer.send(problem)

"""Pack the optional GPU runtime: ``python packaging/gpu_runtime.py WHEELS``.

``WHEELS`` is a folder with a wheel of torch for CUDA, of the version in pyproject.toml, and the
wheels that it needs (``nvidia_*``), for one system, such as what this downloads::

    pip download --only-binary :all: --dest WHEELS torch==2.13.0 \\
        --index-url https://download.pytorch.org/whl/cu130

Makes ``dist/spectrogen-gpu-VERSION-SYSTEM-MACHINE.tar.gz`` for ``spectrogen gpu --install``, and
renews SHA256SUMS. Run it with the version of Python that the program is built with.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import py_compile
import re
import shutil
import sys
import zipfile
from pathlib import Path

import build

SYSTEMS = {"manylinux": "Linux", "linux": "Linux", "win": "Windows", "macosx": "Darwin"}
MACHINES = {("Windows", "x86_64"): "AMD64", ("Windows", "amd64"): "AMD64"}
UNUSED = ("torch/include/", "torch/share/", "torch/test/", "torch/bin/protoc", "torch/bin/test_",
          "/include/", "/cmake/", ".dist-info/", ".pyi", ".lib", ".a", ".h")  # fmt: skip


def unpack(wheels: Path, site: Path) -> Path:
    """Unpack torch and the libraries of NVIDIA, less what nothing opens; returns torch's wheel."""
    shutil.rmtree(site, ignore_errors=True)
    torch = [w for w in wheels.glob("*.whl") if w.name.startswith("torch-")]
    if len(torch) != 1:
        sys.exit(f"{wheels} must hold one wheel of torch, and holds {len(torch)}.")
    for wheel in [*torch, *sorted(wheels.glob("nvidia_*.whl")), *sorted(wheels.glob("cuda_*.whl"))]:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.infolist():
                if used(member.filename):
                    made = Path(archive.extract(member, site))
                    if made.is_file() and member.external_attr >> 16 & 0o100:
                        made.chmod(0o755)
    return torch[0]


def used(name: str) -> bool:
    """Whether a file of a wheel is opened at run time."""
    return not any(name.endswith(u) if u.startswith(".") and u[-1] != "/" else u in name
                   for u in UNUSED)  # fmt: skip


def describe(wheel: Path, site: Path) -> dict[str, str]:
    """What the runtime is and for what, as ``spectrogen_app.generation.runtime`` compares it."""
    version, python, _, platforms = wheel.stem.split("-")[-4:]
    found = re.match(r"([a-z]+).*?_(x86_64|amd64|aarch64|arm64)", platforms)
    assert found, platforms
    system = SYSTEMS[found[1]]
    cuda = re.search(r"^cuda\b.*?= '([\d.]+)'", (site / "torch/version.py").read_text(), re.M)
    if not cuda:
        sys.exit(f"{wheel.name} has no CUDA.")
    return {
        "torch": version.split("+")[0],
        "cuda": cuda[1],
        "python": re.sub(r"cp(\d)(\d+)", r"cpython-\1\2", python),
        "system": system,
        "machine": MACHINES.get((system, found[2]), found[2]),
    }


def compile_all(site: Path) -> None:
    """Compile the modules: the program writes nothing beside itself, and text is slow to load."""
    for path in sorted(site.rglob("*.py")):
        try:
            py_compile.compile(
                str(path), dfile=path.relative_to(site).as_posix(), doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )  # fmt: skip
        except py_compile.PyCompileError:  # templates
            continue


def pack(folder: Path, about: dict[str, str]) -> Path:
    """Write description, checksums and archive."""
    (folder / "component.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")
    lines = []
    for path in sorted(p for p in (folder / "site").rglob("*") if p.is_file()):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    (folder / "SHA256SUMS").write_text("".join(lines), "utf-8")
    name = f"spectrogen-gpu-{build.version()}-{about['system']}-{about['machine']}".lower()
    target = build.DIST / f"{name}.tar.gz"
    build.DIST.mkdir(exist_ok=True)
    build.pack(folder, target, "gpu", level=1)
    return target


def main() -> None:
    """Make the archive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", type=Path)
    options = parser.parse_args()
    folder = build.WORK / "gpu"
    wheel = unpack(options.wheels, folder / "site")
    about = describe(wheel, folder / "site")
    if about["python"] != sys.implementation.cache_tag:
        sys.exit(f"{wheel.name} is for {about['python']}; this is {sys.implementation.cache_tag}.")
    compile_all(folder / "site")
    target = pack(folder, about)
    build.write_sums()
    print(f"{target.stat().st_size / 1e6:9.1f} MB  {target}")


if __name__ == "__main__":
    main()

"""Build what is shipped from this system: ``python packaging/build.py``.

Makes the frozen program with PyInstaller, and from it on Linux a .deb and a .tar.gz, on Windows the
folder that ``windows/installer.nsi`` packs, on macOS the .app that ``macos/dmg.sh`` packs; beside
them the wheel, the source distribution, a bill of materials (CycloneDX) and SHA256SUMS, in dist/.
Needs the project's ``dev`` extra.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import gzip
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import uuid
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"
DIST = ROOT / "dist"
WORK = ROOT / "build"
APP_ID = "io.github.spectrogen.SpectroGen"
ICON_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
# Stripped of symbols; libraries that auditwheel patched must not be.
STRIPPED = ("torch/lib/libtorch_cpu.so", "torch/lib/libtorch_python.so", "libpython3*.so*")
GPL_PACKAGES = {"libreadline8", "libgdbm6"}
# Torch asks for them, and nothing that the program does loads them.
NOT_INSIDE = ("sympy", "networkx", "jinja2", "setuptools", "triton")
DEPENDS = (
    "libegl1, libgl1, libxkbcommon0, libxkbcommon-x11-0, libdbus-1-3, libfontconfig1, libfreetype6,"
    " libxcb-cursor0, libxcb-icccm4, libxcb-image0, libxcb-keysyms1, libxcb-randr0,"
    " libxcb-render-util0, libxcb-shape0, libxcb-xinerama0, libxcb-xkb1, hicolor-icon-theme"
)


def constant(name: str) -> str:
    """A constant of the package, read without importing it."""
    text = (ROOT / "spectrogen_app" / "__init__.py").read_text("utf-8")
    found = re.search(rf'^{name} = "([^"]+)"', text, re.M)
    assert found, f"no {name} in spectrogen_app/__init__.py"
    return found[1]


def version() -> str:
    """The project's version, from its one source."""
    return constant("__version__")


@functools.cache
def released() -> datetime.datetime:
    """Time of the commit, or of the changelog where git is not at hand: same source, same files."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    if not seconds and shutil.which("git"):
        seconds = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True,
            check=False,
        ).stdout  # fmt: skip
    return datetime.datetime.fromtimestamp(
        int(seconds or (ROOT / "CHANGELOG.md").stat().st_mtime), datetime.UTC
    )


def check_changelog() -> None:
    """The changelog must speak of the version that is built."""
    if f"## {version()}" not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        sys.exit(f"CHANGELOG.md has no entry '## {version()}'.")


def check_torch() -> None:
    """What is shipped carries torch for the processor."""
    text = Path(str(metadata.distribution("torch").locate_file("torch/version.py"))).read_text()
    if not re.search(r"^cuda\b.* = None$", text, re.M):
        sys.exit("This torch is for CUDA. Install it from the index of PyTorch for the processor.")


def components() -> list[metadata.Distribution]:
    """Every distribution inside the frozen program, itself left out, by name."""
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: dict[str, metadata.Distribution] = {}
    todo = list(project["dependencies"])
    while todo:
        need = Requirement(todo.pop())
        key = need.name.lower().replace("_", "-")
        wanted = need.marker is None or need.marker.evaluate({"extra": ""})
        if wanted and key not in found and key not in NOT_INSIDE:
            found[key] = metadata.distribution(need.name)
            todo += found[key].requires or []
    return [found[key] for key in sorted(found)]


def names() -> list[str]:
    """Names of the distributions that the program needs."""
    return [str(d.metadata["Name"]) for d in components()]


def licence_of(distribution: metadata.Distribution) -> str:
    """The licence as the distribution declares it."""
    meta = distribution.metadata
    if meta.get("License-Expression"):
        return str(meta["License-Expression"])
    classifiers = [
        c.rsplit(" :: ", 1)[-1]
        for c in meta.get_all("Classifier") or []
        if c.startswith("License :: ") and c != "License :: OSI Approved"
    ]
    declared = str(meta.get("License") or "").strip()
    short = declared.splitlines()[0] if declared and len(declared) < 200 else ""
    return "; ".join(classifiers) or short or "see the licence text"


def system_packages(files: Iterable[str]) -> dict[str, str]:
    """Debian's packages of the libraries among ``files`` that the system lent, with versions."""
    if not shutil.which("dpkg-query"):
        return {}
    paths = {str(Path(file).resolve()) for file in files}
    owned = subprocess.run(  # which may know them without /usr
        ["dpkg-query", "-S", *paths, *(p.removeprefix("/usr") for p in paths)],
        capture_output=True, text=True, check=False,
    ).stdout.splitlines()  # fmt: skip
    packages = sorted({line.split(":")[0] for line in owned})
    if copyleft := GPL_PACKAGES.intersection(packages):
        sys.exit(f"The program would carry {copyleft}, which are under the GPL.")
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return dict(line.split(" ") for line in listed)


def collect_licences(target: Path, packages: dict[str, str]) -> None:
    """Write the licence texts of everything inside, with what the system lent in ``system``."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    lines = ["SpectroGen contains the following components.", ""]
    for distribution in components():
        name = distribution.metadata["Name"]
        lines.append(f"{name} {distribution.version}: {licence_of(distribution)}")
        for file in distribution.files or []:
            if re.search(r"(?i)licen[cs]e|copying|notice|authors", Path(file).name) and (
                ".dist-info" in str(file)
            ):
                source = Path(str(distribution.locate_file(file)))
                if source.is_file():
                    (target / name).mkdir(exist_ok=True)
                    shutil.copy(source, target / name / source.name)
    lines += [
        f"Python {platform.python_version()}: PSF-2.0",
        "Qt (within PySide6): texts/LGPL-3.0.txt; its libraries are files of their own.",
    ]
    python_licence = Path(
        sys.base_prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}"
    )
    for place in (python_licence / "LICENSE.txt", Path(sys.base_prefix, "LICENSE.txt")):
        if place.is_file():
            (target / "Python").mkdir(exist_ok=True)
            shutil.copy(place, target / "Python")
    shutil.copytree(PACKAGING / "licences", target / "texts")
    (target / "system").mkdir()
    for name, number in packages.items():
        shutil.copy(f"/usr/share/doc/{name}/copyright", target / "system" / f"{name}.txt")
        lines.append(f"{name} {number} of Debian: system/{name}.txt")
    (target / "COMPONENTS.txt").write_text("\n".join(lines) + "\n", "utf-8")


def write_sbom(path: Path, packages: dict[str, str]) -> None:
    """Bill of materials in CycloneDX 1.5, with the packages of the system's libraries."""
    made = [
        {
            "type": "library",
            "name": d.metadata["Name"],
            "version": d.version,
            "purl": f"pkg:pypi/{d.metadata['Name'].lower()}@{d.version.replace('+', '%2B')}",
            "licenses": [{"license": {"name": licence_of(d)}}],
        }
        for d in components()
    ]
    made.append(
        {"type": "platform", "name": "CPython", "version": platform.python_version(),
         "licenses": [{"license": {"id": "PSF-2.0"}}]}
    )  # fmt: skip
    made += [
        {
            "type": "library", "name": name, "version": number,
            "purl": f"pkg:deb/debian/{name}@{quote(number)}",
            "licenses": [{"license": {"name": f"see licences/system/{name}.txt"}}],
        }
        for name, number in packages.items()
    ]  # fmt: skip
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'spectrogen/{version()}')}",
        "version": 1,
        "metadata": {
            "timestamp": released().isoformat(),
            "component": {
                "type": "application", "name": "SpectroGen", "version": version(),
                "licenses": [{"license": {"id": "MIT"}}],
            },
        },
        "components": made,
    }  # fmt: skip
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def freeze() -> Path:
    """Run PyInstaller, and write the manifest of what it made."""
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
         "--distpath", str(WORK / "frozen"), "--workpath", str(WORK / "pyinstaller"),
         str(PACKAGING / "spectrogen.spec")],
        cwd=ROOT, check=True,
    )  # fmt: skip
    name = "SpectroGen.app" if sys.platform == "darwin" else "SpectroGen"
    folder = WORK / "frozen" / name
    internal = folder / ("Contents/Frameworks" if sys.platform == "darwin" else "_internal")
    if sys.platform == "linux":
        for library in STRIPPED:
            subprocess.run(["strip", "--strip-unneeded", *internal.glob(library)], check=True)
    write_manifest(internal)
    if sys.platform == "darwin":  # whose signatures want data elsewhere
        place = folder / "Contents/Resources/manifest.txt"
        (internal / "manifest.txt").replace(place)
        (internal / "manifest.txt").symlink_to("../Resources/manifest.txt")
    return folder


def write_manifest(folder: Path) -> None:
    """List size and name of every file, for the check at start.

    On macOS whole folders are links, and signing, which comes later, changes the size of code.
    """
    manifest = folder / "manifest.txt"
    manifest.unlink(missing_ok=True)
    found = (Path(p, f) for p, _, files in os.walk(folder, followlinks=True) for f in files)
    lines = []
    for path in sorted(found):
        with path.open("rb") as stream:
            code = stream.read(4) in (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
        size = "signed" if code else path.stat().st_size
        lines.append(f"{size} {path.relative_to(folder).as_posix()}")
    manifest.write_text("\n".join(lines) + "\n", "utf-8")


def glibc_needed(folder: Path) -> str:
    """Highest version of the GNU C library that any file of the program asks for."""
    needed = {(2, 17)}
    for path in folder.rglob("*"):
        if path.is_file() and (".so" in path.name or os.access(path, os.X_OK)):
            data = path.read_bytes()
            if data[:4] == b"\x7fELF":
                needed |= {(int(a), int(b)) for a, b in re.findall(rb"GLIBC_(\d+)\.(\d+)", data)}
    return "{}.{}".format(*max(needed))


def lay_out(frozen: Path) -> tuple[Path, str]:
    """The folder of a Linux installation: the starter and ``app/``."""
    target = WORK / f"spectrogen-{version()}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copytree(frozen, target / "app", symlinks=True)
    libc = glibc_needed(frozen)
    starter = (PACKAGING / "linux" / "spectrogen.sh").read_text("utf-8")
    starter = starter.replace("@MACHINE@", platform.machine()).replace("@GLIBC@", libc)
    (target / "spectrogen").write_text(starter, "utf-8")
    (target / "spectrogen").chmod(0o755)
    return target, libc


def clean(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the traces of who packed it when."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = int(released().timestamp())
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def pack(folder: Path, target: Path, name: str, level: int = 6) -> None:
    """A .tar.gz of a folder, the same bytes whenever the same files are packed.

    What lies higher comes first: the starter, which says so when the disk took no more.
    """
    inside = sorted(folder.rglob("*"), key=lambda p: (len(p.parts), p))
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", level, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in [folder, *inside]:
            place = Path(name) / path.relative_to(folder)
            archive.add(path, str(place), recursive=False, filter=clean)


def make_deb(folder: Path, libc: str) -> Path:
    """A Debian package that installs under /usr and leaves nothing behind."""
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    root = WORK / "deb"
    shutil.rmtree(root, ignore_errors=True)
    library = root / "usr/lib/spectrogen"
    library.parent.mkdir(parents=True)
    shutil.copytree(folder, library, symlinks=True)
    share = root / "usr/share"
    _install(PACKAGING / "linux" / f"{APP_ID}.desktop", share / "applications")
    _install(PACKAGING / "linux" / "spectrogen-mime.xml", share / "mime/packages")
    appdata = (PACKAGING / "linux" / f"{APP_ID}.metainfo.xml").read_text("utf-8")
    _write(
        share / "metainfo" / f"{APP_ID}.metainfo.xml",
        appdata.replace("@VERSION@", version()).replace("@DATE@", f"{released():%Y-%m-%d}"),
    )
    for size in ICON_SIZES:
        _install(
            ROOT / "resources/icons" / f"spectrogen-{size}.png",
            share / f"icons/hicolor/{size}x{size}/apps", f"{APP_ID}.png",
        )  # fmt: skip
    _install(
        ROOT / "resources/icons/spectrogen.svg", share / "icons/hicolor/scalable/apps",
        f"{APP_ID}.svg",
    )  # fmt: skip
    _install(ROOT / "LICENSE", share / "doc/spectrogen", "copyright")
    (root / "usr/bin").mkdir()
    (root / "usr/bin/spectrogen").symlink_to("../lib/spectrogen/spectrogen")
    size = sum(p.lstat().st_size for p in root.rglob("*") if not p.is_dir()) // 1024
    _write(
        root / "DEBIAN/control",
        f"Package: spectrogen\nVersion: {version()}\nArchitecture: {architecture}\n"
        f"Maintainer: The SpectroGen authors <spectrogen@users.noreply.github.com>\n"
        f"Installed-Size: {size}\nDepends: libc6 (>= {libc}), {DEPENDS}\n"
        "Recommends: zenity | kdialog | x11-utils\nSection: science\nPriority: optional\n"
        f"Homepage: {constant('HOMEPAGE')}\n"
        "Description: Raman, infrared and powder-diffraction spectra\n"
        " Opens the files of the instruments, decomposes spectra into peaks, and generates\n"
        " the spectrum that the same material would have in another modality.\n",
    )
    _write(
        root / "DEBIAN/postrm",
        "#!/bin/sh\nset -e\n"
        'case "$1" in remove | purge) rm -rf /usr/lib/spectrogen ;; esac  # a GPU runtime, too\n',
    )
    (root / "DEBIAN/postrm").chmod(0o755)
    target = DIST / f"spectrogen_{version()}_{architecture}.deb"
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (released().timestamp(),) * 2, follow_symlinks=False)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", str(root), str(target)],
        check=True,
    )
    return target


def _install(source: Path, folder: Path, name: str | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / (name or source.name))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def make_python_packages() -> None:
    """Wheel and source distribution, the latter packed again without the time of the build."""
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(DIST), str(ROOT)],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    source = DIST / f"spectrogen-{version()}.tar.gz"
    with tempfile.TemporaryDirectory() as unpacked:
        shutil.unpack_archive(source, unpacked)
        pack(Path(unpacked, f"spectrogen-{version()}"), source, f"spectrogen-{version()}")


def write_sums() -> None:
    """SHA-256 of everything in dist/."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
        for path in sorted(DIST.iterdir())
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    (DIST / "SHA256SUMS").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Build everything for this system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only-frozen", action="store_true", help="stop after PyInstaller")
    parser.add_argument("--only-sums", action="store_true", help="renew SHA256SUMS in dist/")
    options = parser.parse_args()
    if options.only_sums:
        write_sums()
        return
    check_changelog()
    check_torch()
    os.environ |= {"SOURCE_DATE_EPOCH": str(int(released().timestamp())), "PYTHONHASHSEED": "0"}
    DIST.mkdir(exist_ok=True)
    frozen = freeze()
    if options.only_frozen:
        print(frozen)
        return
    make_python_packages()
    if sys.platform == "linux":
        folder, libc = lay_out(frozen)
        name = f"spectrogen-{version()}"
        pack(folder, DIST / f"{name}-linux-{platform.machine()}.tar.gz", name)
        make_deb(folder, libc)
    shutil.copy(WORK / "sbom.cdx.json", DIST / f"spectrogen-{version()}.cdx.json")
    write_sums()
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size / 1e6:9.1f} MB  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

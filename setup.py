"""Puts resources and models into the wheel; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithShippedFiles(build_py):
    """Copies the shipped folders to where ``paths.shipped`` looks for them."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for kind in ("resources", "models"):
            target = Path(self.build_lib) / "spectrogen_app" / "_bundled" / kind
            shutil.rmtree(target, ignore_errors=True)
            if (ROOT / kind).is_dir():
                shutil.copytree(ROOT / kind, target, ignore=shutil.ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildWithShippedFiles})

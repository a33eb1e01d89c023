"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real measured files; not part of the project."""
    folder = Path(os.environ.get("SPECTROGEN_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no real measured files here (set SPECTROGEN_SHARED_DATA to their folder)")
    return folder

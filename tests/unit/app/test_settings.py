"""Settings survive damage."""

import json
from pathlib import Path

import pytest

from spectrogen_app.app import settings
from spectrogen_app.app.settings import Settings


def test_nothing_there_gives_defaults(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "settings.json") == (Settings(), "")


def test_default_place_is_the_users_folder() -> None:
    settings.save(Settings(theme="dark"))
    assert settings.load()[0].theme == "dark"


def test_saved_settings_come_back(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "settings.json"
    chosen = Settings(
        theme="dark", recent=("a", "b"), x_units={"ir": "wavelength/um"}, model_id="m",
        choices={"fit.shape": "voigt", "fit.n": 3, "fit.x": None}, layouts={"k": {"decimal": ","}},
    )  # fmt: skip
    settings.save(chosen, path)
    assert settings.load(path) == (chosen, "")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '"text"', '{"version": "1", "settings": {}}', "[" * 100_000,
                '{"version": 1, "settings": 3}', "\x00\x01"],
)  # fmt: skip
def test_a_damaged_file_is_set_aside(content: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    loaded, said = settings.load(path)
    assert loaded == Settings()
    assert "damaged" in said
    (kept,) = tmp_path.iterdir()
    assert kept.name in said
    assert kept.read_text() == content


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff\xfe\xfa" * 10)
    assert settings.load(path)[0] == Settings()


def test_a_newer_file_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": settings.VERSION + 1, "settings": {}}))
    assert "newer version" in settings.load(path)[1]


def test_a_wrong_field_keeps_its_default(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    values = {"theme": 3, "seed": True, "device": "cpu", "recent": ["a", 1], "unheard": 1}
    path.write_text(json.dumps({"version": settings.VERSION, "settings": values}))
    loaded, said = settings.load(path)
    assert loaded == Settings(device="cpu")
    assert all(word in said for word in ("theme", "seed", "recent"))


def test_an_older_file_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "VERSION", 2)
    monkeypatch.setitem(settings.MIGRATIONS, 1, lambda v: {"theme": v.pop("colour"), **v})
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 1, "settings": {"colour": "dark"}}))
    assert settings.load(path) == (Settings(theme="dark"), "")


def test_recent_files_are_unique_and_few() -> None:
    chosen = Settings()
    for i in range(30):
        chosen = chosen.with_recent(Path(f"{i % 25}"))
    assert chosen.recent[0] == "4"
    assert len(chosen.recent) == len(set(chosen.recent)) == settings.RECENT_LIMIT


def test_every_default_is_valid_json() -> None:
    settings.save(Settings())
    assert settings.load() == (Settings(), "")

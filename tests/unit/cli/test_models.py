"""The score table of ``spectrogen models``."""

from spectrogen_app.cli.models import scores


def test_scores_on_unseen_samples_come_first() -> None:
    row = {"sources": ["ir", "formula"], "target": "raman", "group": "mineral", "r": 0.5,
           "best_r": 0.25}  # fmt: skip
    lines = list(scores({"test": {"rows": [row]}, "cross_validation": {"raman": {}}}))
    assert lines[0].split("  ")[0] == "Mean r on samples never seen"
    assert lines[1].split() == ["ir", "+", "formula", "to", "raman", "0.50", "(0.25)"]
    column = lines[0].index("new mineral")
    assert lines[1][column:].startswith("0.50")


def test_cross_validation_serves_where_nothing_was_tested() -> None:
    known = {"n": 3, "answer": 0.9, "network": 0.85, "kernel ridge": 0.7, "nearest": 0.8}
    lines = list(scores({"cross_validation": {"ir": {"raman+xrd": {"known": known}}}}))
    assert "cross-validated" in lines[0]
    assert lines[1].split("  ")[0] == "raman + xrd to ir"
    assert "0.90 (0.80)" in lines[1]


def test_a_model_without_scores_prints_none() -> None:
    assert list(scores({})) == []

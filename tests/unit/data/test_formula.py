"""Formulas against compositions worked out by hand, and errors that point at the place."""

import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectrogen_app.data.formula import ELEMENTS, anion_family, parse_formula
from spectrogen_app.errors import FormulaError


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("CaCO3", {"Ca": 1, "C": 1, "O": 3}),
        ("CaCO_3_", {"Ca": 1, "C": 1, "O": 3}),
        ("CaCO₃", {"Ca": 1, "C": 1, "O": 3}),
        ("Ca<sub>2</sub>SiO<sub>4</sub>", {"Ca": 2, "Si": 1, "O": 4}),
        ("CuSO4.5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("CuSO4 · 5 H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("SiO2*0.5H2O", {"Si": 1, "O": 2.5, "H": 1}),
        ("Fe^3+^_2_(SO_4_)_3_&#183;9H_2_O", {"Fe": 2, "S": 3, "O": 21, "H": 18}),
        ("Fe²⁺₂SiO₄", {"Fe": 2, "Si": 1, "O": 4}),
        ("SO4^2-", {"S": 1, "O": 4}),
        ("(Mg,Fe)2SiO4", {"Mg": 4 / 3, "Fe": 2 / 3, "Si": 1, "O": 4}),
        ("[box]Ca_2_Mg_5_Si_8_O_22_(OH)_2_", {"Ca": 2, "Mg": 5, "Si": 8, "O": 24, "H": 2}),
        (
            "Ca_2_(Mg_4.5-2.5_Fe^2+^_0.5-2.5_)_&#931;=5_Si_8_O_22_(OH)_2_",
            {"Ca": 2, "Mg": 3.5, "Fe": 1.5, "Si": 8, "O": 24, "H": 2},
        ),
        ("Ca(UO_2_)_2_(VO_4_)_2_&#183;5-8H_2_O", {"Ca": 1, "U": 2, "V": 2, "O": 18.5, "H": 13}),
        ("Fe_1-x_S (x=0.2)", {"Fe": 0.8, "S": 1}),
        ("Fe_1-x_S (0≤x≤0.4)", {"Fe": 0.8, "S": 1}),
        ("([box],Na)_2_[Si_2_(O_3_)_2_]", {"Na": 2 / 3, "Si": 2, "O": 6}),
        ("K[(UO2)2]3", {"K": 1, "U": 6, "O": 12}),
    ],
)
def test_composition(text, counts):
    assert dict(parse_formula(text).counts) == pytest.approx(counts)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("SiO2x", 4), ("", 0), ("Ca(OH", 2), ("CaOH)2", 4), ("XyO2", 0), ("CaCO3,MgO", 5),
        ("Ca_3O", 2), ("Na0.5.3", 5), ("caco3", 0), ("CaCO3·", 6), ("Ca()", 3), ("Fe1-xS", 3),
        ("Ca&#183;!", 8), ("Ca CO3", 3), ("12", 0), ("Ca_a_", 3),
    ],
)  # fmt: skip
def test_errors_point_at_the_place(text, position):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert caught.value.fields["position"] == position
    assert caught.value.hint


def test_vague_amounts_are_said():
    assert parse_formula("SiO2·nH2O").assumptions == ("n = 4 (not given)",)
    assert parse_formula("Fe_1-x_S").assumptions == ("x = 0.25 (not given)",)


@given(st.dictionaries(st.sampled_from(ELEMENTS), st.integers(1, 99), min_size=1))
def test_sum_formulas_round_trip(counts):
    text = "".join(f"{element}{n}" for element, n in counts.items())
    assert parse_formula(text).counts == counts
    assert parse_formula(parse_formula(text).hill).counts == counts


@given(st.text(alphabet="CaSiOH()[]_^·.,+-0123456789xn &#;<>□Σ=", max_size=30))
def test_any_text_parses_or_points(text):
    place = 0
    try:
        parse_formula(text)
    except FormulaError as error:
        place = error.fields["position"]
    assert 0 <= place <= len(text)


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("CaCO3", "carbonate"), ("SiO2", "silicate"), ("CaSO4·2H2O", "sulfate"),
        ("FeS2", "sulfide"), ("NaCl", "halide"), ("Fe2O3", "oxide"), ("AlOOH", "hydroxide"),
        ("Ca5(PO4)3F", "phosphate"), ("Na2B4O5(OH)4·8H2O", "borate"), ("CuCl2·2H2O", "halide"),
        ("C", "element"), ("C24H12", "organic"), ("(NH4)MgPO4·6H2O", "phosphate"),
        ("KNO3", "nitrate"), ("PbCrO4", "chromate"), ("TiO2", "oxide"), ("Au", "element"),
    ],
)  # fmt: skip
def test_anion_family(text, family):
    assert anion_family(parse_formula(text)) == family


def test_headers_of_the_archives_parse(shared_data):
    found = set()
    for archive in ("infrared_processed.zip", "powder_xy_processed.zip"):
        with zipfile.ZipFile(shared_data / "rruff" / archive) as zipped:
            for name in zipped.namelist():
                with zipped.open(name) as stream:
                    head = stream.read(4000).decode("latin-1")
                for line in head.splitlines():
                    if line.startswith("##IDEAL CHEMISTRY=") and line[18:].strip():
                        found.add(line[18:].strip())
                        break
    failed = set()
    for text in found:
        try:
            parse_formula(text)
        except FormulaError:
            failed.add(text)
    assert len(found) > 500
    assert len(failed) < 0.01 * len(found), failed

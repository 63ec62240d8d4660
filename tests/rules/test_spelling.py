"""When two names are two spellings of one."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.spelling import digits_of, folded_name, likeness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH", "MULLER SÖHNE"),
        ("Brackwater Microscopy Ltd.", "Brackwater  Microscopy Limited"),
        ("Valdoro Farmaceutici S.p.A.", "Valdoro Farmaceutici SpA"),
        ("Duinrand Diagnostics B.V.", "Duinrand Diagnostics bv"),
        ("Sierra Blanca Biotech S. L.", "Sierra Blanca Biotech"),
        ("Institut Cellulaire d'Orvanne", "Institut cellulaire d’Orvanne"),
        ("Cedar Hollow Therapeutics, Inc.", "The Cedar Hollow Therapeutics Inc"),
        ("Havukoski Imaging-Oy", "Havukoski Imaging"),
    ],
)
def test_case_accents_punctuation_and_legal_form_make_no_difference(one, other):
    assert folded_name(one) == folded_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Laboratory 12", "Laboratory 13"),
        ("Lindenfeld Bioimaging", "Lindenfeld Biology"),
        ("SE Co.", "AG Ltd"),  # nothing but legal forms: they are what there is to compare
    ],
)
def test_other_words_do(one, other):
    assert folded_name(one) != folded_name(other)


def test_the_numbers_of_names_are_told_apart():
    assert digits_of("Laboratory 12, Floor 3") == "123"


def test_a_slip_leaves_names_alike_and_another_word_does_not():
    assert likeness("Brackwater Microscopy Ltd", "Brackwater Microsocpy") >= 90
    assert likeness("Institute Abelard GmbH", "Institute Heloise GmbH") < 80


@given(st.text(string.ascii_letters + string.digits + " .,-&", max_size=60))
def test_case_never_counts_and_a_legal_form_behind_a_word_is_left_out(name):
    folded = folded_name(name)
    assert folded_name(name.upper()) == folded
    assert folded_name(f"Zeta {name} GmbH") == folded_name(f"Zeta {name}")

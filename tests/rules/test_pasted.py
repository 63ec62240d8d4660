"""Serial numbers out of pasted texts."""

import pytest

from dongles.pasted import serials_in


@pytest.mark.parametrize(
    ("text", "serials"),
    [
        ("104233", ["104233"]),
        ("104-233", ["104-233"]),
        ("104 233", ["104 233"]),
        ("104233 104234", ["104233", "104234"]),
        ("104233, 104234;104235\n104236\t104237|104238\r\n104239", [str(104233 + n) for n in range(7)]),
        ("104233, 104 234 and 104235 & A 1", ["104233", "104 234", "104235", "A 1"]),
        ("104233 and\n104234, and 104235", ["104233", "104234", "104235"]),
        ("S/N: 104233\nserial no. 104 234\nDongle #104235", ["104233", "104 234", "104235"]),
        ("• 104233\n– 104–234\n“104235”", ["104233", "104-234", "104235"]),
        ("SN104233, NO, A1", ["SN104233", "NO", "A1"]),
        ("１０４２３３", ["104233"]),  # full width, as in Japan
        ("\u202e104233\u202c\u200b, 10\x004234\ufeff", ["104233", "104234"]),
        ("104233, 104-233, 104 233", ["104233"]),
        (" ,; \n", []),
    ],
)
def test_serials_are_read_as_they_are_pasted(text, serials):
    assert serials_in(text) == (tuple(serials), ())


def test_what_can_be_none_is_named_beside_what_can():
    found = serials_in("104233\n1042!3\n" + "A" * 33)
    assert found.serials == ("104233",)
    assert found.refused == (
        ("1042!3", "“!” is neither a letter A–Z nor a digit"),
        ("A" * 33, "it is longer than 32 letters and digits"),
    )


def test_a_spelling_that_is_all_hyphens_is_kept_short():
    assert serials_in("1" + "-" * 100 + "2").serials == ("12",)

"""What a document draws: the QR code module by module, the timeline in per cent."""

from datetime import date

import segno

from dongles.coverage import Period, Release
from dongles.timeline import TimelineLicence, build_timeline
from renewals.documents.drawing import drawn_timeline, qr_modules, shortened
from renewals.documents.wording import Wording


def test_the_runs_of_a_qr_code_are_its_dark_modules():
    address = "https://portal.example/q/" + "k" * 43 + "/"
    modules = qr_modules(address)
    dark = {(y, x + i) for y, x, length in modules["runs"] for i in range(length)}
    matrix = segno.make(address, micro=False, error="m").matrix
    assert modules["size"] == len(matrix)
    assert dark == {(y, x) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}


def test_the_drawing_has_what_is_covered_added_missed_and_not_covered():
    on, end = date(2026, 3, 1), date(2025, 3, 31)
    missed = Release("Volocity", "7.0", date(2025, 6, 1), True)
    licence = TimelineLicence(
        "Volocity Visualisation",
        "Volocity",
        date(2024, 1, 1),
        (Period(date(2024, 1, 1), end),),
        (Period(on, date(2027, 2, 28)),),
        (missed,),
    )
    timeline = build_timeline([licence], [missed], on, expires_on=end)
    drawn = drawn_timeline(timeline, on, end, Wording("de_DE", "EUR"))
    (group,) = drawn["groups"]
    (row,) = group["rows"]
    assert drawn["today"] == {"x": timeline.today.x, "label": "Quote of 01.03.2026", "at": timeline.today.anchor}
    assert drawn["expiry"]["label"] == "SMA to 31.03.2025"
    assert drawn["additions"]
    assert drawn["missed"]
    assert drawn["gaps"]
    assert group["ticks"] == [{"x": timeline.groups[0].ticks[0].x, "major": True, "label": "7.0", "at": "middle"}]
    assert row["label"] == "Volocity Visualisation"
    assert [is_ahead for _, _, is_ahead in row["bars"]] == [False]
    assert len(row["gaps"]) == len(row["additions"]) == len(row["missed"]) == 1
    bar, gap, added = row["bars"][0], row["gaps"][0], row["additions"][0]
    assert bar[0] + bar[1] == gap[0]
    assert abs(gap[0] + gap[1] - added[0]) < 0.01
    assert gap[0] < row["missed"][0] < added[0]


def test_a_long_name_is_shortened_beside_the_bars():
    assert shortened("Volocity Quantitation\nfor a very large laboratory") == "Volocity Quantitation for a ver…"
    assert shortened("Volocity") == "Volocity"

"""`manage.py price FILE`: one result a line, in order; malformed lines are told apart from refusals; no database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from renewals.pricing.scenarios import Malformed, load, price_text, read_scenario

PROJECT = Path(__file__).parent.parent.parent
VECTORS = [json.loads(line) for line in (PROJECT / "tests/vectors/pricing.jsonl").open()]
SCENARIO = VECTORS[0]["scenario"]
# A database that nobody answers for: whoever touched it would fail.
NO_DATABASE = {**os.environ, "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}


def run(file: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "manage.py", "price", file]
    return subprocess.run(
        command, cwd=PROJECT, input=given, capture_output=True, env=NO_DATABASE, timeout=120, check=False
    )


def line(scenario) -> bytes:
    return json.dumps(scenario).encode() + b"\n"


def changed(**changes):
    """The scenario with values replaced at dotted places; `None` in a list's place drops the key."""
    document = json.loads(json.dumps(SCENARIO))
    for place, value in changes.items():
        *road, last = place.split("__")
        node = document
        for step in road:
            node = node[int(step)] if step.isdecimal() else node[step]
        node[int(last) if last.isdecimal() else last] = value
    return document


def test_results_come_in_order_and_the_status_says_whether_any_was_malformed(tmp_path):
    good, refused = line(SCENARIO), line(changed(request__renew_years=9))
    file = tmp_path / "scenarios.jsonl"
    file.write_bytes(good + refused + good)
    done = run(str(file))
    assert done.returncode == 0, done.stderr
    results = [json.loads(text) for text in done.stdout.splitlines()]
    assert [result.get("net") for result in results] == ["2100.00", None, "2100.00"]
    assert results[1] == {"refused": "years_out_of_range"}

    done = run("-", good + b"{oops\n" + refused)
    assert done.returncode == 1
    results = [json.loads(text) for text in done.stdout.splitlines()]
    assert [next(iter(result)) for result in results] == ["currency", "error", "refused"]


def test_a_missing_file_gets_a_sentence():
    done = run("/no/such/file")
    assert done.returncode == 2
    assert b"can't be read" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_who_has_seen_enough_ends_the_command_without_a_word(tmp_path):
    file = tmp_path / "scenarios.jsonl"
    file.write_bytes(line(SCENARIO) * 2_000)
    with subprocess.Popen(
        [sys.executable, "manage.py", "price", str(file)],
        cwd=PROJECT,
        env=NO_DATABASE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as done:
        assert json.loads(done.stdout.readline())["net"] == "2100.00"
        done.stdout.close()
        assert done.stderr.read() == b""
    assert done.returncode == 1


def test_a_letter_that_no_encoding_knows_comes_back_as_it_was_given():
    scenario = changed(dongle__licences__0__product="\ud800")
    scenario["prices"]["\ud800"] = scenario["prices"]["VOL-VIS"]
    done = run("-", line(scenario))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lines"][0]["product"] == "\ud800"


def test_ten_thousand_scenarios_stream_through_in_flat_memory(tmp_path):
    script = (
        "import resource, sys; sys.argv = ['manage.py', 'price', sys.argv[1]]\n"
        "import manage, atexit\n"
        "atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr))\n"
        "manage.main()"
    )
    peaks = []
    for number in (100, 10_000):
        file = tmp_path / f"{number}.jsonl"
        with file.open("wb") as lines:
            for index in range(number):
                lines.write(line(VECTORS[index % len(VECTORS)]["scenario"]))
        command = [sys.executable, "-c", script, str(file)]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, env=NO_DATABASE, timeout=170, check=False)
        assert len(done.stdout.splitlines()) == number, done.stderr
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[1] < peaks[0] * 1.1


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"currency": "EU"}, "currency"),
        ({"currency": None}, "currency"),
        ({"currency": "XAU"}, "currency"),
        ({"prices": []}, "prices"),
        ({"prices__VOL-VIS__licence": "1e3"}, "prices.VOL-VIS.licence"),
        ({"prices__VOL-VIS__licence": "+1"}, "prices.VOL-VIS.licence"),
        ({"prices__VOL-VIS__licence": " 1"}, "prices.VOL-VIS.licence"),
        ({"prices__VOL-VIS__licence": "１"}, "prices.VOL-VIS.licence"),
        ({"prices__VOL-VIS__licence": "1."}, "prices.VOL-VIS.licence"),
        ({"prices__VOL-VIS__licence": "9" * 5000}, "prices.VOL-VIS.licence"),
        ({"policy__upgrade_cap": "-1"}, "policy.upgrade_cap"),
        ({"policy__upgrade_cap": 1}, "policy.upgrade_cap"),
        ({"policy__reinstatement_fee": "1.01"}, "policy.reinstatement_fee"),
        ({"policy__back_pay": 0}, "policy.back_pay"),
        ({"policy__missed_majors": "all"}, "policy.missed_majors"),
        ({"policy__multi_year_discount": {"two": "0.1"}}, "policy.multi_year_discount.two"),
        ({"policy__multi_year_discount": {"2": "2"}}, "policy.multi_year_discount.2"),
        ({"policy__upgrade_includes_months": 10**9}, "policy.upgrade_includes_months"),
        ({"policy__grace_days": 1.0}, "policy.grace_days"),
        ({"dongle": None}, "dongle"),
        ({"dongle__serial": 104233}, "dongle.serial"),
        ({"dongle": {"licences": []}}, "dongle.serial"),
        ({"dongle__licences": {}}, "dongle.licences"),
        ({"dongle__licences__0__seats": 0}, "dongle.licences[0].seats"),
        ({"dongle__licences__1__sma_periods": [["2020-01-01"]]}, "dongle.licences[1].sma_periods[0]"),
        ({"dongle__licences__1__acquired_on": "20200101"}, "dongle.licences[1].acquired_on"),
        ({"dongle__licences__1__acquired_on": "2020-W01-1"}, "dongle.licences[1].acquired_on"),
        (
            {"releases": [{"family": "Volocity", "version": "7", "build_date": "2026-01-01", "major": 1}]},
            "releases[0].major",
        ),
        (
            {"releases": [{"family": "Volocity", "version": 7, "build_date": "2026-01-01", "major": True}]},
            "releases[0].version",
        ),
        ({"request__on": "9999-12-31"}, "request.on"),
        ({"request__on": 20260201}, "request.on"),
        ({"request__renew_years": "1"}, "request.renew_years"),
        ({"request__renew_years": 1.5}, "request.renew_years"),
        ({"request__renew_years": 10**30}, "request.renew_years"),
        ({"request__add": "VOL-VIS"}, "request.add"),
        ({"request__add": [{"product": "VOL-VIS", "seats": True}]}, "request.add[0].seats"),
        ({"request__align_to": ""}, "request.align_to"),
        ({"request__discount": 0.1}, "request.discount"),
    ],
    ids=str,
)
def test_what_cannot_be_is_malformed_with_its_place(changes, where):
    error = price_text(json.dumps(changed(**changes)))["error"]
    assert error.startswith(f"{where}: ")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"[]",
        b"null",
        b"5",
        b'"x"',
        b"\xff\xfe",
        b"{",
        b'{"currency": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_no_document_is_malformed(text):
    assert set(price_text(text)) == {"error"}


def test_null_zero_and_an_empty_list_are_as_good_as_absent():
    request = {"on": "2026-02-01", "renew_years": 0, "align_to": None, "add": [], "discount": None}
    assert price_text(json.dumps(changed(request=request))) == {"refused": "nothing_requested"}


def test_amounts_and_rates_stay_exact_however_long_they_are():
    scenario = changed(dongle__licences__0__seats=65_535, request__discount="0." + "0" * 26 + "1")
    scenario["prices"]["VOL-VIS"] = {"licence": "0", "sma_year": "499999999999999.99", "upgrade": "999999999999999.99"}
    result = price_text(json.dumps(scenario))
    # 499,999,999,999,999.99 × 65,535 seats; 10⁻²⁷ of it is below half a cent
    assert result["lines"][0]["list"] == "32767499999999999344.65"
    assert result["lines"][0]["discounts"] == [
        {"reason": "negotiated", "rate": "0.000000000000000000000000001", "amount": "0.00"}
    ]


def test_a_scenario_is_read_whole():
    scenario = read_scenario(load(json.dumps(SCENARIO)))
    assert scenario.prices.currency == "EUR"
    assert len(scenario.licences) == 2
    with pytest.raises(Malformed):
        read_scenario(load(b"{}"))

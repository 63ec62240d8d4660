"""Times a thing against its floor, in turn, so that a machine that slows down slows both."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """A measured value and its floor; `most` or `least` is the aim of `ratio`, or of `value` where no floor is."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.value / self.floor if self.floor else self.value

    @property
    def is_met(self) -> bool:
        return (self.most is None or self.ratio <= self.most) and (self.least is None or self.ratio >= self.least)

    def sentence(self) -> str:
        aim = "for comparison"
        if self.most is not None:
            aim = f"at most {self.most:g}"
        elif self.least is not None:
            aim = f"at least {self.least:g}"
        floor = f", floor {self.floor:.3g} {self.unit}: ratio {self.ratio:.2f}" if self.floor else ""
        note = f" ({self.note})" if self.note else ""
        return f"{'ok    ' if self.is_met else 'MISSED'} {self.name}: {self.value:.3g} {self.unit}{floor}, {aim}{note}"

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "ratio": self.ratio, "is_met": self.is_met}


def paired_medians(
    thing: Callable[[], object],
    floor: Callable[[], object],
    *,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float]:
    """The median seconds of both, run alternately after a warm-up."""
    thing(), floor()
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, kept in zip((thing, floor), seconds, strict=True):
            begun = clock()
            call()
            kept.append(clock() - begun)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def median_of(call: Callable[[], object], *, rounds: int) -> float:
    """The median seconds after a warm-up."""
    call()
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def repeated(call: Callable[[], object], times: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(times):
            call()

    return run

"""What a chart shows; how it is drawn belongs here too."""

from collections.abc import Sequence
from typing import NamedTuple


class ChartSpec(NamedTuple):
    """A chart: `kind` is "bars", "stacked", "lines" or "band"; `labels` stand along it; a series has a value for each.

    `unit` is a currency (values in minor units), "count" or "rate" (values from 0 to 1). A band has two series: least
    and most.
    """

    kind: str
    labels: Sequence[str]
    series: Sequence[tuple[str, Sequence[float | None]]]
    unit: str

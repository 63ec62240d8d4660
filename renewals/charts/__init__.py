"""Charts as SVG, drawn on the server: values in, bytes out, the same bytes for the same values. Pure.

values.py says what a chart is, looks.py with which colours, patterns and dashes, axes.py which round values and labels
are written, plot.py draws to scale, drawing.py puts plot, key and words together. Each chart stands beside a table that
says the same.
"""

from renewals.charts.drawing import chart_size, draw_chart
from renewals.charts.looks import STYLE_SOURCE
from renewals.charts.values import ChartSpec, Kind, Size

__all__ = ["STYLE_SOURCE", "ChartSpec", "Kind", "Size", "chart_size", "draw_chart"]

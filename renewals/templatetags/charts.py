"""What a page needs to show a chart: the sizes of its picture, and the mark to ask for it."""

from django import template

from renewals.charts import ChartSpec, Size, chart_size
from renewals.web.charts import keep_chart

register = template.Library()


@register.filter
def wide(spec: ChartSpec) -> Size:
    """{{ chart.spec|wide }}: the size of the picture for a desk."""
    return chart_size(spec, narrow=False)


@register.filter
def narrow(spec: ChartSpec) -> Size:
    """{{ chart.spec|narrow }}: the size of the picture for a phone."""
    return chart_size(spec, narrow=True)


@register.simple_tag
def chart_mark(spec: ChartSpec, title: str, description: str) -> str:
    """{% chart_mark chart.spec chart.title chart.description as mark %}: keeps the chart, see renewals.web.charts."""
    return keep_chart(spec, title, description)

"""What a page needs to show a chart: the sizes of its picture, and the mark to ask for it."""

from django import template

from renewals.charts import ChartSpec, Size, chart_size
from renewals.web.finance.charts import NO_CURRENCY, keep_chart

register = template.Library()


@register.filter
def wide(spec: ChartSpec) -> Size:
    """{{ chart.spec|wide }}: the size of the picture for a desk."""
    return chart_size(spec, narrow=False)


@register.filter
def narrow(spec: ChartSpec) -> Size:
    """{{ chart.spec|narrow }}: the size of the picture for a phone."""
    return chart_size(spec, narrow=True)


@register.filter
def section_name(currency: str) -> str:
    """{{ section.currency|section_name }}: a section's name in addresses and ids."""
    return currency or NO_CURRENCY


@register.simple_tag
def chart_mark(spec: ChartSpec, title: str, description: str) -> str:
    """{% chart_mark chart.spec chart.title chart.description as mark %}: see renewals.web.finance.charts."""
    return keep_chart(spec, title, description)

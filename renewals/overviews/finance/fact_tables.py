"""Tables of facts of sales by month and by product: the same for whatever is counted in their columns."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from renewals.overviews.finance.filters import ReportFilters
from renewals.overviews.finance.reports import Column, Row, Table
from renewals.overviews.finance.sale_facts import FactSum, Opener, Totals, product_names, totals_by


class FactTables(NamedTuple):
    """What the tables of a section are made of: `cells` says what stands in the `columns` after the first."""

    sums: Sequence[FactSum]
    filters: ReportFilters
    currency: str
    columns: Sequence[Column]
    cells: Callable[[Totals, Opener], Row]

    def by_month(self) -> Table:
        totals = totals_by(self.sums, lambda each: each.month)
        rows = [
            (month, *self.row(totals[month], first_month=month, last_month=month)) for month in self.filters.months()
        ]
        return Table("by-month", "By month", (Column("Month", 10, "month"), *self.columns), rows, self.total())

    def by_product(self) -> Table:
        totals = totals_by(self.sums, lambda each: each.product_id)
        rows = [(name, *self.row(totals[pk], product=pk)) for pk, name in product_names(self.sums).items()]
        return Table("by-product", "By product", (Column("Product", 30, "text"), *self.columns), rows, self.total())

    def total(self) -> Row:
        return ("All", *self.row(totals_by(self.sums, lambda each: None)[None]))

    def row(self, totals: Totals, **narrowed: object) -> Row:
        """The cells of some of the sums, which open what is narrowed so."""
        return self.cells(totals, Opener(self.filters, self.currency, narrowed))

"""The rulebook read a second time: slowly, in fractions, sharing no code with the rules that it is held against.

Nothing here is clever. A length in months is found by counting, an amount is a fraction until it is rounded.
"""

import calendar
import itertools
from datetime import date, timedelta
from fractions import Fraction

DAY = timedelta(1)


def term_end(start, months):  # D1
    year, month = start.year + (start.month - 1 + months) // 12, (start.month - 1 + months) % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return date(year, month, last) if start.day > last else date(year, month, start.day) - DAY


def length(start, end):  # D2
    if end < start:
        return (0, 0, 0)
    months = 0
    while term_end(start, months + 1) <= end:
        months += 1
    through = term_end(start, months)
    days = (end - through).days
    return (months, days, (term_end(start, months + 1) - through).days) if days else (months, 0, 0)


def rounded(amount):  # half up, away from zero
    return int(amount + Fraction(1, 2)) if amount >= 0 else -int(-amount + Fraction(1, 2))


class SecondReading:
    """The lines of a price as tuples, or the code of the refusal."""

    def __init__(self, policy, prices, licences, releases, request):
        self.policy, self.prices, self.licences, self.request = policy, prices.prices, licences, request
        self.on = request.on
        self.covered = [max([period.ends_on for period in each.periods] or [each.acquired_on]) for each in licences]
        self.lapsed = [through + policy.grace_days * DAY < self.on for through in self.covered]  # C4
        self.missed = [  # C5
            sum(r.is_major and r.family == each.family and through < r.build_on <= self.on for r in releases)
            if lapsed
            else 0
            for each, through, lapsed in zip(licences, self.covered, self.lapsed, strict=True)
        ]
        valid = [through for through, lapsed in zip(self.covered, self.lapsed, strict=True) if not lapsed]
        self.paid_through = max(valid) if valid else None
        self.lines = []

    def outcome(self):
        if refusal := self.refused_before() or self.refused_target():
            return refusal
        for index, licence in enumerate(self.licences):
            self.price(index, licence)
        for index, added in enumerate(self.request.added, len(self.licences)):  # P5
            included = term_end(self.on, 12)
            amount = self.prices[added.product].licence * added.seats
            self.line("licence", index, self.on, included, (12, 0, 0), amount)
            self.sma(index, added, included + DAY)
        return self.lines or "nothing_to_buy"

    def refused_before(self):
        policy, asked = self.policy, self.request
        years = asked.renew_years or 0
        months = max(12, policy.upgrade_includes_months)
        wanted = [each.product for each in (*self.licences, *asked.added)]
        checks = {
            "nothing_requested": not years and not asked.align_to and not asked.added,
            "renew_or_align": years and asked.align_to,
            "years_out_of_range": years < 0 or years > policy.max_years,
            "no_licences": not wanted,
            "no_price": set(wanted) - set(self.prices),
            "upgrade_not_above_sma": any(p.upgrade <= Fraction(p.sma_year * months, 12) for p in self.prices.values()),
        }
        return next((code for code, refused in checks.items() if refused), None)

    def refused_target(self):  # P2
        policy, asked, paid = self.policy, self.request, self.paid_through
        due = [paid] if paid else []
        if asked.renew_years:
            due.append(term_end(paid + DAY if paid else self.on, 12 * asked.renew_years))
        if asked.added or any(self.lapsed):
            due.append(term_end(self.on, 12))
        if any(self.missed) and policy.upgrade_includes_months:
            due.append(term_end(self.on, policy.upgrade_includes_months))
        self.until = asked.align_to or max(due)
        if self.until < max([*due, self.on] if asked.align_to else due):
            return "align_too_early"
        if asked.align_to and paid and asked.align_to > paid:
            shortest = term_end(max(paid + DAY, self.on), policy.align_min_months)
            if asked.align_to < shortest:
                return "align_too_early"
        return "too_far_ahead" if self.until > term_end(self.on, 120) else None

    def price(self, index, licence):
        policy, price, seats = self.policy, self.prices[licence.product], licence.seats
        included = policy.upgrade_includes_months
        fee = rounded(policy.reinstatement_fee * price.sma_year * seats)
        if not self.lapsed[index]:  # P4
            self.sma(index, licence, self.covered[index] + DAY)
        elif not self.missed[index]:  # P6
            gap = length(self.covered[index] + DAY, self.on - DAY)
            if policy.back_pay and gap != (0, 0, 0):
                most = rounded((price.upgrade - Fraction(price.sma_year * included, 12)) * seats)
                self.line("back_pay", index, None, None, gap, min(self.amount(licence, gap), most))
            if fee:
                self.line("reinstatement_fee", index, None, None, (0, 0, 0), fee)
            self.sma(index, licence, self.on)
        else:  # P7
            amount = price.upgrade * seats * (self.missed[index] if policy.missed_majors == "each" else 1)
            if policy.upgrade_cap is not None:
                least = rounded(Fraction(price.sma_year * seats * max(12, included), 12))
                amount = min(amount, max(rounded(policy.upgrade_cap * price.licence * seats), least))
            through = term_end(self.on, included) if included else None
            self.line("upgrade", index, self.on if included else None, through, (included, 0, 0), amount)
            if fee:
                self.line("reinstatement_fee", index, None, None, (0, 0, 0), fee)
            self.sma(index, licence, through + DAY if through else self.on)

    def sma(self, index, licence, start):  # P3
        years = 0
        while term_end(start, 12 * (years + 1)) <= self.until:
            years += 1
        begins = [start, *(term_end(start, 12 * year) + DAY for year in range(1, years + 1))]
        reached = [number for number in self.policy.multi_year_discount if number <= years]  # P8
        rate = self.policy.multi_year_discount[max(reached)] if reached else 0
        for begin, following in itertools.pairwise(begins):
            self.line("sma_year", index, begin, following - DAY, (12, 0, 0), self.amount(licence, (12, 0, 0)), rate)
        if begins[-1] <= self.until:
            months, days, of = length(start, self.until)
            rest = (months - 12 * years, days, of)
            self.line("sma_part", index, begins[-1], self.until, rest, self.amount(licence, rest))

    def amount(self, licence, months):
        whole, days, of = months
        part = Fraction(days, of) if days else Fraction(0)
        if part and self.policy.part_month == "whole":
            part = Fraction(1)
        return rounded(self.prices[licence.product].sma_year * licence.seats * (whole + part) / 12)

    def line(self, kind, index, start, end, months, amount, multi_year=0):
        net = amount
        for rate in (multi_year, self.request.discount):  # P8
            net -= rounded(net * rate)
        self.lines.append((kind, index, start, end, months, amount, net))

"""Who may call the support desk: rule S1 asked for the dongles on record, family by family."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from dongles import queries
from dongles.coverage import LicenceCoverage
from dongles.models import Dongle, ProductFamily
from dongles.support import SupportAnswer, latest_release, may_call


class DongleAnswer(NamedTuple):
    """The answer for one dongle, with the products of the family that it carries."""

    dongle: Dongle
    products: Sequence[str]
    answer: SupportAnswer


class SameAnswer(NamedTuple):
    """Dongles with one answer: how they stand, each standing with its dongles, and all of them."""

    may_call: bool
    remedy: str
    standings: Sequence[tuple[str, Sequence[DongleAnswer]]]
    dongles: Sequence[DongleAnswer]


class FamilyAnswers(NamedTuple):
    """The answers for a family, dongle by dongle, those with a yes first."""

    family: ProductFamily
    dongles: Sequence[DongleAnswer]

    @property
    def yes(self) -> int:
        return sum(each.answer.may_call for each in self.dongles)

    @property
    def headline(self) -> str:
        """Yes or no for the whole family, in words."""
        if not self.yes:
            return "No, not now"
        if self.yes == len(self.dongles):
            return "Yes"
        return f"Yes, for {self.yes} of {len(self.dongles)} dongles"

    @property
    def rule(self) -> str:
        """What the family's policy asks of every dongle."""
        return self.dongles[0].answer.rule

    @property
    def by_answer(self) -> list[SameAnswer]:
        """The dongles with the same answer and remedy together, and among them those that stand alike."""
        found: dict[tuple[bool, str], dict[str, list[DongleAnswer]]] = {}
        for each in self.dongles:
            answer = each.answer
            alike = found.setdefault((answer.may_call, answer.remedy), {})
            alike.setdefault(answer.standing, []).append(each)
        return [
            SameAnswer(may_call, remedy, list(alike.items()), [each for some in alike.values() for each in some])
            for (may_call, remedy), alike in found.items()
        ]


def support_answers(dongles: Iterable[Dongle], today: date) -> list[FamilyAnswers]:
    """S1 for every family that the dongles carry, in order of name; two queries, whatever their number."""
    carried: dict[ProductFamily, dict[Dongle, list[tuple[str, LicenceCoverage]]]] = {}
    for licence in queries.licences_of(dongles).select_related("product__family", "dongle"):
        of_family = carried.setdefault(licence.product.family, {})
        covered = queries.coverage_of(licence)._replace(product=licence.product.name)
        of_family.setdefault(licence.dongle, []).append((licence.product.name, covered))
    releases = queries.published_releases((family.name for family in carried), through=today)
    found = []
    for family, of_family in sorted(carried.items(), key=lambda each: each[0].name):
        latest = latest_release(releases, family.name, today)
        answers = [
            DongleAnswer(
                dongle,
                sorted({product for product, _ in licences}),
                may_call(family.support_policy, [each for _, each in licences], latest, dongle.issued_expiry_on, today),
            )
            for dongle, licences in of_family.items()
        ]
        answers.sort(key=lambda each: (not each.answer.may_call, each.dongle.serial))
        found.append(FamilyAnswers(family, answers))
    return found

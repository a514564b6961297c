"""People at the same moment: one decision, one owner, one line, whatever order the requests come in."""

from __future__ import annotations

import uuid

from django.http import QueryDict

from keepline_web.customers.listing import Listing
from keepline_web.customers.models import Account, Standing
from keepline_web.exports import actions as exports
from keepline_web.frame.refusals import Refused
from keepline_web.work import actions, proposals
from keepline_web.work.models import Contact, Ruling
from web.cast import Cast
from web.races import at_once

REPLAYS = 500
KEYS = 50
TOGETHER = 20


def test_of_two_who_decide_at_once_one_decides_and_the_other_is_told(committed: str) -> None:  # noqa: ARG001
    cast = Cast.found()
    Standing.objects.filter(account=cast.own).update(arrears_fen=0)
    Account.objects.filter(pk=cast.own.pk).update(blacklisted=False)
    cast.owner.authority_fen = 0
    for _ in range(10):
        made = proposals.propose(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), offer_id="manager-visit",
                                 price_fen=0, reason="客户要求上门")  # fmt: skip
        acts = [("team_lead", "approved"), ("district_chief", "refused"), ("city_chief", "approved")]
        said = at_once(
            [
                lambda who=who, what=what, number=made.pk: proposals.decide(
                    by=cast.people[who], proposal_id=number, what=what, reason="超出本月安排"
                )
                for who, what in acts
            ]
        )
        assert sorted(isinstance(one, Ruling) for one in said) == [False, False, True]
        assert {one.code for one in said if isinstance(one, Refused)} == {"decided_already"}
        assert Ruling.objects.filter(proposal=made).count() == 2


def test_five_hundred_entries_of_a_bad_network_are_there_exactly_once_each(committed: str) -> None:  # noqa: ARG001
    cast = Cast.found()
    keys = [uuid.uuid4() for _ in range(KEYS)]
    before = Contact.objects.count()
    for start in range(0, REPLAYS, TOGETHER):
        acts = [
            lambda key=keys[n % KEYS]: (
                actions.log_contact(by=cast.owner, customer_id=cast.own.pk, key=key, outcome="reached").key
            )
            for n in range(start, start + TOGETHER)
        ]
        assert [one for one in at_once(acts) if isinstance(one, Exception)] == []
    assert Contact.objects.count() == before + KEYS
    assert set(Contact.objects.filter(account=cast.own).values_list("key", flat=True)) >= set(keys)


def test_an_offer_and_an_export_sent_twice_at_once_are_there_once_and_nobody_is_turned_away(
    committed: str,  # noqa: ARG001
) -> None:
    cast, key = Cast.found(), uuid.uuid4()
    Standing.objects.filter(account=cast.own).update(arrears_fen=0)
    asked = [
        lambda: proposals.propose(
            by=cast.owner, customer_id=cast.own.pk, key=key, offer_id="manager-visit", price_fen=0, reason="客户要求"
        ).pk
    ]  # fmt: skip
    taken = [lambda: exports.ask(by=cast.owner, asked=Listing.of(QueryDict()), reason="本周上门拜访", key=key).pk]
    for act in (asked, taken):
        made = at_once(act * TOGETHER)
        assert [one for one in made if isinstance(one, Exception)] == []
        assert len(set(map(str, made))) == 1
    assert Ruling.objects.filter(proposal__key=key).count() == 1

"""What was done for a customer who is somebody else's by now stays one's own work, without the customer's name."""

from __future__ import annotations

import uuid

import pytest

from keepline_web.customers.actions import assign
from keepline_web.customers.models import Account, Standing
from keepline_web.customers.queries import details, shown
from keepline_web.work import proposals
from keepline_web.work.actions import log_contact
from keepline_web.work.fairness import compared
from web.calling import Program
from web.cast import Cast
from web.visiting import browser


@pytest.fixture
def worked(cast: Cast) -> Cast:
    """The owner called the customer and asked for an offer that waits."""
    Standing.objects.update(arrears_fen=0)
    Account.objects.update(blacklisted=False)
    log_contact(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), outcome="reached", note="约定周五回电")
    cast.owner.authority_fen = 0
    proposals.propose(by=cast.owner, customer_id=cast.own.pk, key=uuid.uuid4(), offer_id="manager-visit", price_fen=0,
                      reason="客户要求上门")  # fmt: skip
    return cast


def names_of(cast: Cast) -> set[str]:
    """Every way the customer is called, but the pseudonym."""
    one = shown(cast.own, cast.owner)
    return {text for text in (one.name, one.phone, one.number, *details(cast.own)) if text}


@pytest.mark.parametrize(("page", "said"), [("/log", "约定周五回电"), ("/proposals", "客户要求上门")])
def test_ones_own_log_and_proposals_name_a_customer_while_one_sees_them_and_then_the_pseudonym_alone(
    page: str, said: str, worked: Cast
) -> None:
    client, link, last = browser(worked.owner), f"/accounts/{worked.own.pk}", f"…{str(worked.own.pk)[-6:]}"
    before = client.get(page).content.decode()
    assert link in before
    assert shown(worked.own, worked.owner).name in before
    assign(account=worked.own, to=worked.colleague, reason="片区调整", by=worked.people["team_lead"])
    after = client.get(page).content.decode()
    assert said in after
    assert last in after
    assert link not in after
    assert not [name for name in names_of(worked) if name in after]


@pytest.mark.parametrize("path", ["contacts", "proposals"])
def test_a_program_is_told_no_more_than_the_page(path: str, worked: Cast) -> None:
    (before,) = Program(worked.owner).get(path).json()["items"]
    assert before["name"] == shown(worked.own, worked.owner).name
    assign(account=worked.own, to=worked.colleague, reason="片区调整", by=worked.people["team_lead"])
    (row,) = Program(worked.owner).get(path).json()["items"]
    assert (row["customer_id"], row["phone"], row["number"]) == (str(worked.own.pk), "", "")
    assert row["name"].endswith(f"…{str(worked.own.pk)[-6:]}")
    same = set(row) - {"name", "phone", "number"}
    assert {name: row[name] for name in same} == {name: before[name] for name in same}


def test_a_line_taken_back_after_the_customer_went_on_names_nobody(worked: Cast) -> None:
    line = worked.owner.contacts.get()
    assign(account=worked.own, to=worked.stranger, reason="片区调整", by=None)
    said = browser(worked.owner).post(f"/log/{line.pk}/withdraw", headers={"HX-Request": "true"}).content.decode()
    assert not [name for name in names_of(worked) if name in said]


def test_prices_are_compared_of_accounts_one_sees_alone_though_one_asked_for_others_before(worked: Cast) -> None:
    for price in (0, 100):
        made = proposals.Proposal.objects.latest("pk")
        made.pk, made.key, made.price_fen = None, uuid.uuid4(), price
        made.save()
        proposals.rule(made, "approved", worked.people["team_lead"], last_on=made.made_on)
    assert compared(worked.people["team_lead"])[0]
    assign(account=worked.own, to=worked.stranger, reason="片区调整", by=None)
    assert compared(worked.owner) == ([], 0)

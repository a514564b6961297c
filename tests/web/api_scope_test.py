"""What is seen over the API is what the pages show: the same rows, masked alike, and no trace of the lot."""

from __future__ import annotations

import json
import re

import pytest

from keepline_web.customers import sealed
from keepline_web.customers.models import Account
from keepline_web.customers.queries import details
from keepline_web.people.roles import Role
from web.api_matrix_test import ADDRESSES, ROWS, addressed
from web.calling import Program, everything, filled
from web.cast import Cast
from web.published import Published
from web.scope_test import LOT, ROLES_WITH_ACCOUNTS, exchange_arms, states, twins
from web.visiting import browser

PAIRS = (
    ("/accounts", "accounts", {"sort": "value"}), ("/accounts", "accounts", {"sort": "risk", "risk": "high"}),
    ("/accounts", "accounts", {"plan": "1"}), ("/arrears", "arrears", {}),
)  # fmt: skip


def of_pages(path: str, role: str, cast: Cast, asked: dict[str, str]) -> list[str]:
    """The customers a page links to, in order, page by page."""
    client, found, page = browser(cast.of_role(role)), [], 1
    while True:
        answer = client.get(path, asked | {"page": str(page), "each": "100"})
        shown = answer.context["page"]
        found += [str(getattr(row, "pk", None) or row.account.pk) for row in shown]
        if not shown.has_next():
            return found
        page += 1


@pytest.mark.parametrize("role", ROLES_WITH_ACCOUNTS)
def test_a_page_and_the_api_list_the_same_customers_in_the_same_order(role: str, cast: Cast) -> None:
    program = Program(cast.of_role(role))
    for path, operation, asked in PAIRS:
        if program.get(operation).status_code == 200:
            rows = [row["customer_id"] for row in everything(program, operation, **asked)]
            assert rows == of_pages(path, role, cast, asked), (operation, asked)
        else:
            assert browser(cast.of_role(role)).get(path).status_code == 404, operation


def answers(cast: Cast, role: str, accounts: list[Account]) -> dict[str, str]:
    """Everything a role reads over the API, also of these accounts; not what tells of tokens and of acts."""
    program, found = Program(cast.of_role(role)), {}
    for name, (roles, _, kind, _) in ROWS.items():
        method, path = ADDRESSES[name]
        if method == "GET" and role in roles.split() and name not in ("read_me", "list_entries"):
            args = [one.pk for one in accounts] if kind == "account" else [next(addressed(kind, cast))[1]][:1]
            for each in args:
                said = program("GET", filled(path, [each] if kind == "account" else each))
                found[f"{name} {each}"] = b"".join(said).decode("utf-8", "replace")
    return found


@pytest.mark.parametrize("role", Role.values)
def test_no_answer_holds_a_persons_name_or_anyones_number_in_full_or_a_word_of_the_lot(role: str, cast: Cast) -> None:
    secrets = set()
    for account in Account.objects.all():
        name, phone, number = details(account)
        secrets |= {phone, sealed.grouped(phone), number} | (set() if account.kind == "organisation" else {name})
    for name, text in answers(cast, role, [cast.own, cast.team, cast.other]).items():
        assert LOT.search(text) is None, name
        words = set(re.findall(r"[\w一-鿿]+", json.loads(f'"{json.dumps(text)[1:-1]}"')))
        assert not secrets & words, name


def test_two_publications_that_differ_in_the_lot_alone_give_the_same_answers(
    published: Published,
    cast: Cast,
) -> None:
    drawn = [pk for pk, state in states(published).items() if state in ("held_out", "below_cut")]
    accounts = list(Account.objects.filter(pk__in=drawn, assignments__person=cast.owner))[:2]
    published.bring_in()
    roles = [role for role in ROLES_WITH_ACCOUNTS if role != Role.AGENT]
    before = {role: reads(cast, role, accounts) for role in roles}
    published.turn("decisions", exchange_arms)
    published.bring_in()
    for role in roles:
        assert reads(cast, role, accounts) == before[role], role


def reads(cast: Cast, role: str, accounts: list[Account]) -> list[str]:
    program = Program(cast.of_role(role))
    paths = [f"accounts/{one.pk}" for one in accounts]
    paths += [f"accounts?each=100&{more}" for more in ("sort=value", "sort=risk", "plan=1")]
    paths += ["today", "arrears", "team", "meeting", "month", "unowned"]
    return [re.sub(r'"reference": "\w+"', "", program("GET", path).content.decode()) for path in paths]


@pytest.mark.parametrize("role", ["account_manager", "province_chief", "analyst"])
def test_one_held_out_looks_like_one_below_the_cut_in_every_answer(
    role: str,
    published: Published,
    cast: Cast,
) -> None:
    one, other = twins(published, cast)
    program = Program(cast.of_role(role))

    def told(account: Account) -> list[str]:
        rows = [row for row in everything(program, "accounts") if row["customer_id"] == str(account.pk)]
        text = json.dumps([program.get(f"accounts/{account.pk}").json(), rows], ensure_ascii=False)
        return [text.replace(str(account.pk), "PK").replace(str(account.pk)[-6:], "LAST")]

    assert told(one) == told(other)

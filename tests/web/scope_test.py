"""What is seen of a person and by whom: no name in full, no trace of the lot, nothing outside one's scope."""

from __future__ import annotations

import html
import json
import re
import uuid

import pytest
from django.db import connection

from core.small_publication import MONTH
from keepline_web.audit.models import Entry
from keepline_web.customers import sealed
from keepline_web.customers.actions import UNMASK_A_DAY
from keepline_web.customers.models import Account, PlanRow, Standing, Unmasking
from keepline_web.customers.queries import details
from keepline_web.frame import clock
from keepline_web.people.roles import RIGHTS, Act, Face, Role
from keepline_web.work.actions import log_contact, promise
from web.cast import Cast
from web.conftest import ROOT
from web.published import Published, Rows
from web.visiting import browser, pages, steady, text_of

LOT = re.compile(
    r"held[\s_-]?out|对照|below_cut|control group|\btreated\b|\barm\b|assignment|in_pilot|running pilot|试点观察", re.I
)
ROLES_WITH_ACCOUNTS = [role for role, rights in RIGHTS.items() if Act.SEE_ACCOUNTS in rights.acts]


def read(path: str, role: str, cast: Cast) -> str:
    """The page as the role reads it, or nothing where it may not."""
    answer = browser(cast.of_role(role)).get(path)
    assert answer.status_code in (200, 302, 404), path
    return html.unescape(answer.content.decode())


def about(account: Account) -> list[str]:
    """Addresses that tell of one account."""
    at = account.pk
    return [f"/accounts/{at}?from=sort%3Dvalue", f"/accounts/{at}/propose", "/accounts?sort=risk&each=100"]


# names and numbers


@pytest.mark.parametrize("role", Role.values)
def test_no_page_shows_a_persons_name_or_anyones_number_in_full(role: str, cast: Cast) -> None:
    for account, by in ((cast.own, cast.owner), (cast.team, cast.colleague)):
        log_contact(by=by, customer_id=account.pk, key=uuid.uuid4(), outcome="reached", note="谈了套餐")
        promise(by=by, customer_id=account.pk, key=uuid.uuid4(), what="回电", due_on=clock.today())
    secrets = set()
    for account in Account.objects.all():
        name, phone, number = details(account)
        secrets |= {phone, sealed.grouped(phone), number} | (set() if account.kind == "organisation" else {name})
    client = browser(cast.of_role(role))
    seen = [*pages(role, cast), *(path for one in (cast.own, cast.team, cast.other) for path in about(one))]
    for path in seen:
        text = html.unescape(text_of(client.get(path)))
        words = set(re.findall(r"[\w一-鿿]+", text)) | set(re.findall(r"\d{3} \d{4} \d{4}", text))
        assert not secrets & words, path


def test_the_masks_are_there_where_the_names_are_not(cast: Cast) -> None:
    account = Account.objects.filter(assignments__person=cast.owner).exclude(kind="organisation").first()
    text = read(f"/accounts/{account.pk}", Role.ACCOUNT_MANAGER, cast)
    assert re.search(r"欧\*{2,}", text)
    assert re.search(r"154 \*{4} \d{4}", text)


def test_who_sees_no_name_finds_nobody_by_name_or_number(cast: Cast) -> None:
    name, phone, number = details(cast.own)
    client = browser(cast.people["analyst"])
    assert client.get("/accounts").context["page"].paginator.count > 100
    for text in (name, name[:2], phone, phone[-4:], number, "欧", "清河"):
        assert client.get("/accounts", {"q": text}).context["page"].paginator.count == 0, text
        answer = client.get(f"/accounts/{cast.own.pk}", {"from": f"q={text}"})
        assert answer.context["length"] == 0, text
    assert client.get("/accounts", {"q": str(cast.own.pk)}).context["page"].paginator.count == 1


def test_a_search_finds_among_ones_own_alone(cast: Cast) -> None:
    for account, count in ((cast.own, 1), (cast.other, 0)):
        _, phone, _ = details(account)
        assert browser(cast.owner).get("/accounts", {"q": phone}).context["page"].paginator.count == count


def test_names_lie_sealed_in_the_tables_and_bound_to_their_row(cast: Cast) -> None:
    for account in (cast.own, cast.team):
        for plain, stored in zip(
            details(account), (account.name_sealed, account.phone_sealed, account.number_sealed), strict=True
        ):
            assert plain.encode() not in bytes(stored)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, '') FROM customers_account t")
        assert details(cast.own)[1] not in cursor.fetchone()[0]
    from cryptography.exceptions import InvalidTag

    with pytest.raises(InvalidTag):
        sealed.unseal(cast.own.name_sealed, customer_id=cast.team.pk)


def test_a_number_is_found_by_a_keyed_index_that_differs_from_its_hash() -> None:
    import hashlib

    phone = "15400001234"
    assert sealed.index(phone) == sealed.index("+86 154-0000-1234")
    for digest in ("md5", "sha1", "sha256"):
        assert sealed.index(phone) != hashlib.new(digest, phone.encode()).hexdigest()


def test_the_same_text_sealed_twice_differs() -> None:
    one, other = (sealed.seal("欧阳试", customer_id=7) for _ in range(2))
    assert one != other
    assert sealed.unseal(one, customer_id=7) == sealed.unseal(other, customer_id=7) == "欧阳试"


# unmasking


def unmask(cast: Cast, reason: str = "约定上门拜访", role: str = Role.ACCOUNT_MANAGER) -> object:
    return browser(cast.of_role(role)).post(f"/accounts/{cast.own.pk}/unmask", {"reason": reason})


def test_a_name_is_seen_in_full_for_a_reason_that_is_kept(cast: Cast) -> None:
    name, phone, number = details(cast.own)
    said = unmask(cast)
    text = said.content.decode()
    assert said.status_code == 200
    assert said["Cache-Control"] == "no-store"
    assert all(part in text for part in (name, sealed.grouped(phone), number, 'data-hide-after="30"'))
    entry = Entry.objects.get(act="unmasked")
    assert (entry.person_id, entry.object) == (cast.owner.pk, f"account:{cast.own.pk}")
    assert entry.detail == {"reason": "约定上门拜访"}
    assert Unmasking.objects.get().reason == "约定上门拜访"


@pytest.mark.parametrize("reason", ["", "   ", "看看", " x ", "\t\n"])
def test_without_a_reason_nothing_is_seen(reason: str, cast: Cast) -> None:
    said = unmask(cast, reason)
    assert (said.status_code, said["X-Refused"]) == (422, "reason_needed")
    assert details(cast.own)[1][-4:] not in said.content.decode().replace("编号", "")
    assert not Unmasking.objects.exists()


def test_the_thirty_first_name_of_a_day_stays_masked(cast: Cast) -> None:
    for _ in range(UNMASK_A_DAY):
        assert unmask(cast).status_code == 200
    said = unmask(cast)
    assert (said.status_code, said["X-Refused"]) == (429, "unmask_limit")
    assert Unmasking.objects.count() == Entry.objects.filter(act="unmasked").count() == UNMASK_A_DAY == 30
    assert unmask(cast, role=Role.TEAM_LEAD).status_code == 200  # the limit is each person's own


@pytest.mark.parametrize("role", [role for role, rights in RIGHTS.items() if Act.UNMASK not in rights.acts])
def test_other_posts_cannot_unmask_at_all(role: str, cast: Cast) -> None:
    assert unmask(cast, role=role).status_code == 404
    assert not Unmasking.objects.exists()


def test_the_audit_names_the_account_and_never_the_customer(cast: Cast) -> None:
    unmask(cast)
    text = read("/audit?act=unmasked", Role.AUDITOR, cast)
    assert str(cast.own.pk) in text
    assert not [part for part in details(cast.own) if part in text]


def test_unmasked_words_come_by_post_alone(cast: Cast) -> None:
    assert browser(cast.owner).get(f"/accounts/{cast.own.pk}/unmask", {"reason": "约定上门拜访"}).status_code == 405


# held out


def everywhere(cast: Cast, accounts: list[Account]) -> list[tuple[str, str]]:
    """Every page of every role, and those of the accounts; not those that tell of browsers and of acts."""
    found = []
    for role in Role.values:
        more = {path for one in accounts for path in about(one)} if role in ROLES_WITH_ACCOUNTS else set()
        found += [(role, path) for path in sorted({*pages(role, cast), *more} - {"/me", "/audit"})]
    return found


def read_all(cast: Cast, places: list[tuple[str, str]]) -> list[str]:
    clients = {role: browser(cast.of_role(role)) for role in Role.values}
    return [steady(text_of(clients[role].get(path))) for role, path in places]


def states(published: Published) -> dict[int, str]:
    rows = published.rows("decisions")
    return dict(zip(rows["customer_id"], rows["state"], strict=True))


def exchange_arms(rows: Rows) -> None:
    other = {"held_out": "below_cut", "below_cut": "held_out"}
    for place, state in enumerate(rows["state"]):
        if state in other:
            rows["state"][place] = rows["reason"][place] = other[state]
            rows["arm"][place] = "held_out" if other[state] == "held_out" else None


def test_two_publications_that_differ_in_the_lot_alone_give_the_same_pages_to_the_byte(
    published: Published, cast: Cast
) -> None:
    drawn = [pk for pk, state in states(published).items() if state in ("held_out", "below_cut")]
    accounts = list(Account.objects.filter(pk__in=drawn, assignments__person=cast.owner))
    assert len(accounts) >= 2
    published.bring_in()
    places = everywhere(cast, accounts[:2])
    before = read_all(cast, places)
    published.turn("decisions", exchange_arms)
    turned = states(published)
    assert {turned[account.pk] for account in accounts} <= {"held_out", "below_cut"}
    published.bring_in()
    for place, first, second in zip(places, before, read_all(cast, places), strict=True):
        assert first == second, place


def twins(published: Published, cast: Cast, *, by_a_pilot: bool = False) -> tuple[Account, Account]:
    """Two customers of one owner, alike in all but a lot, the plan's or a pilot's: one left alone, one not."""
    left_alone = ("in_pilot", None) if by_a_pilot else ("held_out", "held_out")
    one, other = Account.objects.filter(assignments__person=cast.owner, kind="person").order_by("pk")[:2]

    def alike(rows: Rows) -> None:
        places = {pk: place for place, pk in enumerate(rows["customer_id"])}
        if other.pk in places:
            whole = {name: dict(zip(everyone["customer_id"], column, strict=True)) for name, column in everyone.items()}
            for name, column in rows.items():
                if name != "customer_id":
                    column[places[other.pk]] = whole[name][one.pk]

    def drawn(rows: Rows) -> None:
        for place, pk in enumerate(rows["customer_id"]):
            for account, state, arm in ((one, *left_alone), (other, "below_cut", None)):
                if pk == account.pk:
                    rows["state"][place], rows["reason"][place], rows["arm"][place] = state, state, arm
                    for name in ("offer_id", "channel", "gain_fen", "cost_fen"):
                        rows[name][place] = None

    for table in ("features", "classes", "drivers", "scores", "price_sensitivity", "circles"):
        everyone = published.rows(table)
        published.turn(table, alike)
    published.turn("decisions", drawn)
    for name, text in zip(("name", "phone", "number"), details(one), strict=True):
        setattr(other, f"{name}_sealed", sealed.seal(text, customer_id=other.pk))
    other.save()
    published.bring_in()
    return one, other


def lone(text: str, account: Account) -> str:
    """The page without the account's own number and its place in the list."""
    text = re.sub(r'<a class="button small" data-(next|previous)[^>]*>.*?</a>', "", text, flags=re.S)
    text = re.sub(r"\d+ / \d+", "", text)
    return (
        steady(text)
        .replace(str(account.pk), "PK")
        .replace(str(account.pk)[-6:], "LAST")
        .replace(" ", "")
        .replace("\n", "")
    )


@pytest.mark.parametrize("role", ROLES_WITH_ACCOUNTS)
def test_one_held_out_looks_like_one_below_the_cut_on_every_page(role: str, published: Published, cast: Cast) -> None:
    one, other = twins(published, cast)
    client = browser(cast.of_role(role))
    for path_of in (
        lambda a: f"/accounts/{a.pk}",
        lambda a: f"/accounts/{a.pk}?from=sort%3Drisk",
        lambda a: f"/accounts/{a.pk}/propose",
    ):
        first, second = client.get(path_of(one)), client.get(path_of(other))
        assert first.status_code == second.status_code
        assert lone(first.content.decode(), one) == lone(second.content.decode(), other)
    found = {account.pk: rows_about(client, account) for account in (one, other)}
    assert found[one.pk] == found[other.pk]
    if role == Role.ACCOUNT_MANAGER:
        assert found[one.pk]


def rows_about(client: object, account: Account) -> list[str]:
    """Its row of the lists and its card of the day."""
    found = []
    for path in ("/accounts?each=100", "/accounts?each=100&sort=risk", "/accounts?plan=1&each=100", "/today"):
        text = client.get(path).content.decode()
        parts = re.findall(r"<tr>.*?</tr>|<article.*?</article>", text, flags=re.S)
        found += [lone(part, account) for part in parts if str(account.pk) in part]
    return found


@pytest.mark.parametrize("by_a_pilot", [False, True])
def test_the_standing_of_one_left_alone_says_what_that_of_one_below_the_cut_says(
    published: Published, cast: Cast, *, by_a_pilot: bool
) -> None:
    pair = twins(published, cast, by_a_pilot=by_a_pilot)
    one, other = (Standing.objects.get(account=account, month=MONTH) for account in pair)
    differs = {field.name for field in Standing._meta.fields
               if getattr(one, field.attname) != getattr(other, field.attname)}  # fmt: skip
    assert differs == {"id", "account"}
    assert not PlanRow.objects.filter(account__in=(one.account, other.account)).exists()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_and_no_table_speaks_of_the_lot(language: str, cast: Cast) -> None:
    held = [pk for pk, state in states(_of_root()).items() if state == "held_out"]
    accounts = list(Account.objects.filter(pk__in=held, assignments__isnull=False))[:1]
    assert accounts
    for person in cast.people.values():
        person.language = language
        person.save(update_fields=["language"])
    places = everywhere(cast, accounts)
    for place, text in zip(places, read_all(cast, places), strict=True):
        found = LOT.search(text)
        assert found is None, (place, found and found.group())
    with connection.cursor() as cursor:
        for table in ("customers_account", "customers_standing", "customers_planrow", "customers_event", "audit_entry"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~* 'held.?out|对照'")
            assert cursor.fetchone() == (0,), table


def _of_root() -> Published:
    found = Published.__new__(Published)
    found.folder = ROOT / "published" / MONTH
    return found


# one's scope


def test_what_one_may_not_know_of_is_answered_as_what_is_not_there(cast: Cast) -> None:
    client = browser(cast.owner)
    hidden, missing = (client.get(f"/accounts/{at}") for at in (cast.other.pk, 999_999_999_999))
    same = re.compile(r"value=\"/accounts/\d+\"")
    assert hidden.status_code == missing.status_code == 404
    assert same.sub("", steady(hidden.content.decode())) == same.sub("", steady(missing.content.decode()))


def test_filters_and_counts_tell_nothing_of_what_lies_outside(cast: Cast) -> None:
    client = browser(cast.owner)
    own = client.get("/accounts").context["page"].paginator.count
    assert own == Account.objects.filter(assignments__person=cast.owner).count()
    for asked in ({"owner": cast.stranger.pk}, {"district": "D2"}, {"q": str(cast.other.pk)}):
        assert client.get("/accounts", asked).context["page"].paginator.count == 0, asked
    listed = {int(pk) for pk in re.findall(r'href="/accounts/(\d+)', client.get("/accounts?each=100").content.decode())}
    assert len(listed) == own
    assert cast.other.pk not in listed


def test_a_role_that_sees_persons_masks_them_and_the_others_see_no_name() -> None:
    for role, rights in RIGHTS.items():
        if rights.face is not Face.MASKED:
            assert Act.UNMASK not in rights.acts, role
        if rights.face is Face.NOTHING:
            assert Act.SEE_ACCOUNTS not in rights.acts, role
    assert json.dumps(sorted(Role.values)) == json.dumps(sorted(RIGHTS))

"""Turns a month of a block into the rows an operator would deliver: its own numbers, our column names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from keepline.simulate import days, troubles, world
from keepline.simulate.behaviour import Happened
from keepline.simulate.draws import Draws
from keepline.simulate.response import Delivered
from keepline.simulate.state import NEVER, Array, Customers
from keepline.simulate.world import World

Rows = dict[str, Array | pa.Array]
SURVEY_EVERY, SURVEY_SHARE = 3, 0.2
BACKGROUND_CONTACTS, INBOUND_SHARE, CARE_SHARE = 0.03, 0.07, 0.12
ANSWERED_SHARE = 0.97  # of complaints, within the month
LISTED = ("", "important", "key", "potential")


def customer_no(number: Array) -> Array:
    """The operator's number as text, N00001234."""
    return np.char.add("N", _digits(number, 8))


def _digits(number: Array, width: int) -> Array:
    text = number.astype(f"<U{width}")
    return np.char.zfill(text, width) if len(text) else text


def _coded(codes: Array, names: tuple[str, ...]) -> pa.Array:
    """Text of each code; null where there is none or its name is empty."""
    nothing = np.isin(codes, [NEVER, *[i for i, name in enumerate(names) if not name]])
    return pa.DictionaryArray.from_arrays(
        pa.array(np.where(nothing, 0, codes).astype("int32"), mask=nothing), list(names)
    ).cast(pa.string())


def _text(values: Array) -> pa.Array:
    """Text; empty means unknown."""
    return pa.array(values.astype(object), type=pa.string(), mask=values == "")


def as_days(values: Array, known: Array | None = None) -> pa.Array:
    mask = None if known is None else ~known
    return pa.array(values.astype("int32"), type=pa.int32(), mask=mask).cast(pa.date32())


def customers(op: World, c: Customers, rows: Array) -> Rows:
    """Who the customers are."""
    cities = tuple(city for city, _ in op.districts)
    names = tuple(district for _, district in op.districts)
    return {
        "customer_id": customer_no(c.number[rows]),
        "kind": np.where(c.organisation[rows], "organisation", "person"),
        "industry": _coded(np.where(c.organisation, c.industry, NEVER)[rows], tuple(world.INDUSTRIES)),
        "region": _coded(c.district[rows], cities),
        "district": _coded(c.district[rows], names),
        "manager_id": managers_of(c.manager[rows]),
        "joined_on": as_days(c.joined[rows]),
        "birthday": as_days(c.birthday[rows]),
        "star_rating": _coded(c.star[rows], world.STARS),
        "listed_class": _coded(c.listed[rows], LISTED),
        "consent": c.consent[rows],
        "blacklisted": c.blacklisted[rows],
        "preferred_channel": _coded(c.channel[rows], world.CHANNELS),
        "contact_gap_days": pa.array(c.gap_days[rows].astype("int64"), mask=c.gap_days[rows] == NEVER),
    }


def managers_of(manager: Array) -> pa.Array:
    none = manager == NEVER
    return _text(np.where(none, "", np.char.add("M", _digits(manager + 1, 5))))


def lines(c: Customers, rows: Array, *, mobiles_before: Array, draws: Draws) -> Rows:
    """Every line of the customers in ``rows``; those given up and those of leavers are closed."""
    owner, plan, slot = _lines_of(c, rows, np.maximum(c.mobiles, mobiles_before))
    given_up = (slot < _FIXED_SLOT["broadband"]) & (slot >= c.mobiles[owner])
    gone = (c.left[owner] == draws.month.index) | given_up
    closed = days.some_day(draws.of("closing"), draws.month, len(c))
    bound = c.contract_end[owner] != NEVER
    number = np.char.add("L", _digits(c.number[owner], 8))
    return {
        "line_id": np.char.add(np.char.add(number, "-"), slot.astype("<U4")),
        "customer_id": customer_no(c.number[owner]),
        "product": _coded(plan, tuple(p.product for p in world.PLANS)),
        "plan_id": _coded(plan, tuple(p.plan_id for p in world.PLANS)),
        "status": np.where(gone, "disconnected", "active"),
        "started_on": as_days(c.joined[owner]),
        "contract_end_on": as_days(days.last_day(np.where(bound, c.contract_end[owner], 0)), bound),
        "ended_on": as_days(closed[owner], gone),
        "ported_in": c.ported_in[owner] & (slot == 0),
    }


_FIXED_SLOT = {"broadband": 900, "tv": 901, "fixed": 910, "circuit": 940}  # mobile lines count from 0


def _lines_of(c: Customers, rows: Array, mobiles: Array) -> tuple[Array, Array, Array]:
    """Owner, plan and place of each line."""
    found = [_repeated(rows, mobiles[rows], c.plan[rows], 0)]
    found.append(_repeated(rows, c.broadband[rows] >= 0, c.broadband[rows], _FIXED_SLOT["broadband"]))
    found.append(_repeated(rows, c.tv[rows], np.full(len(rows), world.TV), _FIXED_SLOT["tv"]))
    found.append(_repeated(rows, c.fixed[rows], np.full(len(rows), world.FIXED), _FIXED_SLOT["fixed"]))
    found.append(_repeated(rows, c.circuits[rows], c.circuit_plan[rows], _FIXED_SLOT["circuit"]))
    owner, plan, slot = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return owner, plan, slot


def _repeated(rows: Array, times: Array, plan: Array, first: int) -> tuple[Array, Array, Array]:
    times = times.astype("int64")
    starts = np.repeat(np.cumsum(times) - times, times)
    return np.repeat(rows, times), np.repeat(plan, times), np.arange(times.sum()) - starts + first


def bills(c: Customers, h: Happened) -> Iterator[Rows]:
    """The bill, one component after the other; components of zero fen are not billed."""
    for name, amount in h.bill.items():
        rows = np.flatnonzero(h.here & (amount != 0))
        yield {
            "customer_id": customer_no(c.number[rows]),
            "component": np.full(len(rows), name),
            "amount_fen": amount[rows],
        }
    rows = np.flatnonzero(h.here & (h.severity >= 4))
    yield {
        "customer_id": customer_no(c.number[rows]),
        "component": np.full(len(rows), "credit"),
        "amount_fen": -500 * (h.severity[rows] - 3),
    }


def usage(c: Customers, h: Happened, rng: np.random.Generator) -> Rows:
    rows = np.flatnonzero(h.here)
    n, lines_each, mood = len(rows), c.mobiles[rows], c.mood[rows]
    voice, data = h.voice_s[rows] * lines_each, h.data_kb[rows] * lines_each
    offnet = np.clip(c.offnet[rows] + 0.12 * c.mood_rival[rows] + rng.normal(0, 0.02, n), 0.01, 0.99)
    quiet = np.clip(1 - 0.2 * mood, 0.2, 1) * h.part[rows]
    ward = 1 + 1.4 * (c.place[rows] == 1)
    return {
        "customer_id": customer_no(c.number[rows]),
        "voice_s": voice.astype("int64"),
        "voice_in_s": (voice * ward * rng.lognormal(0.0, 0.15, n)).astype("int64"),
        "offnet_s": (voice * offnet).astype("int64"),
        "roaming_s": rng.poisson(c.roaming_fen[rows] * 0.15 * h.part[rows]),
        "data_kb": data.astype("int64"),
        "sms": rng.poisson(6 * lines_each * h.part[rows]),
        "topups": np.where(c.prepaid[rows], np.ceil(h.bill["topup"][rows] / 3000), 0).astype("int64"),
        "active_days": np.minimum(1 + rng.binomial(29, np.clip(0.95 * quiet, 0, 1)), 30),
        "dropped_calls": rng.poisson(1.2 * lines_each * (1 + 1.5 * c.mood_network[rows]) * h.part[rows]),
    }


def payments(c: Customers, h: Happened) -> Rows:
    rows = np.flatnonzero(h.here)
    return {
        "customer_id": customer_no(c.number[rows]),
        "paid_fen": h.paid_fen[rows],
        "arrears_fen": c.arrears_fen[rows],
        "arrears_months": c.arrears_months[rows].astype("int64"),
    }


def complaints(c: Customers, h: Happened, draws: Draws) -> Rows:
    rows, rng = np.flatnonzero(h.severity), draws.of("complaint rows")
    opened = days.some_day(rng, draws.month, len(rows))
    end = int(days.last_day(np.array([draws.month.index]))[0])
    closed = np.minimum(opened + rng.integers(0, 15, len(rows)), end)
    mostly_network = rng.random(len(rows)) < 0.3 + 0.4 * (c.mood_network[rows] > 0.2)
    category = np.where(mostly_network, 0, rng.integers(1, len(troubles.CATEGORIES), len(rows)))
    return {
        "complaint_id": _ids("T", draws, c.number[rows]),
        "customer_id": customer_no(c.number[rows]),
        "opened_on": as_days(opened),
        "closed_on": as_days(closed, rng.random(len(rows)) < ANSWERED_SHARE),
        "category": _coded(category, troubles.CATEGORIES),
        "severity": h.severity[rows].astype("int64"),
    }


def _ids(letter: str, draws: Draws, number: Array) -> Array:
    stem = f"{letter}{str(draws.month).replace('-', '')}-"
    return np.char.add(stem, _digits(number, 8))


def survey_answers(c: Customers, h: Happened, draws: Draws) -> Iterator[Rows]:
    """Answers of 1 to 10 by those who took part; a survey is held once a quarter."""
    if draws.month.index % SURVEY_EVERY:
        return
    rng = draws.of("survey")
    rows = np.flatnonzero(h.here & ~h.leaving & (rng.random(len(c)) < SURVEY_SHARE))
    love, mood, habit = c.attachment[rows], c.mood[rows], c.inertia[rows]
    means = {
        "stay": 7.6 + 1.0 * love + 0.5 * habit - 1.8 * mood,
        "recommend": 7.0 + 1.4 * love - 1.4 * mood,
        "satisfaction": 7.9 + 0.6 * love - 1.9 * mood,
    }
    for question, mean in means.items():
        score = np.clip(np.round(mean + rng.normal(0, 1.0, len(rows))), 1, 10)
        yield {
            "customer_id": customer_no(c.number[rows]),
            "question": np.full(len(rows), question),
            "score": score,
            "scale_max": np.full(len(rows), 10.0),
        }


def departures(c: Customers, h: Happened) -> Rows:
    rows = np.flatnonzero(h.leaving)
    return {
        "customer_id": customer_no(c.number[rows]),
        "kind": h.kind[rows].astype("<U8"),
        "reason": _text(h.reason[rows]),
    }


def referrals(c: Customers, h: Happened) -> Rows:
    rows = np.flatnonzero(h.new & (h.referrer != NEVER))
    return {
        "customer_id": customer_no(c.number[rows]),
        "referrer_id": customer_no(c.number[h.referrer[rows]]),
    }


def call_edges(c: Customers, h: Happened, rng: np.random.Generator) -> Iterator[Rows]:
    """Calls between neighbours in the calling graph, told from both ends."""
    for distance, mean in ((1, 6.0), (2, 1.0)):
        first, second = troubles.neighbours(len(c), distance)
        calls = rng.poisson(mean, len(first)) * (h.here[first] & h.here[second])
        talk = calls > 0
        a, b = customer_no(c.number[first[talk]]), customer_no(c.number[second[talk]])
        yield {"customer_id": a, "peer_id": b, "calls": calls[talk]}
        yield {"customer_id": b, "peer_id": a, "calls": calls[talk]}


def attributes(c: Customers, rows: Array, rng: np.random.Generator) -> Rows:
    """Where a customer mostly is, known for most of those in a planted niche and for some by mistake."""
    seen = np.where(rng.random(len(rows)) < 0.88, c.place[rows], 0)
    known = np.flatnonzero(seen)
    return {
        "customer_id": customer_no(c.number[rows[known]]),
        "name": np.full(len(known), "frequent_place"),
        "code": _coded(seen[known], world.PLACES),
    }


SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜"
GIVEN = "安柏晨朵恩帆光禾静凯岚沐宁平清然书桐薇溪晓言逸远知舟梓卓悦容"


def contact_details(c: Customers, rows: Array) -> Rows:
    """Invented names and numbers; numbers beginning with 154 were given to no operator."""
    number = c.number[rows]
    mixed = (number * 2654435761) % (1 << 32)
    family, given = np.array(list(SURNAMES)), np.array(list(GIVEN))
    person = np.char.add(family[mixed % 30], np.char.add(given[(mixed // 30) % 30], given[(mixed // 900) % 30]))
    group = np.char.add(np.char.add(given[mixed % 30], given[(mixed // 30) % 30]), "虚构单位")
    no = customer_no(number)
    return {
        "customer_id": no,
        "customer_no": no,
        "name": np.where(c.organisation[rows], group, person),
        "phone": np.char.add("154", _digits(number, 8)),
    }


def contacts(c: Customers, h: Happened, done: Sequence[Delivered], draws: Draws) -> Iterator[Rows]:
    """Contacts both ways: offers delivered, other marketing, calls in, complaints, care by managers."""
    rng = draws.of("contacts")
    for each in done:
        yield _contact(
            "P", c, each.row, draws, day=each.day, channel=each.channel, direction="out", purpose="marketing"
        )
    usual = h.here & c.consent & ~c.blacklisted & (c.contacted != draws.month.index)
    usual &= rng.random(len(c)) < BACKGROUND_CONTACTS
    c.contacted = np.where(usual, draws.month.index, c.contacted).astype("int32")
    kinds: tuple[tuple[str, Array, str, str], ...] = (
        ("B", usual, "out", "marketing"),
        ("I", h.here & (rng.random(len(c)) < INBOUND_SHARE), "in", "service"),
        ("C", h.severity > 0, "in", "complaint"),
        ("K", h.here & (c.manager != NEVER) & (rng.random(len(c)) < CARE_SHARE), "out", "care"),
    )
    for letter, who, direction, purpose in kinds:
        rows = np.flatnonzero(who)
        day = days.some_day(rng, draws.month, len(rows))
        channel = _usual_channel(letter, rows, rng)
        yield _contact(letter, c, rows, draws, day=day, channel=channel, direction=direction, purpose=purpose)


def _usual_channel(letter: str, rows: Array, rng: np.random.Generator) -> Array:
    choices = {"B": ["sms", "app", "hotline"], "I": ["hotline", "shop", "app"], "C": ["hotline"], "K": ["manager_call"]}
    return rng.choice(choices[letter], len(rows))


def _contact(
    letter: str, c: Customers, rows: Array, draws: Draws, *, day: Array, channel: Array, direction: str, purpose: str
) -> Rows:
    by_manager = np.isin(channel, ["manager_call", "visit"])
    return {
        "contact_id": _ids(letter, draws, c.number[rows]),
        "customer_id": customer_no(c.number[rows]),
        "contacted_on": as_days(day),
        "channel": channel,
        "direction": np.full(len(rows), direction),
        "purpose": np.full(len(rows), purpose),
        "manager_id": managers_of(np.where(by_manager, c.manager[rows], NEVER)),
    }

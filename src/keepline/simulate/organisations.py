"""Which organisations belong together, and who speaks for each: invented names, roles and numbers."""

from __future__ import annotations

import numpy as np

from keepline.simulate import days
from keepline.simulate.draws import Draws
from keepline.simulate.records import GIVEN, SURNAMES, Rows, as_days, customer_no
from keepline.simulate.state import Array, Customers
from keepline.tables import DECISION_ROLES

TOGETHER = 4  # organisations that may be one group, next to one another by manager
GROUPED_SHARE, BRANCH_SHARE = 0.35, 0.75
PERSONS_MOST = 4
SECOND, THIRD, FOURTH = 3, 8, 20  # mobile lines from which an organisation has so many contact persons
NUMBERS = 10_000_000  # telephones 1549…, which no customer of the simulator has


def affiliations(c: Customers, rows: Array, draws: Draws) -> Rows:
    """Some neighbours are one group: the largest is the head office, most of the others its branches."""
    rng = draws.of("affiliations")
    orgs = rows[c.organisation[rows]]
    orgs = orgs[np.lexsort((c.number[orgs], c.manager[orgs]))]
    orgs = orgs[: len(orgs) // TOGETHER * TOGETHER].reshape(-1, TOGETHER)
    orgs = orgs[rng.random(len(orgs)) < GROUPED_SHARE]
    largest = np.argmax(c.mobiles[orgs], axis=1) if len(orgs) else np.zeros(0, dtype="int64")
    head = orgs[np.arange(len(orgs)), largest]
    branch = (orgs != head[:, None]) & (rng.random(orgs.shape) < BRANCH_SHARE)
    heads = np.broadcast_to(head[:, None], orgs.shape)[branch]
    return {"customer_id": customer_no(c.number[orgs[branch]]), "head_id": customer_no(c.number[heads])}


def contact_persons(c: Customers, rows: Array, draws: Draws) -> Rows:
    """One to four for each organisation, more for a larger one; the first decides."""
    rng = draws.of("contact persons")
    orgs = rows[c.organisation[rows]]
    size = c.mobiles[orgs]
    count = 1 + (size >= SECOND) + (size >= THIRD) + (size >= FOURTH)
    who, place = np.repeat(orgs, count), np.concatenate([np.arange(n) for n in count] or [np.zeros(0, dtype="int64")])
    number = c.number[who]
    mixed = ((number * PERSONS_MOST + place + 1) * 2654435761) % (1 << 32)
    other = rng.integers(1, len(DECISION_ROLES), len(who))
    born = days.first_day(np.array([draws.month.index]))[0] - rng.integers(26 * 365, 58 * 365, len(who))
    family, given = np.array(list(SURNAMES)), np.array(list(GIVEN))
    phone = (number * PERSONS_MOST + place) % NUMBERS
    return {
        "customer_id": customer_no(number),
        "person_no": (place + 1).astype("<U2"),
        "role": np.array(DECISION_ROLES)[np.where(place == 0, 0, other)],
        "name": np.char.add(family[mixed % 30], np.char.add(given[(mixed // 30) % 30], given[(mixed // 900) % 30])),
        "phone": np.char.add("1549", np.char.zfill(phone.astype("<U7"), 7)) if len(phone) else phone.astype("<U11"),
        "birthday": as_days(born, rng.random(len(who)) < 0.6),
        "preferred_channel": np.where(rng.random(len(who)) < 0.5, "manager_call", "visit"),
    }

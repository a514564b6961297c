"""A simulated operator whose truth is known: opens its site, then lets one billing month pass after another.

A month is made from the state the month before left under SITE/truth/, and from the plan published for that
month: only customers it treated respond. The same seed and the same plans give the same files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from keepline.errors import SiteError
from keepline.periods import Month
from keepline.policy.documents import Policy, read_policy
from keepline.progress import Progress
from keepline.simulate import (
    behaviour,
    circles,
    leaving,
    people,
    pilots,
    planned,
    records,
    response,
    state,
    truth,
    writing,
)
from keepline.simulate.delivery import deliver, deliver_operator
from keepline.simulate.draws import Draws
from keepline.simulate.opening import Story, read_story, write_site
from keepline.simulate.planned import Plan
from keepline.simulate.response import Delivered
from keepline.simulate.state import Customers
from keepline.simulate.world import World
from keepline.site import Site, open_site, pseudonym

BLOCK_CUSTOMERS = 200_000  # about 0.7 GB of memory while a month is made
BLOCK_NUMBERS = 1_000_000  # customer numbers set aside for each block


def start_site(root: Path, *, customers: int, months: int, last: Month, seed: int, engine: str) -> None:
    """Open a site for an operator of so many customers whose story ends with ``last``.

    Raises SiteError when the size or the length is out of bounds, or the folder is a site already.
    """
    if not 1 <= customers <= 10_000_000 or months < 2:
        raise SiteError(
            f"a simulated operator has 1 to 10,000,000 customers and at least 2 months; asked: {customers}, {months}",
            f"模拟运营商的客户数须在 1 至 1000 万之间，账期至少 2 个；收到 {customers}、{months}",
            code="simulated_size",
        )
    if (root / "keepline.toml").exists():
        raise SiteError(
            f"{root} is a site already; nothing was changed", f"{root} 已是站点，未作任何改动", code="site_exists"
        )
    write_site(root, Story(customers, months, str(last), seed), engine=engine)


def next_month(
    root: Path,
    month: Month,
    *,
    decisions: Sequence[Path] | None,
    assignments: Sequence[Path] | None,
    progress: Progress,
) -> list[Path]:
    """Make the operator's files of ``month`` and return them; a month made before is returned as it is.

    ``decisions`` and ``assignments`` are the parts published for the month before, where there was a plan.
    Raises SiteError when the month before was not made, or the plan is not of that month.
    """
    story = read_story(root)
    files = root / "intake" / "files" / str(month)
    if _made(root, month).exists():
        return writing.in_order(files)
    plan = planned.read_plan(decisions, assignments, month + -1)
    making = _Making(root, month, story)
    progress.begin(f"模拟运营商：{month}", f"simulated operator: {month}", making.blocks)
    with writing.Folder(files) as folder:
        delivery = writing.Delivery(folder, month)
        deliver_operator(delivery, making.op, month, first=making.first)
        for block in range(making.blocks):
            making.block(block, delivery, plan)
            progress.advance()
    _made(root, month).write_text(json.dumps({"month": str(month)}) + "\n", encoding="utf-8")
    shutil.rmtree(_states(root, month + -2), ignore_errors=True)
    return writing.in_order(files)


def _states(root: Path, month: Month) -> Path:
    return root / "truth" / "state" / str(month)


def _made(root: Path, month: Month) -> Path:
    return _states(root, month).with_suffix(".json")


@dataclass(frozen=True)
class _Making:
    """One month in the making."""

    root: Path
    month: Month
    story: Story

    def __post_init__(self) -> None:
        if not self.first and not _made(self.root, self.month + -1).exists():
            raise SiteError(
                f"{self.month} cannot be made: {self.month + -1} was not made before it",
                f"无法生成 {self.month}：尚未生成上一账期 {self.month + -1}",
                code="month_order",
            )

    @cached_property
    def site(self) -> Site:
        return open_site(self.root)

    @cached_property
    def op(self) -> World:
        return World(self.story.customers, self.story.seed)

    @property
    def first(self) -> bool:
        return self.month == self.story.first_month

    @property
    def blocks(self) -> int:
        return -(-self.story.customers // BLOCK_CUSTOMERS)

    @cached_property
    def policy(self) -> Policy:
        return read_policy(self.root / "policy", Month.parse(self.story.last))

    @property
    def lots(self) -> tuple[Month, ...]:
        return pilots.lot_months(self.story.first_month, self.story.months)

    def block(self, number: int, delivery: writing.Delivery, plan: Plan) -> None:
        """Let the month pass for one block; write its files, its truth and its state."""
        draws, offers = Draws(self.story.seed, self.month, number), self.policy.offers.offer
        before = self._before(number, draws)
        lines_before = behaviour.lines_key(before)
        done = self._carry_out(before, draws, plan)
        newcomers = None if self.first else self._newcomers(number, draws, len(before))
        c, happened = behaviour.live(self.op, before, draws, newcomers=newcomers, lines_before=lines_before)
        self._draw_lots(c, draws, delivery)
        deliver(delivery, self.op, c, happened, draws=draws, done=done, offers=offers, first=self.first)
        self._save(c, number)

    def _before(self, number: int, draws: Draws) -> Customers:
        """The block at the end of the month before; in the first month its founders."""
        if not self.first:
            return state.restore(_states(self.root, self.month + -1) / _part(number))
        made = people.founders(self.op, draws, count=self._founders(number), first_number=number * BLOCK_NUMBERS + 1)
        people.assign_managers(self.op, made, draws.of("managers"))
        behaviour.remember_troubles(self.op, made, draws)
        return self._named(made)

    def _founders(self, number: int) -> int:
        return min(BLOCK_CUSTOMERS, self.story.customers - number * BLOCK_CUSTOMERS)

    def _newcomers(self, number: int, draws: Draws, so_many: int) -> Customers:
        first_number = number * BLOCK_NUMBERS + 1 + so_many
        founders = self._founders(number)
        return self._named(behaviour.newcomers_of(self.op, draws, founders=founders, first_number=first_number))

    def _named(self, made: Customers) -> Customers:
        """Give customers the pseudonyms the site's key gives them."""
        key = self.site.key()
        numbers = records.customer_no(made.number).tolist()
        made.pseudonym = np.array([pseudonym(key, number) for number in numbers], dtype="int64")
        return made

    def _carry_out(self, c: Customers, draws: Draws, plan: Plan) -> list[tuple[Delivered, str]]:
        """Deliver what was planned, or piloted, for this month."""
        offers, last = self.policy.offers.offer, str(self.month + -1)
        treated = plan.of(c, offers)
        if self.month + -1 in self.lots:
            treated = planned.together(treated, pilots.treated(c, offers, self.month + -1))
        done = [(response.treat(c, treated, offers, draws), last)]
        if not self.first and self.month <= self.lots[0]:
            done.append((pilots.past_campaign(c, draws, leaving.monthly(c, self.month)), last))
        return done

    def _draw_lots(self, c: Customers, draws: Draws, delivery: writing.Delivery) -> None:
        if self.month in self.lots:
            pilots.draw_lots(c, draws, self.policy, leaving.monthly(c, self.month + 1))
            delivery.add("experiments", pilots.experiments(c, self.policy.offers.offer, self.month))

    def _save(self, c: Customers, number: int) -> None:
        """Keep the state, and what is true of everyone who is here."""
        state.save(c, _states(self.root, self.month) / _part(number))
        about, effects = truth.of_customers(self.op, c.take(c.active), self.month, self.policy)
        known = circles.parts(len(c), Draws(self.story.seed, self.month, number))
        first = number * BLOCK_CUSTOMERS  # so that communities of all blocks have numbers of their own
        about |= {name: values[c.active] for name, values in vars(known).items()}
        about["community"] = about["community"] + first
        for name, columns in (("customers", about), ("gains", effects)):
            if not columns:
                continue  # a catalogue without offers gains nothing
            table = writing.truth_table(columns, self.month)
            writing.write_whole(table, self.root / "truth" / name / str(self.month) / _part(number))


def _part(number: int) -> str:
    return f"part-{number:05d}.parquet"

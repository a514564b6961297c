"""Rows of managed customers, a range of customers at a time, as plain dictionaries.

No row carries an arm or anything else that would tell who is held out; what is expected is told in round figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlglot import exp

from keepline import sqlmodel
from keepline.decisions.words import REASONS, STATES
from keepline.engine import Engine, Files, Range, Scan, cut
from keepline.front.answers import answers_of
from keepline.front.publications import Published, Row
from keepline.lake.store import Lake, reading
from keepline.policy.drivers import DRIVERS
from keepline.report.talk import FACTS
from keepline.run import started
from keepline.site import Site
from keepline.tables import TABLES

OF_ACCOUNTS = ("features", "classes", "drivers", "scores", "price_sensitivity", "circles", "decisions")
ACCOUNT_MONTHS = 15  # of bills and usage that one account's pictures show
EVENT_MONTHS = 12


class Front:
    """One published month of one site, open for reading."""

    def __init__(self, site: Site, made: Published, engine: Engine, lake: Lake) -> None:
        self.site = site
        self.made = made
        self._engine = engine
        self._lake = lake

    @classmethod
    @contextmanager
    def opened(cls, site: Site, made: Published) -> Iterator[Front]:
        """With an engine of its own; the lake's files stay while it is read."""
        with reading(site.lake) as lake, started(site) as engine:
            yield cls(site, made, engine, lake)

    def accounts(self) -> Iterator[list[Row]]:
        """Each managed customer's month: facts, class, value, loyalty, risk, the state and offer a seller may see."""
        for rows in self._rows("accounts", published=OF_ACCOUNTS):
            yield [self._told(row) for row in rows]

    def months(self) -> Iterator[list[Row]]:
        """What each paid and used, by month; ``months_ago`` counts from the published month."""
        yield from self._rows("months", lake={"bills": ACCOUNT_MONTHS, "usage": ACCOUNT_MONTHS})

    def lines(self) -> Iterator[list[Row]]:
        yield from self._rows("lines", lake={"lines": None, "plans": None})

    def events(self) -> Iterator[list[Row]]:
        """Contacts and complaints the operator's own files told of."""
        yield from self._rows("events", lake={"contacts": EVENT_MONTHS, "complaints": EVENT_MONTHS})

    def people(self) -> Iterator[list[Row]]:
        """Names and numbers of the customers themselves."""
        yield from self._rows("people", lake={"customers": None, "contact_details": None})

    def places(self) -> set[tuple[str, str]]:
        """Every region and district they are in; a region that is not known is empty."""
        return {(row["region"] or "", row["district"]) for rows in self._rows("places") for row in rows}

    def affiliations(self) -> Iterator[list[Row]]:
        """Which organisation each belongs to now, by the operator's last word."""
        yield from self._rows("affiliations", lake={"affiliations": None})

    def contact_persons(self) -> Iterator[list[Row]]:
        """Who speaks for each, by name and number."""
        yield from self._rows("contact_persons", lake={"contact_persons": None})

    def managers(self) -> list[Row]:
        """Account managers with district, minutes and authority, as of the month."""
        scan = self._lake.scan("managers", self.made.month)
        self._engine.see("managers", scan)
        names = (*TABLES["managers"].names, "months_ago")
        query = exp.select(*names).from_("managers").order_by("manager_id", "months_ago")
        latest: dict[str, Row] = {}
        for row in self._engine.fetch(query).to_pylist():
            latest.setdefault(row["manager_id"], row)
        return list(latest.values())

    def _rows(
        self,
        name: str,
        *,
        published: tuple[str, ...] = ("features",),
        lake: Mapping[str, int | None] | None = None,
    ) -> Iterator[list[Row]]:
        query = sqlmodel.load("keepline.front", name).query
        for part in cut(max(1, self._lake.customers), self.site.settings.range_customers):
            self._see(part, published, lake or {})
            rows: list[Row] = self._engine.fetch(query).to_pylist()
            if rows:
                yield rows

    def _see(self, part: Range, published: tuple[str, ...], lake: Mapping[str, int | None]) -> None:
        for table in published:
            paths = tuple(sorted((self.made.folder / table).glob("part-*.parquet")))
            self._engine.see(table, Scan(TABLES[table], (Files(paths),)), part)
        for table, months in lake.items():
            scan = self._lake.scan(table, self.made.month, months=months)
            whole = "customer_id" not in TABLES[table].names
            self._engine.see(table, scan, None if whole else part)

    def _told(self, row: Row) -> Row:
        """The row with its words: what the state means, why one may leave, what to speak of."""
        state = STATES.get(row["state"] or "")
        codes = [row.pop(f"reason_{place}") for place in (1, 2, 3)]
        facts = [{"code": find.__name__, **fact} for find in FACTS if (fact := find(row)) is not None]
        for name in DRIVERS:  # told in words, as a fact
            row.pop(name)
        answers = answers_of(row)
        return (
            row
            | answers
            | {
                "state_words": {"zh": state.zh, "en": state.en} if state else None,
                "risks": [self._reason(code) for code in codes if code],
                "facts": facts,
            }
        )

    def _reason(self, code: str) -> Row:
        said: Any = self.made.reasons.get(code)
        if said is not None:
            return {"code": code, "zh": said["zh"], "en": said["en"]}
        known = REASONS.get(code)
        return {"code": code, "zh": known.zh if known else code, "en": known.en if known else code}

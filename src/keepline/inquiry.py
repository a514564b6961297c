"""Questions about a published month that change nothing: one customer explained, the report again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from keepline.decisions.explain import Explainer, Explanation, Only
from keepline.errors import KeeplineError, PublicationError
from keepline.jsonfile import damaged, read_json
from keepline.periods import Month
from keepline.policy.published import published_policy
from keepline.publication import MANIFEST, demand, may_write
from keepline.report.page import render
from keepline.site import Site

Version = tuple[int, int] | None
PSEUDONYM = re.compile(r"[0-9]{1,19}")  # as many digits as 62 bits can have


class Inquiry:
    """One published month, opened once and asked about many customers, by several threads if need be.

    A month that is published anew meanwhile is opened again.
    """

    def __init__(self, site: Site, month: Month, *, only: Only | None = None) -> None:
        """``only`` says which columns are looked up, where not all that is known is asked for."""
        self._site, self._month, self._only = site, month, only
        self._opened = self._open()

    def _open(self) -> tuple[Version, Explainer]:
        version, made = self._version(), demand(self._site, self._month)
        policy = published_policy(made.folder / "policy", self._month)
        return version, Explainer(made.folder, month=self._month, policy=policy, only=self._only)

    def _version(self) -> Version:
        """Each publication has a manifest of its own."""
        path = self._site.published(self._month) / MANIFEST
        said = path.stat() if path.exists() else None
        return (said.st_ino, said.st_mtime_ns) if said else None

    def of(self, customer_id: int) -> Explanation | None:
        """Explain a customer by pseudonym; None when the customer is not in the base of the month."""
        version, explainer = self._opened
        if version == self._version():
            try:
                return explainer.explain(customer_id)
            except PublicationError:  # parts that changed under it are those of another publication, or damaged
                if version == self._version():
                    raise
        _, explainer = self._opened = self._open()
        return explainer.explain(customer_id)


def explain_customer(site: Site, customer: str, month: Month) -> Explanation:
    """Explain by the operator's own number, or by pseudonym."""
    inquiry = Inquiry(site, month)
    for customer_id in _candidates(site, customer):
        if (found := inquiry.of(customer_id)) is not None:
            return found
    raise KeeplineError(
        f"customer {customer} is not in the base of {month}: not active that month, or not known",
        f"{month} 的在网客户中没有 {customer}：当月不在网，或编号不存在",
        code="no_customer",
    )


def _candidates(site: Site, customer: str) -> Iterator[int]:
    """The text itself when it is a pseudonym, which asks for no key, then the pseudonym of an operator's number."""
    if PSEUDONYM.fullmatch(customer):
        yield int(customer)
    yield site.pseudonym(customer)


def render_report(site: Site, month: Month, out: Path) -> None:
    """Render a publication's figures again; a place among publications, or no plain file, is refused."""
    made = demand(site, month)
    may_write(site, out)
    found = read_json(path := made.folder / "figures.json")
    if not isinstance(found, dict) or "head" not in found:
        raise damaged(path, "not what a report's figures hold", "内容不是报告的数据")
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    partial.write_text(render(found), encoding="utf-8")
    partial.replace(out)

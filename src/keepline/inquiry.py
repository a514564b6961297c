"""Questions about a published month that change nothing: one customer explained, the report again."""

from __future__ import annotations

import re
from pathlib import Path

from keepline.decisions.explain import Explanation
from keepline.decisions.explain import explain as explain_row
from keepline.errors import KeeplineError
from keepline.jsonfile import damaged, read_json
from keepline.periods import Month
from keepline.policy.documents import read_policy
from keepline.publication import demand, may_write
from keepline.report.page import render
from keepline.run import started
from keepline.site import Site

PSEUDONYM = re.compile(r"[0-9]{1,19}")  # as many digits as 62 bits can have


def explain_customer(site: Site, customer: str, month: Month) -> Explanation:
    """Explain by the operator's own number, or by pseudonym."""
    made = demand(site, month)
    policy = read_policy(made.folder / "policy", month)
    with started(site) as engine:
        for customer_id in _candidates(site, customer):
            found = explain_row(engine, made.folder, customer_id=customer_id, month=month, policy=policy)
            if found is not None:
                return found
    raise KeeplineError(
        f"customer {customer} is not in the base of {month}: not active that month, or not known",
        f"{month} 的在网客户中没有 {customer}：当月不在网，或编号不存在",
        code="no_customer",
    )


def _candidates(site: Site, customer: str) -> list[int]:
    """The pseudonym of an operator's number, then the text itself when it is one."""
    ids = [site.pseudonym(customer)]
    return [*ids, int(customer)] if PSEUDONYM.fullmatch(customer) else ids


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

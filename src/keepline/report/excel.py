"""plan.xlsx: the plan as a workbook a manager can open, sort, work through and fill in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from keepline.engine import Engine
from keepline.periods import Month
from keepline.policy.documents import Offer, Policy
from keepline.report.book import Book, Field, Names, named, open_book, whole_list, yuan
from keepline.report.numbers import Money
from keepline.report.past import offer_name
from keepline.report.past_sheet import write_past
from keepline.report.phrases import binds, ends, in_words
from keepline.report.plan_rows import Planned, planned
from keepline.report.reasons import reason_words
from keepline.report.sheets import head, write_cells
from keepline.report.talk import basis
from keepline.report.tally import Row, Shelf
from keepline.report.words import ANSWERS, ASSUMED, CHANNELS, CLASSES, MEASURED, Words, both, word
from keepline.site import Settings

ROW_HEIGHT = 48
LISTED = 100_000  # customers: what managers work through, never a base


def write_plan(
    engine: Engine,
    folder: Path,
    *,
    figures: dict[str, Any],
    policy: Policy,
    settings: Settings,
    names: Names | None,
    to: Path,
) -> None:
    """Write the treated customers of ``folder`` to ``to``, beyond ``LISTED`` each manager's best; nobody held out.

    ``names`` turns pseudonyms into the operator's own numbers; it is asked when the site wants them shown.
    """
    shown = names if settings.plan_shows == "customer_no" else None
    with open_book(to, figures) as book, planned(Shelf(engine, folder), work=folder.parent, most=LISTED) as plan:
        _read_me(book, plan)
        _plan(book, fields(policy, figures), plan, rows=named(plan.batches(), shown))
        _managers(book, plan)
        _limits(book)
        write_past(book)


def fields(policy: Policy, figures: dict[str, Any]) -> list[Field]:
    """The columns, in the order in which a manager reads: who, what, worth what, why, and what came of it."""
    catalogue = {offer.id: offer for offer in policy.offers.offer}
    assumed = {row["offer_id"]: row["assumed"] for row in figures["plan"]["offers"]}
    reasons = figures["leaving"]["words"]

    def price(row: Row) -> float | None:
        offer: Offer | None = catalogue.get(row["offer_id"])
        return offer.price_fen / 100 if offer else None

    def why(place: str) -> Callable[[Row], Any]:
        return lambda row: reason_words(row[place], reasons) if row[place] else None

    who = [
        Field(both("客户", "Customer"), 22, "text", lambda r: r["customer"]),
        Field(both("客户经理", "Manager"), 12, "text", lambda r: r["manager_id"]),
        Field(both("区县", "District"), 12, "text", lambda r: r["district"]),
        Field(both("客户分类", "Class"), 14, "text", lambda r: word(CLASSES, r["class"]) if r["class"] else None),
    ]
    when = [Field(both("周次", "Week"), 8, "whole", lambda r: r["week"])] if policy.limits.weeks else []
    what = [
        Field(both("优惠", "Offer"), 26, "text", lambda r: offer_name(policy.offers, r["offer_id"])),
        Field(both("渠道", "Channel"), 16, "text", lambda r: word(CHANNELS, r["channel"])),
        Field(both("月费", "Price a month"), 11, "money", price),
        Field(both("预期净增毛利", "Expected net margin"), 13, "money", lambda r: yuan(r["gain_fen"])),
        Field(both("成本", "Cost"), 11, "money", lambda r: yuan(r["cost_fen"])),
        Field(both("效果来自", "Effect is"), 11, "text", lambda r: _source(assumed.get(r["offer_id"]))),
    ]
    reason = [Field(both(f"离网风险原因 {i}", f"Risk reason {i}"), 28, "text", why(f"reason_{i}")) for i in (1, 2, 3)]
    talk = [
        Field(
            both("账期末合约剩余月数", "Contract months left at month end"),
            11,
            "whole",
            lambda r: r["contract_months_left"],
        ),
        Field(both("沟通依据", "What to speak of"), 36, "text", basis),
    ]
    return [*who, *when, *what, *reason, *talk, *_to_bring_back(figures["head"]["month"]), *_to_fill_in()]


def _to_fill_in() -> list[Field]:
    return [
        Field(both("完成日期", "Done on"), 13, "fill_date", lambda _: None),
        Field(both("客户答复", "Answer"), 20, "fill", lambda _: None),
        Field(both("备注", "Note"), 28, "fill", lambda _: None),
        Field(both("下次日期", "Next date"), 13, "fill_date", lambda _: None),
    ]


def _to_bring_back(month: str) -> list[Field]:
    """What a filled-in plan needs to be loaded as proof of delivery; see ``filled_plan.toml``."""
    return [
        Field(both("方案账期", "Plan month"), 11, "text", lambda _: month),
        Field(both("优惠编号", "Offer id"), 20, "text", lambda r: r["offer_id"]),
    ]


def _source(assumed: bool | None) -> Words | None:
    return None if assumed is None else (ASSUMED if assumed else MEASURED)


def _plan(book: Book, columns: list[Field], plan: Planned, *, rows: Iterator[Row]) -> None:
    sheet = book.sheet("方案 Plan", _title(plan))
    first = head(sheet, [(c.name, c.width) for c in columns], freeze_columns=1)
    last = first + max(plan.listed, 1) - 1
    _rules(sheet.page, columns, first=first, last=last, month=book.figures["head"]["month"])
    for at, row in enumerate(rows, start=first):
        sheet.page.set_row(at, ROW_HEIGHT)
        write_cells(sheet, at, [(c.value(row), c.style) for c in columns])


def _title(plan: Planned) -> Words:
    if plan.each is None:
        return both("客户方案", "Customer plan")
    return both(
        f"客户方案：共 {plan.count:,} 户，此处列出 {plan.listed:,} 户，每位经理至多 {plan.each:,} 户",
        f"Customer plan: {plan.listed:,} of {plan.count:,} customers, at most {plan.each:,} of each manager",
    )


def _rules(page: Any, columns: list[Field], *, first: int, last: int, month: str) -> None:
    """Filters, the list of answers, and dates that are dates."""
    page.autofilter(first - 1, 0, last, len(columns) - 1)
    answers = [f"{said['zh']} {said['en']}" for said in ANSWERS.values()]
    at = {column.name["en"]: place for place, column in enumerate(columns)}
    page.data_validation(
        first,
        at["Answer"],
        last,
        at["Answer"],
        {
            "validate": "list",
            "source": answers,
            "error_title": "请从列表中选择",
            "error_message": "Choose from the list",
        },
    )
    date = {
        "validate": "date",
        "criteria": ">=",
        "value": Month.parse(month).first_day,
        "error_title": "请填写日期",
        "error_message": "A date such as 2026-11-05",
    }
    for name in ("Done on", "Next date"):
        page.data_validation(first, at[name], last, at[name], date)


def _read_me(book: Book, plan: Planned) -> None:
    sheet = book.sheet("说明 Read me", both("使用说明", "How to use this file"))
    sheet.page.set_column(0, 0, 30)
    sheet.page.set_column(1, 1, 100)
    for place, (name, said) in enumerate(_notes(book.figures, plan), start=sheet.next_row):
        sheet.page.set_row(place, 52)
        write_cells(sheet, place, [(name, "bold"), (said, "text")])


def _notes(figures: dict[str, Any], plan: Planned) -> list[tuple[Words, Words]]:
    said = figures["head"]
    assumed = [row["name"] for row in figures["plan"]["offers"] if row["assumed"]]
    publication = str(said["publication_id"] or "--")[:16]
    notes = [
        (both("账期与发布号", "Month and publication"), both(f"{said['month']} · {publication}", said["currency"])),
        (both("方案客户", "Customers in the plan"), both(f"{plan.count:,} 户", f"{plan.count:,}")),
        *_part_note(plan, said["month"]),
        (
            both("如何填写", "How to fill in"),
            both(
                "联系后填写完成日期，从列表选择客户答复，必要时写备注与下次日期；其余各列请勿改动。"
                "客户要求不再联系的，请在客户资料中列入黑名单（customers.blacklisted），本表不会改动它。",
                "After the contact enter the date, choose the answer from the list, add a note and the next date; "
                "leave the other columns as they are. Who wants no contact at all must be put on the blacklist in your "
                "customer records (customers.blacklisted); this file does not change it.",
            ),
        ),
        (
            both("交回", "Bring back"),
            both(
                "填好后另存，用 keepline intake load 载入（映射 intake/plan.toml）；下月报告据此衡量成效。",
                "Save the filled-in file and load it with keepline intake load (mapping intake/plan.toml); the next "
                "report measures by it what the plan earned.",
            ),
        ),
        (
            both("顺序", "Order"),
            both("按客户经理，再按预期净增毛利从高到低。", "By manager, then by expected net margin, the most first."),
        ),
        (
            both("预期净增毛利", "Expected net margin"),
            both(
                "有优惠与没有优惠相比预期多得的毛利，减去预期成本；是平均意义上的预期，不是对单个客户的承诺。",
                "Margin expected with the offer less without it, less its cost; an expectation on average, no promise "
                "about one customer.",
            ),
        ),
    ]
    return [*notes, *_whole_note(figures["plan"], Money(said["currency"])), *_assumed_note(assumed), *_data_note(said)]


def _whole_note(plan: dict[str, Any], money: Money) -> list[tuple[Words, Words]]:
    """What the whole plan is expected to earn, with its interval or why there is none."""
    if not plan["customers"]:
        return []
    gain, sure, unsure = money.short(plan["gain_fen"]), ends(plan, money), plan.get("unsure") or both("", "")
    why = both(f"；{unsure['zh']}" if unsure["zh"] else "", f"; {unsure['en']}" if unsure["en"] else "")
    whole = both(f"{gain['zh']}{sure['zh']}{why['zh']}", f"{gain['en']}{sure['en']}{why['en']}")
    return [(both("全部预期净增毛利", "Expected of the whole plan"), whole)]


def _part_note(plan: Planned, month: str) -> list[tuple[Words, Words]]:
    if plan.each is None:
        return []
    whole = whole_list("plan", month)
    return [
        (
            both("未全部列出", "Not all are listed"),
            both(
                f"为便于使用，本表列出 {plan.listed:,} 户："
                f"每位客户经理（及无客户经理者）收益最高的至多 {plan.each:,} 户。{whole['zh']}",
                f"So that it can be worked with, this file lists {plan.listed:,}: of each manager, and of those "
                f"without one, at most the {plan.each:,} who gain most; {whole['en']}",
            ),
        )
    ]


def _assumed_note(assumed: list[Words]) -> list[tuple[Words, Words]]:
    if not assumed:
        return []
    zh, en = "、".join(name["zh"] for name in assumed), ", ".join(name["en"] for name in assumed)
    return [
        (
            both("假设", "Assumed"),
            both(
                f"{zh}：效果来自政策中的假设，未经试点实测。",
                f"{en}: the effect is an assumption of policy, not measured.",
            ),
        )
    ]


def _data_note(said: dict[str, Any]) -> list[tuple[Words, Words]]:
    noted = said["data_note"]
    return [(both("数据说明", "About the data"), noted)] if noted["zh"] or noted["en"] else []


def _managers(book: Book, plan: Planned) -> None:
    """What each manager has before them, in figures; nothing of anyone who is not in the plan."""
    sheet = book.sheet("按经理 By manager", both("按客户经理汇总", "Summary by manager"))
    columns = [
        (both("客户经理", "Manager"), 18),
        (both("区县", "District"), 14),
        (both("客户数", "Customers"), 12),
        (both("预期净增毛利", "Expected net margin"), 18),
        (both("成本", "Cost"), 14),
        (both("占用分钟", "Minutes planned"), 14),
        (both("可用分钟", "Minutes available"), 14),
        *([(both("本表列出", "Listed here"), 12)] if plan.each else []),
    ]
    first = head(sheet, columns, freeze_columns=1)
    rows = [row for row in book.figures["plan"]["managers"] if row["customers"]]
    for place, row in enumerate(rows, start=first):
        who = row["manager_id"] or both("无客户经理", "no account manager")
        cells = [(who, "text"), (row["district"], "text"), (row["customers"], "whole")]
        cells += [(yuan(row["gain_fen"]), "money"), (yuan(row["cost_fen"]), "money")]
        cells += [(row["minutes"], "whole"), (row["available"], "whole")]
        cells += [(min(row["customers"], plan.each), "whole")] if plan.each else []
        write_cells(sheet, place, cells)
    if rows:
        sheet.page.autofilter(first - 1, 0, first + len(rows) - 1, len(columns) - 1)


def _limits(book: Book) -> None:
    """Each limit of the plan: what there is, what is used, and what more of it would earn."""
    sheet = book.sheet("资源 Limits", both("资源与影子价格", "Limits and shadow prices"))
    columns = [
        (both("资源", "Limit"), 30),
        (both("可用", "Available"), 14),
        (both("已用", "Used"), 14),
        (both("占比", "Share"), 10),
        (both("再多一单位（工时按小时）的价值", "Worth of one more unit (an hour for minutes)"), 18),
        (both("多一成至多多得", "A tenth more earns at most"), 18),
        (both("说明", "In words"), 70),
    ]
    first, money = head(sheet, columns, freeze_columns=1), Money(book.figures["head"]["currency"])
    for place, row in enumerate(book.figures["limits"], start=first):
        amounts = [_means(row, row["available"]), _means(row, row["used"]), (row["share"], "share")]
        more = [(_one_more(row), "money"), (yuan(row.get("tenth_fen")), "money")]
        write_cells(sheet, place, [(row["name"], "text"), *amounts, *more, (in_words(row, money), "text")])


def _means(row: Row, amount: int | None) -> tuple[Any, str]:
    return (yuan(amount), "money") if row["unit"] == "fen" else (amount, "whole")


def _one_more(row: Row) -> float | None:
    """In the currency; money is priced by the unit of itself. Nothing where the limit does not bind."""
    if not binds(row):
        return None
    return float(row["shadow_price"]) if row["kind"] == "money" else yuan(row["shadow_price"])

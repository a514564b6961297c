"""A draft mapping for a stranger's file: guessed from headers and values, every line explained, guesses marked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from keepline.columns import Personal
from keepline.lake.drafting import MONTH_UNKNOWN, Line, section
from keepline.lake.layout import Layout, layout
from keepline.lake.mapping import Bounds
from keepline.lake.opening import look
from keepline.lake.readers import reader
from keepline.lake.sniffing import Looks, looks
from keepline.lake.synonyms import COMPONENT, CUSTOMER, MONTH, PERSONAL, SYNONYMS, YES, Synonym, code_for, unit_in
from keepline.lake.units import UNIT_WORDS, dimension
from keepline.lake.values import tidy
from keepline.tables import TABLES

SAMPLE = 2000
_IN_NAME = re.compile(r"(20\d{2}[-_]?(?:0[1-9]|1[0-2]))")
_SUFFIX = re.compile(r"^(.*?)[_\-]?(20\d{4}|\d{1,2})$")
INTRODUCTION = """# 映射草稿：{file}。逐行核对；标有【请确认】的是猜测，改好后删去该标记。
# Draft mapping for {file}. Read every line; those marked CONFIRM are guesses.
# 用法 then: keepline intake check {file} --site SITE --mapping 本文件 this file
# 各项含义见 words explained in docs/howto/intake.md"""


@dataclass
class Draft:
    """What has been guessed so far."""

    file: Path
    written: Layout
    columns: list[Looks]
    who: Looks
    month: Looks | None
    taken: set[str] = field(default_factory=set)
    found: dict[tuple[str, str], tuple[Looks, Synonym]] = field(default_factory=dict)

    def free(self) -> Iterable[Looks]:
        return (column for column in self.columns if column.name not in self.taken)


def suggest(file: Path) -> str:
    """The text of a draft mapping for the file; Chinese or English headers. Raises IntakeError as load would."""
    written = layout(file)
    columns = _sample(file, written)
    who, month = _who(columns), _first(columns, MONTH)
    draft = Draft(file, written, columns, who, month, {who.name} | ({month.name} if month else set()))
    for synonym in SYNONYMS:
        if synonym.table != "contact_persons" or _tells_roles(draft):
            _find(draft, synonym)
    lines = [INTRODUCTION.format(file=file.name), *_match(file), *_source(draft), *_tables(draft)]
    return "\n".join(lines) + "\n"


def _sample(file: Path, written: Layout) -> list[Looks]:
    source, bounds = written.source, Bounds()
    rows = reader(look(file, source, bounds), source, bounds)
    batch = next(iter(rows.batches()), None)
    if batch is None:
        return [looks(name, pa.array([], pa.string())) for name in rows.header if name.strip()]
    return [looks(name, batch.column(i).slice(0, SAMPLE)) for i, name in enumerate(rows.header) if name.strip()]


def _who(columns: list[Looks]) -> Looks:
    """The column that names the customer: by its header, else the first whose values never repeat."""
    for pattern in CUSTOMER:
        found = _first(columns, pattern)
        if found:
            return found
    return next((column for column in columns if column.unique), columns[0])


def _first(columns: list[Looks], pattern: str) -> Looks | None:
    return next((c for c in columns if re.search(pattern, tidy(c.name), re.IGNORECASE)), None)


def _find(draft: Draft, synonym: Synonym) -> None:
    place = (synonym.table, synonym.column)
    if place in draft.found:
        return
    for column in draft.free():
        if synonym.pattern.search(tidy(column.name)) and column.is_a(synonym.kind):
            draft.found[place] = (column, synonym)
            draft.taken.add(column.name)
            return


def _tells_roles(draft: Draft) -> bool:
    """A file that says who decides is about contact persons; any other one's names are the customers' own."""
    role = next(synonym for synonym in SYNONYMS if (synonym.table, synonym.column) == ("contact_persons", "role"))
    return any(role.pattern.search(tidy(column.name)) for column in draft.columns)


def _match(file: Path) -> list[str]:
    pattern = re.sub(r"\d{4,}([-_]?\d{2})*", "*", file.name)
    return ["", "[match]", f"files = [{text(pattern)}]  # 本映射适用的文件名 names this mapping is for"]


def text(said: str) -> str:
    """A TOML string."""
    return json.dumps(said, ensure_ascii=False)


def _tables(draft: Draft) -> list[str]:
    wide = _wide(draft)
    if wide:
        return wide
    makers = (_customers, _affiliations, _contact_persons, _contact_details, _bills, _usage, _payments, _survey,
              _departures, _attributes)  # fmt: skip
    return [line for make in makers for line in make(draft)]


def _key(draft: Draft) -> list[Line]:
    how = ', as = "phone"' if draft.who.phone else ""
    said = f"{{ from = {text(draft.who.name)}{how} }}" if how else text(draft.who.name)
    sure = draft.who.unique or draft.month is not None
    return [Line("customer_id", said, "客户编号，入库时变为假名", "their number; becomes a pseudonym", sure)]


def _source(draft: Draft) -> list[str]:
    """What holds for the whole file: its sheet, the row of names and the month, said once."""
    said, lines = draft.written.source, []
    if said.sheet:
        others = ", ".join(draft.written.other_sheets)
        lines.append(
            Line("sheet", text(said.sheet), f"工作表；另有 {others}", f"sheet; there are also {others}", False)
        )
    if said.header_row > 1:
        lines.append(Line("header_row", str(said.header_row), "表头所在行", "row that bears the names", False))
    return ["", "[source]", *(line.text() for line in [*lines, _month(draft)])]


def _month(draft: Draft) -> Line:
    if draft.month:
        return Line("month", f"{{ from = {text(draft.month.name)} }}", "账期", "billing month", True)
    if _IN_NAME.search(draft.file.name):
        pattern = r"(20\d{2}[-_]?\d{2})"
        return Line("month", f"{{ file_name = {text(pattern)} }}", "账期取自文件名", "month from the file name", False)
    said = "文件中没有账期：请写明，如 2026-10"
    return Line("month", text(MONTH_UNKNOWN), said, "no month in the file: write it, e.g. 2026-10", False)


def _guessed(draft: Draft, table: str) -> list[Line]:
    found = [(column, pair) for (name, column), pair in draft.found.items() if name == table]
    return [_line(table, column, *pair) for column, pair in found]


def _line(table: str, column: str, theirs: Looks, synonym: Synonym) -> Line:
    declared = TABLES[table].column(column)
    hidden = declared.personal in (Personal.RESTRICTED, Personal.PSEUDONYM)
    shown = "" if hidden else "、".join(theirs.words[:3])
    said, named = text(theirs.name), True
    if synonym.unit and declared.type == "DATE":
        said, named = f'{{ from = {said}, ago = {{ unit = "{synonym.unit}" }} }}', False
    elif declared.type == "DATE" and theirs.day_form:
        said, named = f"{{ from = {said}, dates = [{text(theirs.day_form)}] }}", False
    elif kind := dimension(declared.unit):
        fits = frozenset(word for word, (of, _) in UNIT_WORDS.items() if of == kind)
        unit, named = unit_in(theirs.name, synonym.unit, fits)
        said = f'{{ from = {said}, unit = "{unit}" }}'
    elif declared.allowed:
        codes = ", ".join(f'{text(word)} = "{code_for(word, declared.allowed)}"' for word in theirs.words)
        said, named = f"{{ from = {said}, codes = {{ {codes} }} }}", False
    return Line(column, said, f"{declared.zh}；例 {shown}", declared.en, named)


def _customers(draft: Draft) -> list[str]:
    return section("customers", [*_key(draft), *_guessed(draft, "customers")])


def _affiliations(draft: Draft) -> list[str]:
    """The number of the organisation right above becomes a pseudonym like the customer's own."""
    found = _guessed(draft, "affiliations")
    return section("affiliations", [_key(draft)[0], *found]) if found else []


def _contact_persons(draft: Draft) -> list[str]:
    """Who speaks for an organisation; told apart by name where the operator has no number for them."""
    found = _guessed(draft, "contact_persons")
    named = draft.found.get(("contact_persons", "name"))
    if not found or named is None:
        return []
    apart = Line("person_no", text(named[0].name), "区分同一单位的联系人", "tells its contact persons apart", False)
    return section("contact_persons", [_key(draft)[0], apart, *found])


def _contact_details(draft: Draft) -> list[str]:
    """Names and telephones of customers go to a restricted table."""
    found = _guessed(draft, "contact_details")
    return section("contact_details", [_key(draft)[0], *found]) if found else []


COMPONENTS = ("recurring", "overage", "roaming", "value_added", "discount")


def _bills(draft: Draft) -> list[str]:
    """Items side by side as components; a total alone as recurring, less the items that are known."""
    total = draft.found.get(("bills", "total"))
    items = {name: draft.found[("bills", name)][0] for name in COMPONENTS if ("bills", name) in draft.found}
    coded = _coded_bills(draft, total[0] if total else None)
    if coded:
        return coded
    if not items and total is None:
        return ["", "# 未找到账单金额列：账单必不可少 no column of billed amounts was found; bills are required"]
    rows = [_amount(name, text(column.name), [column]) for name, column in items.items()]
    if total and re.search("平均|均消费|avg|mean", total[0].name, re.IGNORECASE):
        draft.taken -= {column.name for column in items.values()}
        rows = [_average(_amount("recurring", text(total[0].name), [total[0]]))]
    elif total and "recurring" not in items:
        less = [text(column.name) for name, column in items.items() if name != "discount"]
        said = f"sum = [{text(total[0].name)}], less = [{', '.join(less)}]" if less else text(total[0].name)
        rows.insert(0, _amount("recurring", said, [total[0], *items.values()]))
    elif total:
        draft.taken.discard(total[0].name)
    long = ["[table.long]", 'into = "component"', 'value = "amount_fen"', "[table.long.rows]"]
    return [*section("bills", _key(draft)), *long, *(row.text() for row in rows)]


def _amount(component: str, said: str, columns: list[Looks]) -> Line:
    unit, named = unit_in(columns[0].name, "yuan", frozenset(["yuan", "fen", "wan_yuan"]))
    where = said if said.startswith("sum") else f"from = {said}"
    negate = ", negate = true" if component == "discount" else ""
    shown = "、".join(columns[0].words[:3])
    sure = named and not said.startswith("sum")
    return Line(component, f'{{ {where}, unit = "{unit}"{negate} }}', f"账目；例 {shown}", "what was billed", sure)


def _average(line: Line) -> Line:
    """An average over months stands in for the month's bill, which is for the user to allow."""
    return replace(
        line,
        zh=f"平均值，当作本账期账单；{line.zh}",
        en=f"an average, taken as the bill of the month; {line.en}",
        sure=False,
    )


def _coded_bills(draft: Draft, total: Looks | None) -> list[str]:
    """One row an item: a column of codes names the component."""
    named = _first(draft.columns, COMPONENT)
    if named is None or total is None or not named.code:
        return []
    draft.taken.add(named.name)
    codes = ", ".join(f'{text(word)} = "recurring"' for word in named.words)
    component = Line(
        "component",
        f"{{ from = {text(named.name)}, codes = {{ {codes} }} }}",
        "账目代码逐一对应",
        "match each code",
        False,
    )
    amount = _amount("amount_fen", text(total.name), [total])
    return section("bills", [*_key(draft), component, amount])


def _usage(draft: Draft) -> list[str]:
    found = _guessed(draft, "usage")
    return section("usage", [*_key(draft), *found]) if found else []


def _payments(draft: Draft) -> list[str]:
    found = _guessed(draft, "payments")
    return section("payments", [*_key(draft), *found]) if found else []


def _survey(draft: Draft) -> list[str]:
    """Questions side by side; the best possible answer is guessed from the largest one seen."""
    found = {name: pair[0] for (table, name), pair in draft.found.items() if table == "survey_answers"}
    if not found:
        return []
    most = next((m for m in (5, 10, 100) if max(c.largest for c in found.values()) <= m), 100)
    scale = Line("scale_max", f"{{ constant = {most}.0 }}", "满分", "best possible answer", False)
    long = ["[table.long]", 'into = "question"', 'value = "score"', "[table.long.rows]"]
    rows = [Line(name, text(c.name), f"得分；例 {'、'.join(c.words[:3])}", "score", True) for name, c in found.items()]
    return [*section("survey_answers", [*_key(draft), scale]), *long, *(row.text() for row in rows)]


def _departures(draft: Draft) -> list[str]:
    """A column that says who left; the month of leaving is for the user to say."""
    found = draft.found.get(("departures", "month"))
    if found is None:
        return [
            "",
            "# 未找到离网标识：没有离网记录就无法学习离网 no column says who left; leaving cannot be learnt without",
        ]
    yes = next((word for word in found[0].words if tidy(word).lower() in YES), "是")
    when = f"when = [{{ column = {text(found[0].name)}, is = {text(yes)} }}]"
    month = Line("month", f'{{ constant = "{MONTH_UNKNOWN}" }}', "离网发生的账期", "month they left in", False)
    kind = Line("kind", '{ constant = "left" }', "离网方式", "left, port_out or silent", False)
    return section("departures", [_key(draft)[0], month, kind], [when])


def _attributes(draft: Draft) -> list[str]:
    """Everything else that is a number or one of a few codes is kept as a further fact."""
    left = [column for column in draft.free() if not re.search(COMPONENT, tidy(column.name), re.IGNORECASE)]
    facts = [c for c in left if c.distinct > 1 and not _personal(c)]
    numbers = [c.name for c in facts if c.number]
    codes = [c.name for c in facts if c.code and not c.number]
    dropped = [c.name for c in left if c.name not in numbers and c.name not in codes]
    lines = [f"# 未采用 not used: {', '.join(dropped)}"] if dropped else []
    if not numbers and not codes:
        return ["", *lines] if lines else []
    body = ["[table.attributes]", *_list("numbers", numbers), *_list("codes", codes)]
    return [*section("attributes", _key(draft)), *body, *lines]


def _personal(column: Looks) -> bool:
    """Names someone, by its header or because every value is a telephone number."""
    return column.phone or re.search(PERSONAL, tidy(column.name), re.IGNORECASE) is not None


def _list(name: str, found: list[str]) -> list[str]:
    return [f"{name} = [", *(f"    {text(each)}," for each in found), "]"] if found else []


def _wide(draft: Draft) -> list[str]:
    """A file with months side by side: stems that come with the same endings."""
    stems: dict[str, list[str]] = {}
    for column in draft.columns:
        if (found := _SUFFIX.match(column.name)) and found[1]:
            stems.setdefault(column.name[: -len(found[2])], []).append(found[2])
    endings = max((tuple(ends) for ends in stems.values() if len(ends) > 1), key=len, default=())
    alike = [stem for stem, ends in stems.items() if tuple(ends) == endings]
    if len(alike) < 3:
        return []
    return _wide_tables(draft, alike, endings)


def _wide_tables(draft: Draft, stems: list[str], endings: tuple[str, ...]) -> list[str]:
    months = ", ".join(f'"{end}" = "{_month_of(end)}"' for end in endings)
    wide = [f"wide = {{ months = {{ {months} }} }}  # 【请确认】表头后缀对应的账期 CONFIRM month of each ending"]
    who = Line("customer_id", text(draft.who.name), "客户编号", "their number", draft.who.unique)
    found: dict[str, list[Line]] = {}
    for synonym in SYNONYMS:
        stem = next((s for s in stems if synonym.pattern.search(s.rstrip("_-"))), None)
        if stem and synonym.table in ("bills", "usage", "payments"):
            stems = [s for s in stems if s != stem]
            found.setdefault(synonym.table, []).append(_wide_line(synonym, stem))
    lines = section("customers", [who])
    for table, columns in found.items():
        extra = (
            [Line("component", '{ constant = "recurring" }', "账目", "component", False)] if table == "bills" else []
        )
        lines += section(table, [who, *extra, *columns[: 1 if table == "bills" else None]], wide)
    rest = ", ".join(stem + "{}" for stem in stems)
    return [*lines, *_departures(draft), f"# 未采用 not used: {rest}"]


def _month_of(ending: str) -> str:
    return f"{ending[:4]}-{ending[4:]}" if len(ending) == 6 else MONTH_UNKNOWN


def _wide_line(synonym: Synonym, stem: str) -> Line:
    column = "amount_fen" if synonym.table == "bills" else synonym.column
    kind = dimension(TABLES[synonym.table].column(column).unit)
    fits = frozenset(word for word, (of, _) in UNIT_WORDS.items() if of == kind)
    unit, named = unit_in(stem, synonym.unit, fits)
    said = f'{{ from = {text(stem + "{}")}, unit = "{unit}" }}' if kind else text(stem + "{}")
    declared = TABLES[synonym.table].column(column)
    return Line(column, said, declared.zh, declared.en, named)

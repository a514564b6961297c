"""A month is merged in pieces that fit the memory, with the same rows as at once."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.small_intake import BILLS, FREE, HEAD, Intake, phones, row
from keepline.engine import ID_SPACE
from keepline.lake import merging, staging
from keepline.lake.filereport import Counts
from keepline.lake.pieces import in_blocks, lay, ranges
from keepline.lake.store import open_lake


@pytest.fixture
def here(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "site")


def test_a_month_in_several_ranges_of_customers_is_the_same_as_in_one(
    here: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Intake(tmp_path / "other")
    rows = [row(phone, amount=str(i)) for i, phone in enumerate(phones(60))]
    first = here.bills(*rows[:40])
    whole = here.bills(*rows[20:], row(phones(1)[0], amount="7"))
    monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", 10)
    assert other.bills(*rows[:40]).counts == first.counts
    assert other.bills(*rows[20:], row(phones(1)[0], amount="7")).counts == whole.counts
    assert other.rows("bills") == here.rows("bills")
    assert whole.counts == Counts(read=41, loaded=20, updated=1, unchanged=20)


TWO = "[[table]]" + BILLS.split("[[table]]")[1].replace("recurring", "overage").replace("金额", "超套")


def test_what_one_section_of_a_file_brought_stays_where_the_next_brings_nothing(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", 10)
    here.maps(bills=BILLS + TWO + FREE)
    head = HEAD + ",超套\n"
    for amount in (5, 6):
        text = "".join(f"{phone},2026-09,{amount},1\n" for phone in phones(40))
        here.load("bills.csv", head + text)
    amounts = here.values("bills", "amount_fen")
    assert sorted(amounts) == [100] * 40 + [600] * 40


def test_lines_merged_by_their_number_lie_in_the_order_of_customers(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", 20)
    here.maps(lines='[match]\nfiles = ["lines*"]\n[[table]]\nname = "lines"\nidentity = true\n' + FREE)
    head = "line_id,customer_id,month,product,started_on\n"
    step = ID_SPACE // 200
    text = "".join(f"{step * i + 1},{step * (i * 37 % 200) + 1},2026-09,mobile,2020-01-01\n" for i in range(200))
    assert here.load("lines.csv", head + text).counts.loaded == 200
    here.load("lines2.csv", head + f"{step * 3 + 1},{step * 111 + 1},2026-09,fixed,2020-01-01\n")
    found = here.rows("lines")
    assert [row["customer_id"] for row in found] == sorted(row["customer_id"] for row in found)
    assert len({row["line_id"] for row in found}) == 200
    assert sum(row["product"] == "fixed" for row in found) == 1


def test_one_late_row_is_merged_with_little_of_its_month_in_memory(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    *many, late = phones(201)
    here.bills(*(row(phone) for phone in many))
    monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", 20)
    held, read = [], merging.read_rows

    def watched(*given: Any, **how: Any) -> pa.Table:
        rows = read(*given, **how)
        held.append(rows.num_rows)
        return rows

    monkeypatch.setattr(merging, "read_rows", watched)
    assert here.bills(row(late)).counts.loaded == 1
    assert len(here.rows("bills")) == 201
    assert sum(held) == 200
    assert max(held) < 50


IDENTITY = '[match]\nfiles = ["{table}-*"]\n[[table]]\nname = "{table}"\nidentity = true\n' + FREE
EVENTS = {  # header, and a row by number, customer and month; of all but the last two rows may move between months
    "contacts": (
        "contact_id,customer_id,month,contacted_on,channel,direction,purpose",
        "C{n:04d},{who},{month},{month}-03,sms,out,care",
    ),
    "complaints": (
        "complaint_id,customer_id,month,opened_on,category,severity",
        "客诉{n:04d},{who},{month},{month}-03,billing,2",
    ),
    "deliveries": (
        "customer_id,month,plan_month,offer_id,channel,delivered_on",
        "{who},{month},2026-06,offer{n},sms,{month}-03",
    ),
    "referrals": ("customer_id,month,referrer_id", "{n}7,{month},{who}"),
    "promises": (
        "promise_id,customer_id,month,promised_on,due_on,kept",
        "p-{n:04d},{who},{month},{month}-03,{month}-20,true",
    ),
    "approvals": (
        "approval_id,customer_id,month,plan_month,offer_id,planned,price_fen,decision",
        "审{n:04d},{who},{month},{month},offer,true,{n}00,approved",
    ),
    "lines": ("line_id,customer_id,month,product,started_on", "{line},{who},{month},mobile,2020-01-01"),
    "experiments": ("experiment_id,customer_id,month,offer_id,arm", "pilot{n},{who},{month},offer,treated"),
}


def loads(table: str) -> list[str]:
    """Three files: the second changes some rows of the first and moves others to another month, the third one row."""
    head, line = EVENTS[table]
    lot = random.Random(7)
    rows = {
        n: (ID_SPACE // 90 * (n * 37 % 80) + 5, f"2026-0{lot.choice((6, 7, 8))}") for n in lot.sample(range(1000), 80)
    }
    again = {n: (who, lot.choice(("2026-08", "2026-09"))) for n, (who, _) in lot.sample(sorted(rows.items()), 30)}

    def row(n: int, who: int, month: str) -> str:
        return line.format(n=n, who=who, month=month, line=ID_SPACE // 1000 * n + 3)

    first, (who, month) = next(iter(rows.items()))
    odd = [row(first, who, month), row(2000, 7, "2035-01"), row(2001, 8, "2026-08"), row(2001, 9, "2026-08")]
    one = {n: (who, "2026-05") for n, (who, _) in lot.sample(sorted(rows.items()), 1)}
    return [
        "\n".join([head, *(row(n, *rest) for n, rest in file.items()), *more, ""])
        for file, more in ((rows, odd), (again, odd[:2]), (one, []))
    ]


@pytest.mark.parametrize("table", EVENTS)
def test_what_may_move_between_months_is_the_same_to_the_byte_in_pieces(
    here: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    other = Intake(tmp_path / "other")
    found = []
    for site, rows in ((here, 2_000_000), (other, 9)):
        monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", rows)
        monkeypatch.setattr("keepline.lake.shelf.GROUP_ROWS", 7)
        site.maps(**{table: IDENTITY.format(table=table)})
        told = [site.load(f"{table}-{i}.csv", text) for i, text in enumerate(loads(table))]
        files = {(f.month, f.rows, f.sha256) for f in open_lake(site.site.lake).versions() if f.table == table}
        found.append(([(report.counts, report.months, report.verdict) for report in told], files))
    assert found[0] == found[1]
    (first, second, third), files = found[1]
    assert (first[0].read, first[0].ignored, third[0].read) == (84, 1, 1)
    assert first[0].loaded in (80, 82)  # of rows that clash none is loaded, but where the customer is of the key
    assert "2035-01" not in {month for month, _, _ in files}
    if table not in ("lines", "experiments"):
        assert second[0].loaded == 0
        assert sum(rows for _, rows, _ in files) == first[0].loaded


def test_customers_known_to_nobody_and_those_long_gone_are_found_in_pieces(
    here: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Intake(tmp_path / "other")
    people, told = phones(90), []
    gone = '[[table]]\nname = "departures"\n[table.columns]\ncustomer_id = { from = "手机号", as = "phone" }\n'
    left = '[match]\nfiles = ["gone*"]\n' + gone + 'month = "账期"\nkind = { constant = "left" }\n' + FREE
    for site, rows in ((here, 2_000_000), (other, 9)):
        monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", rows)
        site.maps(gone=left)
        site.load("customers.csv", "手机号,账期\n" + "".join(f"{phone},2026-01\n" for phone in people[:60]))
        site.load(
            "gone.csv", "手机号,账期\n" + "".join(f"{phone},2025-0{i % 9 + 1}\n" for i, phone in enumerate(people[:20]))
        )
        report = site.bills(*(row(phone) for phone in people))
        told.append((report.counts, report.rules))
    assert told[0] == told[1]
    assert told[1][1]["unknown_customer"] == 30
    assert told[1][1]["closed_customer"] == 20


def test_numbers_that_differ_by_case_alone_are_found_wherever_their_pseudonyms_lie(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", 5)
    plain = BILLS.replace(', as = "phone"', "").replace("[[table]]", '[rules]\nkey_case = "set_aside"\n[[table]]')
    here.maps(bills=plain + FREE)
    many = [f"AB{i:03d}" for i in range(40)]
    report = here.bills(*(row(number) for number in (*many, *(number.lower() for number in many[:12]))))
    assert report.rules == {"key_case": 24}
    assert report.counts.loaded == 28


def test_rows_laid_in_order_keep_the_order_of_those_that_are_equal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", 100)
    path, lot = tmp_path / "rows.parquet", random.Random(1)
    rows = pa.table({"who": [ID_SPACE // 50 * lot.randrange(50) for _ in range(950)], "place": range(950)})
    pq.write_table(rows, path)
    lay(path, "who", to=path)
    laid = pq.read_table(path)
    assert laid.sort_by("place").equals(rows)
    for who in set(rows["who"].to_pylist()):
        places = [row["place"] for row in laid.to_pylist() if row["who"] == who]
        assert places == sorted(places)
    pieces = [pq.read_table(path, filters=only) for only in ranges("who", {path: 950})]
    assert len(pieces) == 10
    assert sum(piece.num_rows for piece in pieces) == 950


def test_blocks_hold_just_so_many_rows_whatever_they_came_in() -> None:
    rows = pa.table({"n": range(103)})
    parts = [rows.slice(0, 1), rows.slice(1, 60), rows.slice(61, 0), rows.slice(61)]
    blocks = list(in_blocks(iter(parts), 25))
    assert [block.num_rows for block in blocks] == [25, 25, 25, 25, 3]
    assert pa.concat_tables(blocks).equals(rows)


def test_a_month_that_cannot_be_leaves_nothing_that_lets_others_in(here: Intake) -> None:
    here.maps(contacts=IDENTITY.format(table="contacts"))
    head, line = EVENTS["contacts"]

    def rows(*months: str) -> str:
        return "\n".join([head, *(line.format(n=i, who=i + 1, month=month) for i, month in enumerate(months)), ""])

    assert here.load("contacts-1.csv", rows("2026-09", "2026-09", "2035-01")).rules == {"month_future": 1}
    assert [f.month for f in open_lake(here.site.lake).files] == ["2026-09"]
    assert here.load("contacts-2.csv", rows("2026-09", "2026-09", "2034-01")).rules == {"month_future": 1}


def test_a_month_of_which_no_row_changed_stays_as_it_lies(here: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    here.maps(contacts=IDENTITY.format(table="contacts"))
    head, line = EVENTS["contacts"]
    old, new = (line.format(n=i, who=i + 1, month=month) for i, month in enumerate(("2026-08", "2026-09")))
    here.load("contacts-1.csv", f"{head}\n{old}\n")
    before = open_lake(here.site.lake).files
    monkeypatch.setattr("keepline.lake.shelf.LAID", {"compression": "gzip"})  # as a later version may lay it
    assert here.load("contacts-2.csv", f"{head}\n{old}\n{new}\n").counts.unchanged == 1
    assert [f for f in open_lake(here.site.lake).files if f.month == "2026-08"] == list(before)


def test_pseudonyms_are_never_added_up(here: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", 9)
    head, line = EVENTS["lines"]
    rows = [line.format(line=ID_SPACE // 11 * i + 1, who=i + 1, month="2026-09") for i in range(10) for _ in "four"]
    once = Intake(tmp_path / "once")
    once.maps(lines=IDENTITY.format(table="lines"))
    here.maps(lines=IDENTITY.format(table="lines").replace("identity", "add_up = true\nidentity"))
    for site in (once, here):
        site.load("lines-1.csv", "\n".join([head, *rows, ""]))
    assert here.rows("lines") == once.rows("lines")
    assert len(here.rows("lines")) == 10


def test_rows_are_staged_in_few_groups_however_many_months_a_batch_has(
    here: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups, laid = [], staging.Stage.close

    def close(stage: staging.Stage) -> None:
        laid(stage)
        groups.extend(pq.read_metadata(stage.path(month)).num_row_groups for month in stage.rows)

    monkeypatch.setattr(staging.Stage, "close", close)
    rows = [f"{phone},{2024 + i % 2}-{i % 12 + 1:02d},5" for i, phone in enumerate(phones(60_000))]
    assert here.bills(*rows).counts.loaded == 60_000
    assert set(groups) == {1}


HELD = """
import sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
from keepline.lake.pieces import read_those
path, rows = Path(sys.argv[1]), int(sys.argv[2])
with pq.ParquetWriter(path, pa.schema([("customer_id", pa.int64())])) as writer:
    for i in range(rows // 250_000):
        writer.write_table(pa.table({"customer_id": np.random.default_rng(i).integers(0, 1 << 62, 250_000)}))
asked = pa.table({"customer_id": np.arange(1000) << 50})
read_those(path, ["customer_id"], asked, None)
print(pa.default_memory_pool().max_memory())
"""


def _peak(script: str, path: Path, rows: int) -> int:
    """Bytes that Arrow held at most."""
    ran = [sys.executable, "-c", script, str(path), str(rows)]
    return int(subprocess.run(ran, capture_output=True, text=True, check=True).stdout)


def test_asking_a_large_file_for_a_few_takes_no_more_memory_than_a_smaller_one(tmp_path: Path) -> None:
    small, large = (_peak(HELD, tmp_path / "ids.parquet", rows) for rows in (4_000_000, 12_000_000))
    assert large < small + 16_000_000, "64 MB more would be held"


def test_a_line_that_changed_hands_is_found_in_pieces_however_long_ago_it_was_last_told(
    here: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, line = EVENTS["lines"]

    def month(of: str, lines: range, moved: int = 0) -> str:
        rows = [line.format(line=ID_SPACE // 99 * i + 1, who=i + 1 + moved * (i % 5 == 0), month=of) for i in lines]
        return "\n".join([head, *rows, ""])

    other, told = Intake(tmp_path / "other"), []
    for site, rows in ((here, 2_000_000), (other, 9)):
        monkeypatch.setattr("keepline.lake.pieces.BUCKET_ROWS", rows)
        site.maps(lines=IDENTITY.format(table="lines"))
        site.load("lines-1.csv", month("2026-06", range(80)))
        site.load("lines-2.csv", month("2026-07", range(60, 95)))
        report = site.load("lines-3.csv", month("2026-08", range(95), moved=1))
        told.append((report.counts, report.rules, site.rows("lines")))
    assert told[0] == told[1]
    assert told[1][1] == {"line_changes_owner": 19}


LAID = """
import sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
from keepline.lake import pieces
path, rows = Path(sys.argv[1]), int(sys.argv[2])
pieces.BUCKET_ROWS = 200_000
with pq.ParquetWriter(path, pa.schema([(name, pa.int64()) for name in "abcd"])) as writer:
    for i in range(rows // 50_000):
        some = np.random.default_rng(i).integers(0, 1 << 62, 50_000)
        writer.write_table(pa.table({name: some for name in "abcd"}))
pieces.lay(path, "a", to=path)
print(pa.default_memory_pool().max_memory())
"""


def test_laying_a_large_file_in_order_takes_no_more_memory_than_a_smaller_one(tmp_path: Path) -> None:
    small, large = (_peak(LAID, tmp_path / "rows.parquet", rows) for rows in (1_000_000, 4_000_000))
    assert large < small + 12_000_000, "one reader over all row groups would hold 40 MB more"

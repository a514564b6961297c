"""Who is leaving and why, how far the model can be believed, and who might be won back."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import Money, count, decimal, percent
from keepline.report.pictures.shape import (
    TEXT,
    Block,
    Cell,
    caution,
    column,
    months,
    note,
    pair,
    picture,
    section,
    source,
    table,
)
from keepline.report.tally import Row
from keepline.report.words import BANDS, MEASURES, Words, both, word

Figures = dict[str, Any]
TOP_REASONS = 8


def leave_sections(figures: Figures) -> list[Block]:
    money = Money(figures["head"]["currency"])
    return [leaving(figures, money), model_card(figures), win_back(figures, money)]


def leaving(figures: Figures, money: Money) -> Block:
    found, head = figures["leaving"], figures["head"]
    span = months(head["leave_months"])
    lead = both(
        f"对本月在网客户，未来 {span['zh']}内离网的概率；高风险为 {percent(head['high_from'], 0)} 以上，"
        f"中风险为 {percent(head['medium_from'], 0)} 以上。",
        f"Probability that a customer active this month leaves within {span['en']}; high risk from "
        f"{percent(head['high_from'], 0)}, medium from {percent(head['medium_from'], 0)}.",
    )
    blocks: list[Block] = []
    if head["oversampled"]:
        blocks.append(_oversampled(head))
    if not found["expected"]["leave"]["known"]:
        blocks.append(
            note("没有离网概率：模型本月没有给出。", "No probability of leaving: the models gave none this month.")
        )
    else:
        blocks.append(pair(_bands(figures, money), _reasons(figures, money)))
        blocks.append(_kinds(figures))
    return section("leaving", "谁会离开，为什么", "Who is leaving, and why", lead=lead, blocks=blocks)


def _oversampled(head: Row) -> Block:
    rate = head["true_monthly_rate"]
    if rate is None:
        return caution(
            "数据中的离网客户经过放大抽样，且真实离网率未知：概率只能用于排序，不能读作比例。",
            "Leavers are over-sampled in the data and the true rate is not known: probabilities rank customers, "
            "they are no shares.",
        )
    return caution(
        f"数据中的离网客户经过放大抽样；概率已按政策写明的真实月离网率 {percent(rate, 2)} 校正。",
        f"Leavers are over-sampled in the data; probabilities are corrected to the true monthly rate of "
        f"{percent(rate, 2)} stated in policy.",
    )


def _bands(figures: Figures, money: Money) -> Block:
    rows = figures["leaving"]["bands"]
    whole = sum(row["customers"] for row in rows)
    body: list[list[Cell]] = [
        [
            BANDS[r["risk_band"]],
            count(r["customers"]),
            percent(r["customers"] / whole),
            decimal(r["expected_leavers"], 1),
            percent(r["leave_probability"]),
            money.exact(r["value_fen"]),
        ]
        for r in rows
    ]
    return picture(
        "bands",
        "bars",
        title=_band_title(rows, whole),
        unit=both("客户数与预计离网数", "customers and expected leavers"),
        source=source("scores", figures),
        data={
            "names": [BANDS[r["risk_band"]] for r in rows],
            "codes": [r["risk_band"] for r in rows],
            "format": "count",
            "series": [
                {"name": both("客户数", "customers"), "values": [r["customers"] for r in rows]},
                {"name": both("预计离网", "expected leavers"), "values": [r["expected_leavers"] for r in rows]},
            ],
        },
        columns=[
            column("风险", "risk", TEXT),
            column("客户数", "customers"),
            column("占比", "share"),
            column("预计离网", "expected leavers"),
            column("平均概率", "mean probability"),
            column("价值合计", "total value"),
        ],
        rows=body,
        height=280,
    )


def _band_title(rows: list[Row], whole: int) -> Words:
    high = next((r["customers"] for r in rows if r["risk_band"] == "high"), 0)
    share = percent(high / whole)
    return both(
        f"高风险客户 {count(high)} 户，占 {share}", f"{count(high)} customers are at high risk, {share} of the base"
    )


def _reasons(figures: Figures, money: Money) -> Block:
    rows = figures["leaving"]["reasons"]
    if not any(row["reason_1"] for row in rows):
        return note(
            "没有原因可列：中高风险客户中，模型没有给出原因。",
            "No reasons to list: the models gave none for customers at medium or high risk.",
        )
    shown = [row for row in rows if row["reason_1"]][:TOP_REASONS]
    by_value = all(row["value_fen"] is not None for row in shown)
    values = [row["value_fen"] if by_value else row["customers"] for row in shown]
    body: list[list[Cell]] = [[r["words"], count(r["customers"]), money.exact(r["value_fen"])] for r in rows]
    first = shown[0]["words"]
    measured = both("涉及价值", "value at risk") if by_value else both("客户数", "customers")
    return picture(
        "reasons",
        "bars",
        title=both(
            f"首要原因中，{measured['zh']}最多的是“{first['zh']}”",
            f'Of the leading reasons "{first["en"]}" has most {measured["en"]}',
        ),
        unit=both(
            f"中高风险客户按首要原因：{measured['zh']}",
            f"medium and high risk by leading reason: {measured['en']}",
        ),
        source=source("scores", figures),
        data={
            "names": [r["words"] for r in shown],
            "format": "money" if by_value else "count",
            "series": [{"name": measured, "values": values}],
        },
        columns=[
            column("首要原因", "leading reason", TEXT),
            column("客户数", "customers"),
            column("涉及价值", "value at risk"),
        ],
        rows=body,
        height=280,
    )


def _kinds(figures: Figures) -> Block:
    names = {
        "leave": both("离网", "leaving"),
        "port_out": both("其中携号转网", "of these, with the number (port-out)"),
        "downgrade": both("降套", "downgrading"),
    }
    rows: list[list[Cell]] = []
    for kind, said in names.items():
        found = figures["leaving"]["expected"][kind]
        known = found["known"]
        share = found["customers"] / known if known else None
        name = said if known else both(f"{said['zh']}（未预测）", f"{said['en']} (not predicted)")
        rows.append([name, count(known or None), decimal(found["customers"], 1), percent(share)])
    return table(
        "kinds",
        title=both("离网、携转与降套", "Leaving, port-out and downgrade"),
        columns=[
            column("方式", "what", TEXT),
            column("有评分客户", "customers scored"),
            column("预计人数", "expected"),
            column("占比", "share"),
        ],
        rows=rows,
    )


def model_card(figures: Figures) -> Block:
    card = figures["leaving"]["card"]
    lead = both(
        "模型只在它没有见过的客户或更晚的账期上检验。",
        "Models are judged only on customers or months they had not seen.",
    )
    blocks = drift_blocks(figures.get("drift") or {})
    if not card["models"]:
        blocks.append(note("没有模型可检验。", "There is no model to judge."))
    judged = [row for row in card["models"] if row["auc"] is not None]
    blocks += [_calibration(row, figures) for row in judged if row["tenths"] and row["model"] == "leave"]
    if judged:
        blocks.append(_quality_table(judged))
    blocks += [_refusal(row) for row in card["models"] if row["refused"]]
    blocks += [note(words["zh"], words["en"]) for words in _notes(card)]
    if card["lacked"]:
        blocks.append(_lacked(card["lacked"]))
    return section("model", "模型可信吗", "Can the models be believed", lead=lead, blocks=blocks)


def drift_blocks(found: Row) -> list[Block]:
    """What moved since the models learnt; that nothing did, or that nothing could be compared."""
    warned = [caution(words["zh"], words["en"]) for words in found.get("warnings", [])]
    if warned or not found:
        return warned
    if found["refused"] is not None:
        why = found["refused"]
        return [note(f"没有检查数据是否变样：{why['zh']}。", f"Nothing was watched for drift: {why['en']}.")]
    if not found["checked"]:
        return []
    return [
        note(
            f"{found['checked']} 项数据与训练时相比没有明显变化。",
            f"None of {found['checked']} inputs has moved noticeably since the models learnt.",
        )
    ]


def _notes(card: Row) -> list[Words]:
    single = [card[name] for name in ("value", "staying") if card.get(name)]
    return [*card["notes"], *single, *card.get("lifetimes", [])]


def _refusal(row: Row) -> Block:
    name, why = model_name(row["model"]), row["refused"]
    return caution(f"{name['zh']}：没有模型。{why['zh']}", f"No model of {name['en']}: {why['en']}")


def _lacked(rows: list[Words]) -> Block:
    return table(
        "model-lacked",
        title=both(f"模型没有用上的 {len(rows)} 项数据", f"Inputs the models could not use: {len(rows)}"),
        columns=[column("数据，以及为什么", "input, and why", TEXT)],
        rows=[[words] for words in rows],
        folded=True,
    )


def model_name(code: str) -> Words:
    return word(MEASURES | {"port_out": both("携转", "port-out"), "downgrade": both("降套", "downgrade")}, code)


def _calibration(row: Row, figures: Figures) -> Block:
    name, level = model_name(row["model"]), percent(figures["leaving"]["card"]["level"], 0)
    auc = interval(row["auc"], decimal)
    inside = sum(1 for t in row["tenths"] if t["low"] <= t["predicted"] <= t["high"])
    of = len(row["tenths"])
    return picture(
        f"calibration-{row['model']}",
        "calibration",
        title=both(
            f"{name['zh']}：{of} 组客户中，{inside} 组的预测落在实际比例的区间内",
            f"{name['en'].capitalize()}: in {inside} of {of} groups the prediction lies within the observed interval",
        ),
        unit=both(
            f"各十分之一客户的预测概率与实际比例，{level} 区间；AUC {auc}",
            f"predicted probability and observed share by tenths of customers, {level} interval; AUC {auc}",
        ),
        source=source("model_card", figures),
        data={"points": row["tenths"]},
        columns=[
            column("预测", "predicted"),
            column("实际", "observed"),
            column("区间下限", "interval from"),
            column("区间上限", "to"),
            column("客户数", "customers"),
        ],
        rows=[
            [*(percent(t[k]) for k in ("predicted", "observed", "low", "high")), count(t["customers"])]
            for t in row["tenths"]
        ],
        height=340,
        note=row["how"],
    )


def interval(found: Row | None, how: Any) -> str:
    """A figure with its interval: 0.78 [0.75, 0.81]."""
    if found is None or found["value"] is None:
        return "--"
    if found["low"] is None:
        return str(how(found["value"]))
    return f"{how(found['value'])} [{how(found['low'])}, {how(found['high'])}]"


def _quality_table(rows: list[Row]) -> Block:
    body: list[list[Cell]] = [
        [
            model_name(row["model"]),
            count(row["customers"]),
            count(row["events"]),
            interval(row["auc"], lambda v: decimal(v, 3)),
            interval(row["slope"], decimal),
            interval(row["brier"], lambda v: decimal(v, 4)),
            decimal(row["lift"], 1),
        ]
        for row in rows
    ]
    return table(
        "model-quality",
        title=both("检验结果（方括号内为 90% 区间）", "How the models did (90% intervals in brackets)"),
        columns=[
            column("模型", "model", TEXT),
            column("检验客户", "customers"),
            column("事件", "events"),
            column("AUC", "AUC"),
            column("校准斜率", "calibration slope"),
            column("Brier", "Brier score"),
            column("前十分之一提升", "lift of the top tenth"),
        ],
        rows=body,
        note=both(
            "AUC 0.5 等于抽签，1 为完全分开；校准斜率 1 为概率不偏。",
            "AUC 0.5 is a toss, 1 a perfect ranking; at a calibration slope of 1 probabilities are neither too bold "
            "nor too timid.",
        ),
    )


def win_back(figures: Figures, money: Money) -> Block:
    rows = figures["win_back"]
    lead = both(
        "近期离网的客户，按记录的原因；先赢回价值高的。",
        "Customers who left recently by recorded reason; the valuable first.",
    )
    if not rows:
        missing = note(
            "没有赢回名单：没有离网记录，或记录中没有这一期间的客户。",
            "No win-back list: there are no records of departures, or none in this period.",
        )
        return section("win-back", "赢回", "Win-back", lead=lead, blocks=[missing])
    return section("win-back", "赢回", "Win-back", lead=lead, blocks=[_win_back_picture(rows, figures, money)])


def _win_back_title(rows: list[Row], people: int) -> Words:
    recorded = [row for row in rows if row["reason"] != "unrecorded"]
    if not recorded:
        return both(
            f"近三月离网 {count(people)} 户，原因均未记录",
            f"{count(people)} left in three months, none with a reason recorded",
        )
    first = recorded[0]["name"]
    return both(
        f"近三月离网 {count(people)} 户；有记录的原因中，“{first['zh']}”带走的毛利最多",
        f'{count(people)} left in three months; of the reasons recorded "{first["en"]}" took most margin',
    )


def _win_back_picture(rows: list[Row], figures: Figures, money: Money) -> Block:
    by_margin = any(row["margin_fen"] for row in rows)
    measured = both("离网前三月毛利", "margin of the three months before") if by_margin else both("客户数", "customers")
    shown, people = rows[:TOP_REASONS], sum(row["customers"] for row in rows)
    return picture(
        "win-back",
        "bars",
        title=_win_back_title(rows, people),
        unit=measured,
        source=source("departures, bills", figures),
        data={
            "names": [row["name"] for row in shown],
            "format": "money" if by_margin else "count",
            "series": [
                {"name": measured, "values": [row["margin_fen" if by_margin else "customers"] for row in shown]}
            ],
        },
        columns=[
            column("原因", "reason", TEXT),
            column("客户数", "customers"),
            column("离网前三月毛利", "margin of the three months before"),
        ],
        rows=[[row["name"], count(row["customers"]), money.exact(row["margin_fen"])] for row in rows],
        height=max(160, 50 + 34 * len(shown)),
    )

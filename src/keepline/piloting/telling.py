"""What was found of a pilot before it starts, as sentences in Chinese and English."""

from __future__ import annotations

from keepline.piloting.lots import Drawn
from keepline.piloting.size import PilotSize
from keepline.policy.document import Text


def size_text(found: PilotSize, lang: str) -> str:
    return "\n".join(_size_zh(found) if lang == "zh" else _size_en(found))


def _yuan(fen: float) -> str:
    return f"{fen / 100:,.2f}"


def _times(looks: int) -> str:
    return "once" if looks == 1 else f"{looks} times"


def _size_zh(said: PilotSize) -> list[str]:
    spread = said.spread
    lines = [
        f"{said.month} 可参加“{said.offer_id}”试点的客户：{said.eligible:,} 位（不含不可触达者、方案客户与长期对照组）",
        f"每户月净毛利的标准差：{_yuan(spread.plain**0.5)} 元；扣除此前毛利可解释的部分后 "
        f"{_yuan(spread.adjusted**0.5)} 元，少用 {spread.spared:.0%} 的客户",
    ]
    if said.needed is not None:
        lines.append(
            f"要以 {said.power:.0%} 的把握看出每户每月 {_yuan(said.worth_fen)} 元的差异："
            f"共需 {said.needed.customers:,} 位（实施 {said.needed.treated:,}，对照 {said.needed.held_out:,}），"
            f"分 {said.looks} 次查看"
        )
        if not said.enough:
            lines.append("  适合的客户不够：请接受只看出更大的差异，或分多个账期抽签")
    if said.planned is not None and said.sees_fen is not None and said.sees_leave is not None:
        lines.append(
            f"{said.planned.customers:,} 位客户、查看 {said.looks} 次：能看出每户每月 {_yuan(said.sees_fen)} 元、"
            f"或离网 {said.sees_leave * 100:.2f} 个百分点的差异（把握 {said.power:.0%}）；"
            f"按优惠写明的接受比例（未写为全部），预计成本 {_yuan(said.most_cost_fen or 0)} 元"
        )
    return lines + [f"  {one.zh}" for one in _warnings(said)]


def _size_en(said: PilotSize) -> list[str]:
    spread = said.spread
    lines = [
        f"customers a pilot of {said.offer_id} may be drawn from in {said.month}: {said.eligible:,} "
        "(without those who may not be approached, those the plan treats, and the control group)",
        f"net margin a customer and month varies by {_yuan(spread.plain**0.5)} yuan (standard deviation); by "
        f"{_yuan(spread.adjusted**0.5)} once the time before is taken out, which saves "
        f"{spread.spared:.0%} of the customers",
    ]
    if said.needed is not None:
        lines.append(
            f"to see {_yuan(said.worth_fen)} yuan a customer and month with a chance of {said.power:.0%}: "
            f"{said.needed.customers:,} customers ({said.needed.treated:,} treated, {said.needed.held_out:,} left "
            f"alone), looked at {_times(said.looks)}"
        )
        if not said.enough:
            lines.append(
                "  there are not so many: be content with seeing larger effects, or draw lots in several months"
            )
    if said.planned is not None and said.sees_fen is not None and said.sees_leave is not None:
        lines.append(
            f"{said.planned.customers:,} customers, looked at {_times(said.looks)}: {_yuan(said.sees_fen)} yuan a "
            f"customer and month are seen with a chance of {said.power:.0%}, or {said.sees_leave * 100:.2f} points of "
            f"leaving; expected cost {_yuan(said.most_cost_fen or 0)} yuan at the share the offer says accept "
            "it (all, where it says none)"
        )
    return lines + [f"  {one.en}" for one in _warnings(said)]


def _warnings(said: PilotSize) -> list[Text]:
    """Of the number of customers that is planned: too few to see what was asked for, or more than there are."""
    found, planned = [], said.planned
    if said.blind and planned is not None and said.needed is not None:
        found.append(
            Text(
                zh=f"注意：{planned.customers:,} 位太少，看不出每户每月 {_yuan(said.worth_fen)} 元的差异："
                f"共需 {said.needed.customers:,} 位；人数不够时，“未见效果”不等于没有效果",
                en=f"Note: {planned.customers:,} are too few to see {_yuan(said.worth_fen)} yuan a customer and month: "
                f"{said.needed.customers:,} are needed; with fewer, no effect found does not mean that there is none",
            )
        )
    if planned is not None and planned.customers > said.eligible:
        found.append(
            Text(
                zh=f"注意：本账期只有 {said.eligible:,} 位可抽，少于 {planned.customers:,} 位；请分多个账期抽签",
                en=f"Note: only {said.eligible:,} can be drawn in this month, fewer than {planned.customers:,}; "
                "draw lots in several months",
            )
        )
    return found


def drawn_text(made: Drawn, lang: str) -> str:
    if lang == "zh":
        return (
            f"已为“{made.offer_id}”抽签：{made.customers:,} 位客户，其中实施 {made.treated:,}、对照 {made.held_out:,}，"
            f"按 {made.strata} 个层（客户分类 × 离网风险）分配。\n"
            f"另按同样的签从长期对照组抽出对应客户 {made.counterparts:,} 位：不计入试点，期间也不参与方案比较。\n"
            f"{_apart(made).zh}\n名单：{made.lots}\n"
            f"载入：keepline intake load {made.lots} --mapping {made.mapping} --site 站点目录\n"
            "名单含对照客户，不要交给销售；交给渠道的是 "
            f"{made.treated_list}"
        )
    return (
        f"lots drawn for {made.offer_id}: {made.customers:,} customers, {made.treated:,} treated and {made.held_out:,} "
        f"left alone, over {made.strata} strata (class by risk of leaving).\n"
        f"{made.counterparts:,} counterparts of the standing control group by the same lot: the pilot does not count "
        f"them, and no plan compares them meanwhile.\n{_apart(made).en}\nlots: {made.lots}\n"
        f"load them: keepline intake load {made.lots} --mapping {made.mapping} --site SITE\n"
        f"they name those left alone, so give sellers the other list: {made.treated_list}"
    )


def _apart(made: Drawn) -> Text:
    if made.free_from is None:
        return Text(
            zh="注意：contact.toml 允许方案触及试点客户（running_pilot_stops = false），试点测出的只是此外多出的效果。",
            en="Note: contact.toml lets plans treat them too (running_pilot_stops = false), so the pilot finds only "
            "what its offer adds to that.",
        )
    return Text(
        zh=f"请在下一账期运行之前载入：此后直到 {made.free_from} 的方案之前，任何方案都不触及他们。",
        en=f"Load them before the next month is run: no plan before that of {made.free_from} then touches any of them.",
    )

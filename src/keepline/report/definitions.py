"""What each number of the report means, in what unit, and where it comes from."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import Money, percent
from keepline.report.pictures.shape import LONG, TEXT, Block, Cell, column, months, section, table
from keepline.report.words import Words, both

# name | 名称 | what it means | 含义 | unit | 单位 | source; words in braces are filled in from policy
LINES = """
base | 基数（在网客户） | customers active in the month by the rule in policy; all other numbers are of these | 账期末按政策属于在网的客户；以下各项均在其中计算 | customers | 户 | features
leaving | 离网 | within {leave_en} after the month: {left_en} | 账期之后 {leave_zh}内：{left_zh} | customers | 户 | labels
probability of leaving | 离网概率 | calibrated probability of the model; expected leavers are the sum of probabilities | 校准后的模型概率；预计离网 = 概率之和 | share | 占比 | scores.leave_probability
risk band | 风险等级 | high from {high}, medium from {medium} | 高：{high} 以上；中：{medium} 以上 | share | 占比 | policy/leaving.toml
class | 客户分类 | important, key, potential, ordinary: by list, else by the first rule of policy that holds | 重要、重点、潜在、普通：名单优先，其次为政策规则，先成立者为准 | class | 类 | classes, policy/classes.toml
billed revenue | 出账收入 | sum of the month's bill components, less discounts and credits | 当月各账目之和，扣除优惠与冲减 | {money_en} | {money_zh} | bills
margin | 毛利 | each bill component times its margin share in policy | 各账目金额乘以政策写明的毛利率 | {money_en} | {money_zh} | bills, policy/value.toml
customer value | 客户价值 | margin expected over {value_en} while staying, its growth, and word of mouth, discounted at {rate} a year | 未来 {value_zh}在网期间的预期毛利、增长与口碑，按年 {rate} 折现 | {money_en} | {money_zh} | scores.value_fen
value at risk | 涉及价值 | customer value of those at medium or high risk, added up | 中高风险客户的客户价值合计 | {money_en} | {money_zh} | scores
Gini coefficient | 基尼系数 | 0 when all bring the same, towards 1 when few bring everything | 0 为人人相同，趋近 1 为集中于少数 | 0–1 | 0–1 | features, scores
loyalty | 忠诚 | loyal, general, wavering, and whether by attachment, inertia or price; by the rules of policy | 忠诚、一般、游离，及其性质：情感、惰性或价格；按政策规则 | class | 类 | scores, policy/loyalty.toml
expected net margin | 预期净增毛利 | margin expected over {value_en} with the offer less without it, less the expected cost | 未来 {value_zh}内，有优惠与没有优惠相比预期多得的毛利，减去预期成本 | {money_en} | {money_zh} | decisions.gain_fen
cost | 成本 | contact cost plus the expected cost of the benefit | 触达成本加预期兑现的优惠成本 | {money_en} | {money_zh} | decisions.cost_fen
assumed / measured | 假设 / 实测 | the effect of an offer is stated in policy, or was found in a pilot | 优惠效果来自政策中的假设，或来自试点 | -- | -- | policy/offers.toml, pilots
held out | 对照 | customers the rule chose but the lot ({held_out}) leaves alone, so that the effect can be measured | 本可获得优惠、但按抽签（{held_out}）保留不动的客户，用来测量成效 | customers | 户 | decisions, policy/limits.toml
shadow price | 影子价格 | margin net of cost that one more unit of the limit would add to the best plan possible at most; of money: beyond the money itself | 该资源多一个单位时，可能的最好方案最多多得的毛利，成本已减去；费用则为收回自身之外所得 | {money_en} | {money_zh} | plan
effect | 成效 | mean of the treated less mean of those left alone, for plans with proof of delivery, over {leave_en} after the plan's month at most; 90% interval | 实施客户均值减对照均值，只计有执行记录的方案，至多计方案账期之后 {leave_zh}；区间为 90% | {money_en} | {money_zh} | effects
earned, net of cost | 减去成本后合计 | the effect times the treated compared, less what they cost; its interval is that of the effect taken the same way, since the cost is on record | 成效乘以参与比较的实施客户，减去其成本；成本有记录，区间由成效区间的两端同样算得 | {money_en} | {money_zh} | effects.earned_fen
retention | 保有 | share still there at the end of the window; treated less left alone, in percentage points | 观察期末仍在网的占比；实施减对照，以百分点计 | points | 百分点 | effects
port-out, downgrade | 携号转网, 降套 | left with the number / moved to a recurring charge lower by the share in policy, within the same months as leaving | 带号码离网／月租降低达到政策写明的比例；期限与离网相同 | share | 占比 | scores, policy/leaving.toml
driver of loyalty | 忠诚驱动因素 | weighted mean of its evidence, each from 0 (worst) to 1 (best) as policy says; the mean is over customers of whom some evidence is known | 各项依据的加权平均，每项按政策由 0（最差）到 1（最好）；平均只含有依据的客户 | 0–1 | 0–1 | drivers, policy/loyalty.toml
price sensitivity | 价格敏感度 | change in percent of what is bought when the price is one percent higher (elasticity) | 价格高 1% 时购买变化的百分比（弹性） | % | % | price_sensitivity
AUC | AUC | chance that a leaver had a higher probability than a stayer | 随机一位离网客户的概率高于随机一位在网客户的机会 | 0.5–1 | 0.5–1 | model card
calibration slope | 校准斜率 | 1 when probabilities are right; below 1 when they are too extreme | 1 为概率不偏；小于 1 为过于极端 | -- | -- | model card
"""  # noqa: E501 - one definition a line reads better than broken lines

LEFT = {
    "silent": both("整月没有用量也没有账单", "a whole month without use and without a bill"),
    "departure": both("有离网记录", "a recorded departure"),
}


def definitions(figures: dict[str, Any]) -> Block:
    known = _known(figures["head"])
    return section(
        "definitions",
        "指标定义",
        "Definitions",
        lead=both(
            "金额以分保存，不做汇率换算；未知显示为 --，不以 0 代替。",
            "Amounts are kept in hundredths and never converted; what is not known is shown as --, never as 0.",
        ),
        blocks=[
            table(
                "definitions",
                title=both("本报告的数字", "The numbers of this report"),
                columns=[
                    column("指标", "number", TEXT),
                    column("定义", "definition", LONG),
                    column("单位", "unit", TEXT),
                    column("来源", "source", TEXT),
                ],
                rows=[_row(line.format(**known)) for line in LINES.strip().splitlines()],
            )
        ],
    )


def _row(line: str) -> list[Cell]:
    en, zh, said_en, said_zh, unit_en, unit_zh, source = (part.strip() for part in line.split("|"))
    return [both(zh, en), both(said_zh, said_en), both(unit_zh, unit_en), source]


def _known(head: dict[str, Any]) -> dict[str, str]:
    """What policy and settings fill in."""
    money = Money(head["currency"]).unit
    spans: dict[str, Words] = {
        "leave": months(head["leave_months"]),
        "value": months(head["value_months"]),
        "left": LEFT[head["left_when"]],
        "money": money,
    }
    shares = {"high": "high_from", "medium": "medium_from", "rate": "discount_rate", "held_out": "held_out_share"}
    filled = {f"{name}_{language}": said[language] for name, said in spans.items() for language in ("zh", "en")}
    return filled | {name: percent(head[key], 0) for name, key in shares.items()}

"""Learn from past snapshots whose outcome is known: who leaves, who downgrades, how margins change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from keepline.canonical import text_hash
from keepline.engine import Engine
from keepline.errors import TooFewError
from keepline.insight import value
from keepline.insight.additive import check_events
from keepline.insight.calibration import horizon_rate, prior_shift
from keepline.insight.card import (
    NO_SAMPLES,
    NOT_KNOWN,
    OF_THE_SAMPLE,
    Card,
    Learnt,
    inputs_card,
    reached_note,
    refusal,
    sample_card,
    staying_card,
    target_card,
    value_card,
    words_card,
)
from keepline.insight.cohorts import learn_cohort
from keepline.insight.drift import Watched, watch
from keepline.insight.inputs import Inputs, Shelf, Vector, choose, folds, numbers
from keepline.insight.leaving import Leaving
from keepline.insight.samples import Drawn, Sample, check_over, read_samples
from keepline.insight.staying import READS as COURSE_READS
from keepline.insight.staying import Course, learn_course
from keepline.insight.topups import TopUps, learn_topups
from keepline.insight.validation import Rows, cross_fit, validate
from keepline.insight.value import ValueModel
from keepline.periods import Month
from keepline.policy.documents import Leaving as LeavingPolicy
from keepline.policy.documents import Policy
from keepline.sampled import Sampled

__all__ = ["Models", "Sample", "train"]

REACHED_SHARE_MAX = 0.5  # of the samples; beyond it those left alone are too special
LOTS = 10_000
WATCHED_MAX = 60_000
RECIPE = "5"  # raise it when the same data would give another model
TARGETS = {"leave": "left_within", "port_out": "ported_within", "downgrade": "downgraded_within"}
SIZES: dict[str, tuple[str, ...]] = {"leave": ("small", "long"), "port_out": (), "downgrade": ()}


@dataclass(frozen=True)
class Models:
    """What scoring needs. A target that could not be learnt is None, and the card says why."""

    version: str
    card: Card
    horizon: int  # months the probabilities are for
    inputs: Inputs | None
    leave: Leaving | None
    port_out: Leaving | None
    downgrade: Leaving | None
    value: ValueModel
    value_abstains: bool  # over-sampled leavers and no true rate
    course: Course | None = None  # how the rate of leaving runs ahead; None where leaving could not be learnt
    watched: tuple[Watched, ...] = ()  # the inputs as they were in the samples


@dataclass(frozen=True)
class How:
    """How all is learnt."""

    policy: Policy
    seed: int
    threads: int


def train(
    engine: Engine,
    lake: Shelf,
    policy: Policy,
    *,
    snapshot: Month,
    samples: Sequence[Sample],
    seed: int,
    threads: int = 1,
) -> Models:
    """Learn everything insight needs to score ``snapshot``: from the same data and seed the same, in any threads."""
    leaving = policy.leaving
    if leaving.learn_from == "past_snapshots":
        check_over(samples, snapshot=snapshot, horizon=leaving.horizon_months)
    rows = read_samples(engine, lake, samples, most=leaving.training_customers_max)
    if rows is None:
        return _untrained(policy, seed=seed)
    table, attributes, drawn = rows
    # A fit has one thread: the same last bit on every machine, and threads that wait for each other stand still.
    with threadpool_limits(limits=1):
        topups = _topups(engine, lake, policy, snapshot=snapshot, share=sum(sample.share for sample in samples))
        first = lake.months("bills")[0]
        made = _trained(table, attributes, How(policy, seed, threads), samples=samples, first=first, topups=topups)
        return _stated(made, len(table), drawn)


def _stated(models: Models, rows: int, drawn: Drawn) -> Models:
    """The card says of how many customers the rows were drawn, and the report where they are not all."""
    said = sample_card(rows, drawn.customers, drawn.share)
    notes = [{lang: said[lang] for lang in ("zh", "en")}] if drawn.share < 1 else []
    return replace(models, card=models.card | {"sample": said, "notes": [*models.card["notes"], *notes]})


def _topups(engine: Engine, lake: Shelf, policy: Policy, *, snapshot: Month, share: float) -> TopUps | Card | None:
    """What prepaid customers bring, or the words of why it cannot be told; None where policy does not ask."""
    if policy.value.lifetime != "cohorts":
        return None
    try:
        return learn_topups(engine, lake, policy.value, snapshot=snapshot, some=Sampled(min(1.0, share)))
    except TooFewError as error:
        return refusal(error)


def _history(samples: Sequence[Sample], first: Month, policy: LeavingPolicy) -> int | None:
    """Months of bills known at the oldest snapshot learnt from; None where what is learnt from is what is scored."""
    if policy.learn_from == "this_snapshot":
        return None
    return min(sample.snapshot for sample in samples) - first + 1


def _trained(
    table: pa.Table,
    attributes: tuple[str, ...],
    how: How,
    *,
    samples: Sequence[Sample],
    first: Month,
    topups: TopUps | Card | None,
) -> Models:
    policy, seed, leaving = how.policy, how.seed, how.policy.leaving
    everybody, (table, notes) = table, _left_alone(table)
    inputs = choose(table, attributes, history=_history(samples, first, leaving))
    matrix = inputs.matrix(table)
    signs = inputs.signs(leaving.raises_risk, leaving.lowers_risk)
    bound = {name: () if name == "downgrade" else signs for name in TARGETS}
    learnt = {name: _learn(name, table, matrix, bound[name], how) for name in TARGETS}
    abstains = leaving.oversampled and leaving.true_monthly_rate is None
    learnt |= {name: _corrected(learnt[name], learnt["leave"], leaving) for name in ("leave", "port_out")}
    worth = _value(table, matrix, learnt["leave"], policy=policy, first=first)
    worth = replace(worth, topups=topups) if isinstance(topups, TopUps) else replace(worth, no_topups=topups)
    course = _course(table, learnt["leave"], worth, seed=seed)
    notes += [OF_THE_SAMPLE] if abstains else []
    version = _version(table, matrix, policy=policy, seed=seed, topups=worth.topups)
    card = _card(learnt, inputs, worth, policy=policy, samples=samples, table=table, notes=notes)
    card["staying"] = staying_card(course)
    return Models(
        version,
        card | {"version": version, "seed": seed},
        leaving.horizon_months,
        inputs,
        learnt["leave"].model,
        learnt["port_out"].model,
        learnt["downgrade"].model,
        worth,
        abstains,
        course,
        _watched(everybody, inputs),
    )


def _watched(table: pa.Table, inputs: Inputs) -> tuple[Watched, ...]:
    """The inputs of every few customers of the samples, whether an offer reached them or not."""
    some = table.take(np.arange(0, len(table), max(1, len(table) // WATCHED_MAX)))
    return watch(inputs, inputs.matrix(some), _months(some))


def _left_alone(table: pa.Table) -> tuple[pa.Table, list[dict[str, str]]]:
    """What happens when nothing is done: who was reached by an offer counts as staying, for the part before it.

    Kept by a lot with the chance of that part, so that events over time observed stay what they are; to leave
    them all out would keep those who left too early to be reached. Where offers reached most, too few are
    left to speak for all, and everybody is learnt from as they are.
    """
    alone = np.nan_to_num(numbers(table.column("alone_share")), nan=1.0)
    reached = alone < 1
    share = float(reached.mean())
    if not reached.any():
        return table, []
    if share > REACHED_SHARE_MAX:
        return table, [reached_note(share, kept=True)]
    lots = folds(_ids(table), salt="alone", count=LOTS)
    kept = table.filter(pa.array(lots < alone * LOTS)).combine_chunks()
    before = pc.less(kept.column("alone_share"), 1.0)
    for name in TARGETS.values():
        known = pc.and_(pc.is_valid(kept.column(name)), pa.scalar(name != TARGETS["downgrade"]))
        then = pc.if_else(known, pa.scalar(value=False), pa.scalar(None, pa.bool_()))
        kept = _with(kept, name, pc.if_else(before, then, kept.column(name)))
    margin = kept.column("margin_after_fen")
    return _with(kept, "margin_after_fen", pc.if_else(before, pa.scalar(None, margin.type), margin)), [
        reached_note(share, kept=False)
    ]


def _with(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def _learn(name: str, table: pa.Table, matrix: Vector, signs: tuple[int, ...], how: How) -> Learnt:
    """Fit and judge one target, or say why there is no model."""
    y = numbers(table.column(TARGETS[name]))
    known = ~np.isnan(y)
    rows = Rows(matrix, y, _ids(table), _months(table), signs).take(known)
    if not known.any():
        return Learnt(None, 0, 0, refused=NOT_KNOWN)
    nothing = Learnt(None, len(rows.y), int(rows.y.sum()))
    try:
        check_events(rows.y)
        return _fitted(rows, nothing, how, SIZES[name])
    except TooFewError as error:
        return replace(nothing, refused=refusal(error))


def _fitted(rows: Rows, nothing: Learnt, how: How, sizes: tuple[str, ...]) -> Learnt:
    """The model of all rows, and the models that judge it, side by side where there are threads."""
    leaving = how.policy.leaving
    if leaving.learn_from == "this_snapshot":
        crossed = cross_fit(rows, seed=how.seed, sizes=sizes)
        return replace(nothing, model=Leaving(crossed.stacks), validation=crossed)
    with ThreadPoolExecutor(how.threads, initializer=threadpool_limits, initargs=(1,)) as pool:
        validation = pool.submit(validate, rows, horizon=leaving.horizon_months, seed=how.seed, sizes=sizes)
        final = pool.submit(rows.fitted, seed=how.seed, sizes=sizes)
        return replace(nothing, validation=validation.result(), model=Leaving((final.result(),)))


def _ids(table: pa.Table) -> Any:
    return table.column("customer_id").to_numpy()


def _months(table: pa.Table) -> Any:
    return table.column("snapshot").to_numpy()


def _corrected(learnt: Learnt, leave: Learnt, policy: LeavingPolicy) -> Learnt:
    """Where leavers were over-sampled and the true rate is stated, move the log-odds to it.

    Those who port out were over-sampled as all leavers were, so their log-odds move as far.
    """
    if learnt.model is None or not leave.events or not policy.oversampled or policy.true_monthly_rate is None:
        return learnt
    true = horizon_rate(policy.true_monthly_rate, policy.horizon_months)
    shift = prior_shift(sample_rate=_rate(leave), true_rate=true)
    return replace(learnt, model=learnt.model.corrected(shift))


def _rate(learnt: Learnt) -> float:
    return learnt.events / learnt.customers


def _base_rate(leave: Learnt, policy: LeavingPolicy) -> float | None:
    """The monthly rate of the base: stated, or that of the samples; None when neither can be trusted."""
    if policy.true_monthly_rate is not None and (policy.oversampled or leave.model is None):
        return policy.true_monthly_rate
    if leave.model is None or policy.oversampled:
        return None
    return round(float(1 - (1 - _rate(leave)) ** (1 / policy.horizon_months)), 9)


def _value(table: pa.Table, matrix: Vector, leave: Learnt, *, policy: Policy, first: Month) -> ValueModel:
    horizon = policy.leaving.horizon_months
    column = {name: numbers(table.column(name)) for name in value.READS}
    history = (_months(table) - first.index + 1).astype(float)
    first_bill = value.learn_first_bill(column, history)
    now = value.margins(column, horizon=horizon, floor_fen=0.0, history=history, first_bill=first_bill).now
    known = now[~np.isnan(now)]
    floor = max(1.0, 0.1 * float(np.median(np.abs(known)))) if len(known) else 1.0
    model = ValueModel(
        horizon,
        _base_rate(leave, policy.leaving),
        floor_fen=floor,
        first_bill=first_bill,
        mean_margin_fen=float(known.mean()) if len(known) else None,
        referral=value.learn_referrals(column["referrals_12m"], column["tenure_months"]),
        first_month=first.index,
    )
    if leave.model is not None:
        curves = leave.model.stacks[0].curves
        spread = float(np.sqrt(curves.degrees / curves.events + value.HIDDEN_SPREAD**2))
        pairs = _later(leave.model, table, matrix)
        model = replace(model, spread=spread, lasting=value.lasting_share(pairs))
    if policy.value.lifetime == "cohorts":
        left = numbers(table.column("left_within"))
        model = replace(model, cohort=learn_cohort(column["tenure_months"], left, period=horizon))
    stayed = numbers(table.column("left_within")) == 0
    after = np.where(stayed, numbers(table.column("margin_after_fen")), np.nan)
    seen = value.margins(column, horizon=horizon, floor_fen=floor, history=history, first_bill=first_bill)
    return value.learn_change(model, seen, after, policy=policy.value)


def _course(table: pa.Table, leave: Learnt, worth: ValueModel, *, seed: int) -> Course | None:
    """How the rate of leaving runs ahead, from the months the samples left in."""
    if leave.model is None or worth.monthly_rate is None:
        return None
    column = {name: numbers(table.column(name)) for name in COURSE_READS}
    left, after, alone = (numbers(table.column(name)) for name in ("left_within", "left_after", "alone_share"))
    plain = Course(worth.horizon, worth.monthly_rate, worth.lasting)
    return learn_course(column, left, after, alone, plain=plain, seed=seed)


def _later(leaving: Leaving, table: pa.Table, matrix: Vector) -> list[tuple[Vector, Vector]]:
    """Probabilities of the same customers at one sample and the next."""
    ids, months = _ids(table), _months(table)
    p = leaving.probability(matrix, ids)
    pairs = []
    for early, late in pairwise(np.unique(months).tolist()):
        _, first, second = np.intersect1d(ids[months == early], ids[months == late], return_indices=True)
        pairs.append((p[months == early][first], p[months == late][second]))
    return pairs


def _version(table: pa.Table, matrix: Vector, *, policy: Policy, seed: int, topups: TopUps | None) -> str:
    """A hash of the training rows, what top-ups taught, the policy that shaped them, the seed and the recipe."""
    hasher = hashlib.sha256()
    labels = [numbers(table.column(name)) for name in (*TARGETS.values(), "left_after", "margin_after_fen")]
    for column in (*matrix.T, *labels):
        hasher.update(np.rint(np.nan_to_num(column, nan=-1e6) * 1e6).astype(np.int64).tobytes())
    hasher.update(_ids(table).tobytes())
    said = {name: policy.hashes.get(name, "") for name in ("leaving", "value")}
    taught = [] if topups is None else [round(p, 4) for p in (*topups.months, *topups.amounts)]
    return text_hash([hasher.hexdigest(), said, seed, RECIPE, *taught])[:16]


def _card(
    learnt: dict[str, Learnt],
    inputs: Inputs,
    worth: ValueModel,
    *,
    policy: Policy,
    samples: Sequence[Sample],
    table: pa.Table,
    notes: list[dict[str, str]],
) -> Card:
    leaving = policy.leaving
    snapshots = [
        {
            "month": str(s.snapshot),
            "customers": int(pc.sum(pc.equal(table.column("snapshot"), s.snapshot.index)).as_py()),
        }
        for s in samples
    ]
    return {
        **_said(leaving),
        "snapshots": snapshots,
        **inputs_card(inputs),
        "targets": {name: target_card(name, each) for name, each in learnt.items()},
        "value": value_card(worth),
        "notes": notes,
        "words": words_card(),
    }


def _said(leaving: LeavingPolicy) -> Card:
    return {
        "recipe": RECIPE,
        "horizon_months": leaving.horizon_months,
        "left_when": leaving.left_when,
        "learn_from": leaving.learn_from,
        "prior_correction": {
            "oversampled": leaving.oversampled,
            "true_monthly_rate": leaving.true_monthly_rate,
            "of_the_sample": leaving.oversampled and leaving.true_monthly_rate is None,
        },
    }


def _untrained(policy: Policy, *, seed: int) -> Models:
    leaving = policy.leaving
    nothing = Learnt(None, 0, 0, refused=NO_SAMPLES)
    worth = ValueModel(leaving.horizon_months, leaving.true_monthly_rate)
    said = {name: policy.hashes.get(name, "") for name in ("leaving", "value")}
    version = text_hash(["untrained", said, seed, RECIPE])[:16]
    card = {
        **_said(leaving),
        "snapshots": [],
        **inputs_card(None),
        "targets": {name: target_card(name, nothing) for name in TARGETS},
        "value": value_card(worth),
        "staying": staying_card(None),
        "notes": [NO_SAMPLES],
        "words": words_card(),
    }
    full = card | {"version": version, "seed": seed}
    return Models(version, full, leaving.horizon_months, None, None, None, None, worth, value_abstains=False)

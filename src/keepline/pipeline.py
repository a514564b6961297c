"""One turn of the loop for one month: the order of the stages, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from keepline.assembly import assemble
from keepline.closing import carried_part, closing_features
from keepline.decisions.candidates import build_candidates
from keepline.decisions.checker import verify
from keepline.decisions.plan import decide
from keepline.engine import Range, cut
from keepline.errors import PublicationError
from keepline.features.latest import latest_of
from keepline.insight import price
from keepline.insight.circles import stage as circles
from keepline.insight.classes import build_classes
from keepline.insight.drivers import build_drivers
from keepline.insight.inputs import Shown
from keepline.insight.moved import watch_inputs
from keepline.insight.niches.stage import find_niches
from keepline.insight.scoring import score, take_scores
from keepline.insight.training import Models, Sample, train
from keepline.insight.win_back import build_win_back, count_win_back
from keepline.jsonfile import read_json
from keepline.kept import Kept
from keepline.lake.store import Lake, reading
from keepline.measurement.effects import measure_plans
from keepline.measurement.judgement import judge
from keepline.measurement.once import PastPlan, read_proofs
from keepline.measurement.pilots import PastSnapshot, Written, lots_of, measure_pilots, pilot_months
from keepline.measurement.watching import calibration_warnings, watch_calibration
from keepline.past import (
    DRAWN,
    LABELS,
    MADE_FROM,
    SAMPLED,
    drawn_features,
    drawn_ranges,
    risk_then,
    sampled_features,
    sampled_labels,
    share_of,
)
from keepline.periods import Month
from keepline.placed import Placed, placed
from keepline.policy.documents import Policy, read_policy
from keepline.progress import Progress, Silent
from keepline.publication import (
    Publication,
    alone,
    demand_bills,
    find,
    identity,
    published,
    read_manifest,
    sweep_work,
    switch,
)
from keepline.run import Run, started
from keepline.site import Site

SINGLE = "part-00000.parquet"
PILOT_TABLES = ("pilots", "looks", "learners")


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the publication, and whether it was there already."""

    publication: Publication
    already: bool


def run_month(site: Site, month: Month, *, progress: Progress | None = None) -> Outcome:
    """Publish a month; refuse to change one that is published."""
    return _run(site, month, progress or Silent(), _refuse_other)


def replace_month(site: Site, month: Month, *, progress: Progress | None = None) -> Outcome:
    """Publish a month anew; the former publication is kept under ``superseded/``."""
    return _run(site, month, progress or Silent(), _allow)


def _run(site: Site, month: Month, progress: Progress, may_replace: Callable[[Publication, str], None]) -> Outcome:
    with alone(site), reading(site.lake) as lake:
        policy = read_policy(site.policy, month)
        past = [p for p in published(site) if p.month < month]
        new = month_identity(site, lake, policy, month, past)
        former = find(site, month)
        if former is not None and former.id == new:
            sweep_work(site)
            return Outcome(former, already=True)
        if former is not None:
            may_replace(former, new)
        with opened(site, lake, policy, site.policy, month, past, new, progress, kept=Kept(site.kept)) as run:
            folder = prepare(run)
            target = switch(site, month, folder)
            sweep_work(site)
            run.kept.sweep(month)
        return Outcome(Publication(month, target, read_manifest(target)), already=False)


def month_identity(site: Site, lake: Lake, policy: Policy, month: Month, past: list[Publication]) -> str:
    ahead = policy.leaving.horizon_months if policy.leaving.learn_from == "this_snapshot" else 0
    known = lake.identity(month + ahead)
    return identity(site.settings, month=month, lake=known, policies=policy.hashes, past=past)


def _allow(former: Publication, new: str) -> None:
    """Asked to replace: any former publication may give way."""
    _ = former, new


def _refuse_other(former: Publication, new: str) -> None:
    raise PublicationError(
        f"{former.month} is already published as {former.id[:12]} from other inputs, policy or seed (now {new[:12]}); "
        f"to publish it anew and keep the former under superseded/, add --replace",
        f"{former.month} 已发布（{former.id[:12]}），而数据、政策或种子已有变化（现为 {new[:12]}）；"
        f"如需重新发布并把原发布保留在 superseded/，请加 --replace",
        code="published_differently",
    )


@contextmanager
def opened(
    site: Site,
    lake: Lake,
    policy: Policy,
    policy_folder: Path,
    month: Month,
    past: list[Publication],
    publication_id: str,
    progress: Progress,
    *,
    kept: Kept,
) -> Iterator[Run]:
    """A run with its engine started; the engine is closed whatever happens."""
    demand_bills(lake, month)
    with started(site) as engine:
        parts = cut(max(1, lake.customers), site.settings.range_customers)
        yield Run(site, engine, lake, policy, policy_folder, month, publication_id, past, progress, parts, kept)


def prepare(run: Run) -> Path:
    """Carry out every stage and return the folder of a finished publication, not yet published."""
    return assemble(run, decide_month(run) | {"circles": _circles(run)})


def decide_month(run: Run) -> dict[str, Any]:
    """Every stage up to the checked decisions; what the manifest says of them."""
    made_from = closing_features(run)
    _classes(run)
    _drivers(run)
    models = _models(run)
    _scores(run, models)
    extra = _measurement(run, models) | {"win_back": _win_back(run), "niches": _niches(run)} | _prices(run)
    extra["drift"] = _drift(run, models, extra["judgement"])
    plan, check = _decisions(run, models)
    card = models.card | {"version": models.version, "who_responds": extra.pop("learners")}
    return extra | {"plan": plan, "check": check, "model_card": card, MADE_FROM: made_from}


def _classes(run: Run) -> None:
    previous = _month_before(run, "classes")
    with run.step("classes", "客户分类", "classes", total=len(run.ranges)):
        make = partial(build_classes, run.engine, run.policy, snapshot=run.month, previous=previous)
        source = run.folder("features")
        run.each_range("classes", None, lambda only, to: make(features=source / only.part, only=only, to=to))


def _month_before(run: Run, table: str) -> Placed:
    """A table in the publication of the month before, if there is one."""
    return placed(next((p.parts(table) for p in reversed(run.past) if p.month == run.month + -1), ()))


def _drivers(run: Run) -> None:
    with run.step("drivers", "忠诚驱动", "drivers of loyalty", total=len(run.ranges)):
        make, source = partial(build_drivers, run.engine, run.policy, snapshot=run.month), run.folder("features")
        run.each_range("drivers", None, lambda only, to: make(features=source / only.part, only=only, to=to))


def training_months(lake: Lake, policy: Policy, month: Month) -> list[Month]:
    """Past snapshots to learn from, latest first: their outcomes are known and do not overlap."""
    leaving = policy.leaving
    if leaving.learn_from == "this_snapshot":
        return [month]
    first = lake.months("bills")[0]
    steps = [month + -leaving.horizon_months * (i + 1) for i in range(leaving.training_snapshots)]
    return [m for m in steps if m >= first]


def _models(run: Run) -> Models:
    samples, months = [], training_months(run.lake, run.policy, run.month)
    for month in months:
        some = share_of(run, month, snapshots=len(months))
        ranges = some.within(run.ranges)
        if month != run.month:
            with run.step(f"features {month}", f"历史特征 {month}", f"features of {month}", total=len(ranges)):
                sampled_features(run, month, some)
        with run.step(f"labels {month}", f"结果标签 {month}", f"outcomes after {month}", total=len(ranges)):
            sampled_labels(run, month, some)
        features = run.parts(SAMPLED, month) if month != run.month else run.parts("features")
        samples.append(Sample(month, features, run.parts(LABELS, month), some.share))
    said = run.site.settings
    # one thread of linear algebra: the same bits on every machine, and no waiting on a busy one
    with run.step("training", "训练模型", "training"), threadpool_limits(limits=1):
        return train(
            run.engine,
            run.lake,
            run.policy,
            snapshot=run.month,
            samples=samples,
            seed=said.seed,
            threads=said.threads,
        )


def _scores(run: Run, models: Models) -> None:
    previous, source = _month_before(run, "scores"), run.folder("features")
    asked = ("attributes",) if models.inputs and models.inputs.attributes else ()
    latest = latest_of(run.lake, run.month, asked)
    make = partial(score, run.engine, policy=run.policy, models=models, snapshot=run.month, previous=previous)

    def each(only: Range, to: Path) -> None:
        shown = Shown(run.lake, latest={each.of: carried_part(run, each, only) for each in latest})
        make(shown, features=source / only.part, only=only, to=to)

    with run.step("scores", "评分", "scores", total=len(run.ranges)):
        run.each_range("scores", None, each)


def _drawn(run: Run, models: Models, month: Month) -> PastSnapshot:
    """Features and scores of those whom the pilots of a month drew."""
    lots = lots_of(run.lake, month, run.month)
    ranges = drawn_ranges(run, lots)
    with run.step(f"features {month}", f"试点账期特征 {month}", f"features of the pilot {month}", total=len(ranges)):
        drawn_features(run, month, lots)
    make = partial(score, run.engine, policy=run.policy, models=models, snapshot=month)
    then = risk_then(run, month)

    def each(only: Range, to: Path) -> None:
        features = run.folder(DRAWN, month) / only.part
        if then.parts:
            take_scores(run.engine, then.of(only), among=features, only=only, to=to)
            return
        make(Shown(run.lake, of=(features,)), features=features, only=only, to=to)

    with run.step(f"scores {month}", f"试点账期评分 {month}", f"scores of the pilot {month}", total=len(ranges)):
        run.each_range("scores", month, each, ranges=ranges)
    return PastSnapshot(month, run.parts(DRAWN, month), run.parts("scores", month))


def _measurement(run: Run, models: Models) -> dict[str, Any]:
    snapshots = [_drawn(run, models, month) for month in pilot_months(run.lake, run.policy, run.month)]
    plans = [
        PastPlan(p.month, p.parts("assignments"), p.parts("scores"), p.parts("decisions"), p.id, p.lot)
        for p in run.past
    ]
    given = (run.engine, run.lake, run.policy)
    with run.step("measurement", "测量成效", "effects of pilots and past plans"):
        to = Written(*(run.folder(name) / SINGLE for name in PILOT_TABLES))
        measure_pilots(*given, snapshot=run.month, past=snapshots, to=to)
        proofs, effects = (
            read_proofs(run.engine, run.lake, snapshot=run.month, past=plans),
            run.folder("effects") / SINGLE,
        )
        expected = measure_plans(*given, snapshot=run.month, past=plans, to=effects, keep=run.once, proofs=proofs)
        judged = judge(*given, snapshot=run.month, past=plans, keep=run.once, proofs=proofs)
    return {
        **{name: _rows(run, name) for name in PILOT_TABLES},
        "effects": _rows(run, "effects"),
        "judgement": judged,
        "past_plans": [_expected(plan, expected.get(str(plan.month))) for plan in run.past],
    }


def _expected(plan: Publication, compared: dict[str, int] | None) -> dict[str, Any]:
    """What a past plan said it would earn, as it was published; and of it, those who can be compared now."""
    said = read_json(plan.folder / "figures.json")
    told = {name: said["plan"].get(name) for name in ("customers", "gain_fen", "gain_low_fen", "gain_high_fen")}
    months = said["head"]["value_months"]
    return {"plan_month": str(plan.month), **told, "value_months": months, "compared": compared}


def _drift(run: Run, models: Models, judgements: list[dict[str, Any]]) -> dict[str, Any]:
    """What moved: inputs against the samples, probabilities against what happened; and the warnings of both."""
    before = (run.past[-1].manifest.get("drift") or {}).get("inputs") if run.past else None
    given = (run.engine, run.lake, run.policy, models)
    with run.step("drift", "检查数据与预测是否变样", "watch for drift"):
        parts = run.parts("features", run.month)
        inputs = watch_inputs(*given, snapshot=run.month, features=parts, before=before)
    calibration = watch_calibration(judgements)
    warnings = [{key: row[key] for key in ("since", "zh", "en")} for row in inputs["moved"]]
    return {"inputs": inputs, "calibration": calibration, "warnings": warnings + calibration_warnings(calibration)}


def _win_back(run: Run) -> list[dict[str, Any]]:
    with run.step("win_back", "赢回名单", "win-back list", total=len(run.ranges)):
        make = partial(build_win_back, run.engine, run.lake, run.policy, snapshot=run.month)
        source = run.folder("features")
        run.each_range("win_back", None, lambda only, to: make(features=source / only.part, only=only, to=to))
        return count_win_back(run.engine, run.parts("win_back"))


def _prices(run: Run) -> dict[str, Any]:
    """How purchases answer to price, where anybody was quoted one."""
    if not price.known(run.lake):
        return {}
    with run.step("prices", "价格敏感度", "price sensitivity", total=len(run.ranges)), threadpool_limits(limits=1):
        work = run.folder("price_work")
        work.mkdir(parents=True, exist_ok=True)
        model = price.learn(run.engine, run.lake, snapshot=run.month, features=run.parts("features"), work=work)
        make = partial(price.tell, run.engine, model)
        source = run.folder("features")
        run.each_range("price_sensitivity", None, lambda only, to: make(features=source / only.part, only=only, to=to))
    return {"price": model.card}


def _circles(run: Run) -> dict[str, Any]:
    """Who belongs together and who is turned to, where calls between customers are told; no decision hangs on it."""
    if not circles.known(run.lake, run.month):
        return {}
    if (said := circles.too_large(run.lake, run.month, features=run.parts("features"))) is not None:
        return said
    with run.step("circles", "交往圈与意见领袖", "circles and opinion leaders", total=len(run.ranges)):
        make = partial(circles.build_ties, run.engine, run.lake, snapshot=run.month)
        run.each_range("ties", None, lambda only, to: make(only=only, to=to))
        return circles.find_circles(
            snapshot=run.month,
            ranges=run.ranges,
            ties=run.parts("ties"),
            features=run.parts("features"),
            departed=run.parts("win_back"),
            to=run.folder("circles"),
        )


def _niches(run: Run) -> dict[str, Any]:
    with run.step("niches", "寻找细分客户群", "niches"):
        parts, to = run.parts("features"), run.folder("niches") / SINGLE
        most = run.policy.leaving.training_customers_max
        return find_niches(run.engine, run.lake, snapshot=run.month, features=parts, to=to, learnt_from=most)


def _rows(run: Run, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(run.folder(table) / SINGLE).to_pylist()
    return rows


def _decisions(run: Run, models: Models) -> tuple[dict[str, Any], dict[str, Any]]:
    features, scores = run.folder("features"), run.folder("scores")
    with run.step("candidates", "测算候选优惠", "candidates", total=len(run.ranges)):
        make = partial(build_candidates, run.engine, run.policy, snapshot=run.month)
        pilots = run.folder("pilots") / SINGLE
        run.each_range(
            "candidates",
            None,
            lambda only, to: make(
                features=features / only.part, scores=scores / only.part, pilots=pilots, only=only, to=to
            ),
        )
    tables: dict[str, Any] = {
        name: run.folder(name) for name in ("features", "scores", "candidates", "decisions", "assignments", "schedule")
    }
    given = (run.engine, run.lake, run.policy)
    with run.step("allocation", "在资源内分配", "allocation within means"):
        for table in ("decisions", "assignments", "schedule"):
            shutil.rmtree(run.folder(table), ignore_errors=True)
        plan = decide(
            *given,
            snapshot=run.month,
            ranges=run.ranges,
            **tables,
            model_version=models.version,
            progress=run.progress,
        )
    with run.step("check", "独立核对方案", "independent check of the plan"):
        check = verify(*given, snapshot=run.month, **tables)
    return plan, check

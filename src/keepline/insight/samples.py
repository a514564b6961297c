"""The rows models learn from: features, the operator's own facts and outcomes of past snapshots, together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from keepline.engine import Engine, Files, Scan
from keepline.errors import TooFewError
from keepline.insight.inputs import Shelf, attribute_names, rows_query, see_rows
from keepline.periods import Month
from keepline.sampled import LOOKED_AT, Sampled
from keepline.tables import FEATURES, LABELS

_OWN = (("number", pa.float64()), ("code", pa.string()))


@dataclass(frozen=True)
class Sample:
    """A past snapshot whose outcome is known: features and labels of its base, part by part, or of a share of it."""

    snapshot: Month
    features: tuple[Path, ...]
    labels: tuple[Path, ...]
    share: float = 1.0


@dataclass(frozen=True)
class Drawn:
    """How the rows were drawn that models learn from."""

    customers: int  # in the bases of all samples; a customer counts once in each
    share: float


def check_over(samples: Sequence[Sample], *, snapshot: Month, horizon: int) -> None:
    """Refuse a sample whose outcome window had not ended by the snapshot: it would read the future."""
    for sample in samples:
        if sample.snapshot + horizon > snapshot:
            raise TooFewError(
                f"the outcome window of {sample.snapshot} ends after {snapshot}, so its outcome is not known yet",
                f"{sample.snapshot} 的结果窗口在 {snapshot} 之后才结束，其结果尚不可知",
                code="window_open",
            )


def read_samples(
    engine: Engine, lake: Shelf, samples: Sequence[Sample], *, most: int
) -> tuple[pa.Table, tuple[str, ...], Drawn] | None:
    """Features, own facts and labels of the samples' customers, or of an equal share where there are too many."""
    counts = [_count(engine, sample) for sample in samples]
    if not sum(counts):
        return None
    customers = sum(count / sample.share for count, sample in zip(counts, samples, strict=True))
    some = Sampled(min(1.0, most / customers, *(sample.share for sample in samples)))
    names: set[str] = set()
    for sample in samples:
        if lake.has("attributes"):
            engine.see("attributes", lake.scan("attributes", sample.snapshot), some.alone)
            names |= set(attribute_names(engine))
    attributes = tuple(sorted(names))
    tables = [_read_one(engine, lake, sample, attributes=attributes, some=some) for sample in samples]
    return pa.concat_tables(tables), attributes, Drawn(round(customers), some.share)


def _files(sample: Sample) -> tuple[Scan, Scan]:
    return Scan(FEATURES, (Files(tuple(sample.features), 0),)), Scan(LABELS, (Files(tuple(sample.labels), 0),))


def _count(engine: Engine, sample: Sample) -> int:
    engine.see("labels", _files(sample)[1])
    found = engine.fetch(exp.select(exp.alias_(exp.Count(this=exp.Star()), "customers")).from_("labels"))
    return int(found.column("customers")[0].as_py())


def _read_one(engine: Engine, lake: Shelf, sample: Sample, *, attributes: Sequence[str], some: Sampled) -> pa.Table:
    features, labels = _files(sample)
    see_rows(engine, lake, snapshot=sample.snapshot, features=features, attributes=attributes, only=some.alone)
    engine.see("labels", labels, some.alone)
    asked = [name for name in LABELS.names if name not in ("customer_id", "month")]
    customer = exp.column("customer_id", table="features")
    on = exp.EQ(this=customer.copy(), expression=exp.column("customer_id", table="labels"))
    query = rows_query(attributes).select(*[exp.column(name, table="labels") for name in asked]).join("labels", on=on)
    found = engine.fetch(query.order_by(customer)).combine_chunks()
    month = pa.array(np.full(found.num_rows, sample.snapshot.index), pa.int64())
    return found.append_column("snapshot", month).cast(_schema(attributes))


def read_some(
    engine: Engine, lake: Shelf, *, snapshot: Month, features: Sequence[Path], attributes: Sequence[str], most: int
) -> pa.Table:
    """Features and own facts of a month's base, or of a lot of them when there are more than ``most``."""
    scan = Scan(FEATURES, (Files(tuple(features), 0),))
    some = looked_at(features, most)
    see_rows(engine, lake, snapshot=snapshot, features=scan, attributes=attributes, only=some.alone)
    customer = exp.column("customer_id", table="features")
    found = engine.fetch(rows_query(attributes).order_by(customer)).combine_chunks()
    own = [(f"{kind}_{i}", t) for i in range(len(attributes)) for kind, t in _OWN]
    return found.cast(pa.schema([*FEATURES.arrow, *own]))


def looked_at(features: Sequence[Path], most: int) -> Sampled:
    """Whom a month's base is looked at by: an interval of it that holds about ``most``, or everybody."""
    customers = sum(pq.read_metadata(path).num_rows for path in features)
    return Sampled(min(1.0, most / max(1, customers)), LOOKED_AT)


def _schema(attributes: Sequence[str]) -> pa.Schema:
    """One schema for every snapshot and engine."""
    own = [(f"{kind}_{i}", t) for i in range(len(attributes)) for kind, t in _OWN]
    labels = [field for field in LABELS.arrow if field.name not in ("customer_id", "month")]
    return pa.schema([*FEATURES.arrow, *own, *labels, ("snapshot", pa.int64())])

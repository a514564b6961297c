"""The jobs of leaving_bench.py: who leaves, five folds of one seed, by us and by the peers, each in a child process.

usage: leaving_jobs.py WHO FOLDER SEED [TO]     writes the probabilities of customers not seen to TO
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import leaving_figures
import leaving_sets
import numpy as np
from measuring import job

Rows = Any  # a pandas data frame
Numbers = Any
FOLDS = 5
Predict = Callable[[Rows, Numbers, Rows], Numbers]  # learn from rows and who left; the probability of other rows


def keepline(seen: Rows, left: Numbers, unseen: Rows) -> Numbers:
    """The recipe of insight as it is: its choice of inputs, its encoding, its stack."""
    from scipy.special import expit

    from keepline.insight.inputs import choose
    from keepline.insight.leaving import fit_stack

    names = tuple(seen.columns)
    learnt = as_own_facts(seen, names)
    inputs = choose(learnt, names)
    stack = fit_stack(inputs.matrix(learnt), left.astype(float), seen.index.to_numpy(), seed=1, sizes=("small", "long"))
    return expit(stack.logit(inputs.matrix(as_own_facts(unseen, names))))


def as_own_facts(rows: Rows, names: tuple[str, ...]) -> Any:
    """The columns as an operator's own facts, beside features of which nothing is known."""
    import pyarrow as pa

    from keepline.tables import FEATURES

    made = {c.name: pa.nulls(len(rows), FEATURES.arrow.field(c.name).type) for c in FEATURES.columns}
    for i, name in enumerate(names):
        values, number = rows[name], name.startswith("n_")
        floats = values.to_numpy(float) if number else np.full(len(rows), np.nan)
        made[f"number_{i}"] = pa.array(floats, pa.float64(), from_pandas=True)
        made[f"code_{i}"] = pa.nulls(len(rows), pa.string()) if number else pa.array(values.astype(str), pa.string())
    return pa.table(made)


def lightgbm(seen: Rows, left: Numbers, unseen: Rows) -> Numbers:
    import lightgbm as library

    return _second(library.LGBMClassifier(n_jobs=1, verbose=-1, random_state=1).fit(seen, left), unseen)


def xgboost(seen: Rows, left: Numbers, unseen: Rows) -> Numbers:
    import xgboost as library

    model = library.XGBClassifier(n_jobs=1, random_state=1, enable_categorical=True, tree_method="hist")
    return _second(model.fit(seen, left), unseen)


def catboost(seen: Rows, left: Numbers, unseen: Rows) -> Numbers:
    import catboost as library

    codes = _codes(seen)
    texts = dict.fromkeys(codes, str)
    model = library.CatBoostClassifier(verbose=0, thread_count=1, random_seed=1, allow_writing_files=False)
    model.fit(seen.astype(texts), left, cat_features=codes)
    return _second(model, unseen.astype(texts))


def ebm(seen: Rows, left: Numbers, unseen: Rows) -> Numbers:
    from interpret.glassbox import ExplainableBoostingClassifier

    return _second(ExplainableBoostingClassifier(n_jobs=1, random_state=1).fit(seen, left), unseen)


def logistic(seen: Rows, left: Numbers, unseen: Rows) -> Numbers:
    from sklearn.linear_model import LogisticRegression

    model = _after(LogisticRegression(max_iter=2000), seen, levels=True)
    return _second(model.fit(seen, left), unseen)


def forest(seen: Rows, left: Numbers, unseen: Rows) -> Numbers:
    from sklearn.ensemble import RandomForestClassifier

    trees = RandomForestClassifier(500, min_samples_leaf=5, n_jobs=1, random_state=1)
    return _second(_after(trees, seen, levels=False).fit(seen, left), unseen)


def _after(model: Any, seen: Rows, *, levels: bool) -> Any:
    """A model of scikit-learn behind the usual preparation: medians for gaps, levels or ordinals for codes."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    codes = _codes(seen)
    numbers = [name for name in seen if name not in codes]
    coded: Any = OneHotEncoder(handle_unknown="ignore", min_frequency=10)
    if not levels:
        coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(make_column_transformer((filled, numbers), (coded, codes)), model)


def _codes(rows: Rows) -> list[str]:
    return [name for name in rows if name.startswith("c_")]


def _second(model: Any, rows: Rows) -> Numbers:
    return model.predict_proba(rows)[:, 1]


def profit(folder: Path, to: Path) -> None:
    """The same profit by empulse, an independent library, over all customers at once."""
    from empulse.metrics import empc_score

    left, p = np.load(folder / "left.npy"), np.load(to)
    with job() as said:
        found = empc_score(left, p)
    said(empc=float(found), ours=leaving_figures.empc(left, p))


def main(who: str, folder: Path, seed: int, to: Path) -> None:
    if who == "profit":
        profit(folder, to)
        return
    predict: Predict = JOBS[who]
    rows, left = leaving_sets.read(folder)
    fold, p = np.load(folder / f"folds-{seed}.npy"), np.empty(len(left))
    for library in LIBRARIES[who]:
        importlib.import_module(library)  # not part of the job
    with job() as said:
        for i in range(FOLDS):
            p[fold == i] = predict(rows[fold != i], left[fold != i], rows[fold == i])
    np.save(to, p)
    said(customers=len(left))


JOBS = {each.__name__: each for each in (keepline, lightgbm, xgboost, catboost, ebm, logistic, forest)}
PREPARING = ("sklearn.compose", "sklearn.impute", "sklearn.pipeline", "sklearn.preprocessing")
LIBRARIES = {
    "keepline": ("keepline.insight.inputs", "keepline.insight.leaving"),
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost",),
    "catboost": ("catboost",),
    "ebm": ("interpret.glassbox",),
    "logistic": (*PREPARING, "sklearn.linear_model"),
    "forest": (*PREPARING, "sklearn.ensemble"),
}

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))

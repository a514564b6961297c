"""The jobs of uplift_bench.py, ours and the peers', each run in a child process.

usage: uplift_jobs.py WHAT FOLDER FROM_REPEAT TO_REPEAT

FOLDER holds one trial as NumPy files: ``x`` (inputs), ``mailed``, ``y``, and ``folds`` (a row a repetition). Every
job fits on four fifths and tells the effect on the rest, fold by fold, and leaves ``WHAT.npy`` with a row a repetition.
The settings of the boosted trees are those a careful person takes for an effect that is small beside the noise.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import job

Numbers = Any
Learner = Callable[[Numbers, Numbers, Numbers, Numbers], Numbers]  # inputs, mailed, outcome, inputs of others

CAREFUL = {
    "n_estimators": 120, "learning_rate": 0.03, "num_leaves": 6, "min_child_samples": 200, "colsample_bytree": 0.7,
    "subsample": 0.8, "subsample_freq": 1, "reg_lambda": 10.0, "n_jobs": 1, "verbose": -1, "random_state": 1,
}  # fmt: skip
PLAIN = {"n_jobs": 1, "verbose": -1, "random_state": 1}


def binary(y: Numbers) -> bool:
    return bool(np.isin(y, (0, 1)).all())


def trees(y: Numbers, settings: dict[str, Any] | None = None) -> Any:
    """A classifier for visits, a regressor for money."""
    import lightgbm

    chosen = CAREFUL if settings is None else settings
    return lightgbm.LGBMClassifier(**chosen) if binary(y) else lightgbm.LGBMRegressor(**chosen)


def regressor() -> Any:
    import lightgbm

    return lightgbm.LGBMRegressor(**CAREFUL)


def expected(model: Any, x: Numbers) -> Numbers:
    return model.predict_proba(x)[:, 1] if hasattr(model, "predict_proba") else model.predict(x)


def keepline(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    """The product's recipe as it is. What an effect may grow with is who would visit anyway, by its own model.

    For money there is no such size, as for margin in a pilot without answers on record; a few large sums are held.
    """
    from keepline.measurement import uplift

    names, treated = [f"x{i}" for i in range(x.shape[1])], mailed.astype(bool)
    terms = uplift.standardise(dict(zip(names, np.vstack([x, others]).T, strict=True)))
    told, rest = terms.values[: len(y)], terms.values[len(y) :]
    fold, size, size_of_others = uplift.folds(np.arange(len(y))), np.ones(len(y)), np.ones(len(others))
    target = y if binary(y) else uplift.within_reach(y)
    if binary(y):
        size, size_of_others = interest(x, y, ~treated, fold, others)
    seen = uplift.Terms(terms.names, terms.centre, terms.scale, told)
    found = uplift.estimate(
        seen, before=seen, target=target, treated=treated, share=np.full(len(y), mailed.mean()), size=size,
        weight=1 / np.maximum(size * (1 - size), 0.01) if binary(y) else np.ones(len(y)), fold=fold,
    )  # fmt: skip
    return found.effect.at(rest, size_of_others)


def interest(x: Numbers, y: Numbers, alone: Numbers, fold: Numbers, others: Numbers) -> tuple[Numbers, Numbers]:
    """Who would visit without the e-mail: for the trial's own customers told by the other folds."""
    from scipy.special import expit

    from keepline.insight.additive import fit_additive

    def learnt(rows: Numbers, of: Numbers) -> Numbers:
        return expit(fit_additive(x[rows], y[rows], np.ones(int(rows.sum()))).logit(of))

    size = np.empty(len(y))
    for number in np.unique(fold):
        size[fold == number] = learnt(alone & (fold != number), x[fold == number])
    return size, learnt(alone, others)


def response_left_alone(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    """No uplift model: who would visit anyway."""
    return expected(trees(y).fit(x[mailed == 0], y[mailed == 0]), others)


def response_mailed(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    """No uplift model: who visits when mailed, the usual look-alike list."""
    return expected(trees(y).fit(x[mailed == 1], y[mailed == 1]), others)


def causalml_s(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    from causalml.inference.meta import BaseSRegressor

    model = BaseSRegressor(learner=regressor())
    model.fit(X=x, treatment=mailed, y=y)
    return model.predict(X=others).ravel()


def causalml_x(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    from causalml.inference.meta import BaseXRegressor

    model = BaseXRegressor(learner=regressor())
    model.fit(X=x, treatment=mailed, y=y, p=np.full(len(y), mailed.mean()))
    return model.predict(X=others, p=np.full(len(others), mailed.mean())).ravel()


def causalml_forest(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    from causalml.inference.tree import UpliftRandomForestClassifier

    model = UpliftRandomForestClassifier(
        control_name="none", n_estimators=50, max_depth=5, min_samples_leaf=200, min_samples_treatment=50, n_reg=100,
        evaluationFunction="KL", n_jobs=1, random_state=1,
    )  # fmt: skip
    model.fit(x, np.where(mailed == 1, "mailed", "none"), y.astype(int))
    return np.asarray(model.predict(others)).ravel()


def econml_linear(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    from econml.dr import LinearDRLearner
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(x)
    model = LinearDRLearner(
        model_regression=regressor(), model_propensity=LogisticRegression(max_iter=1000), random_state=1
    )
    model.fit(y, mailed, X=scaler.transform(x))
    return model.effect(scaler.transform(others)).ravel()


def econml_forest(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    import lightgbm
    from econml.dml import CausalForestDML

    model = CausalForestDML(
        model_y=regressor(), model_t=lightgbm.LGBMClassifier(**CAREFUL), discrete_treatment=True, n_estimators=400,
        min_samples_leaf=100, max_depth=8, n_jobs=1, random_state=1,
    )  # fmt: skip
    model.fit(y, mailed, X=x)
    return model.effect(others).ravel()


def sklift_transformed(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    import lightgbm
    from sklift.models import ClassTransformation

    return ClassTransformation(lightgbm.LGBMClassifier(**CAREFUL)).fit(x, y.astype(int), mailed).predict(others)


def sklift_two(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    from sklift.models import TwoModels

    return TwoModels(trees(y), trees(y), method="vanilla").fit(x, y, mailed).predict(others)


def sklift_solo_as_it_comes(x: Numbers, mailed: Numbers, y: Numbers, others: Numbers) -> Numbers:
    from sklift.models import SoloModel

    return SoloModel(trees(y, PLAIN)).fit(x, y, mailed).predict(others)


LEARNERS: dict[str, Learner] = {
    each.__name__: each
    for each in (
        *(keepline, response_left_alone, response_mailed, causalml_s, causalml_x, causalml_forest),
        *(econml_linear, econml_forest, sklift_transformed, sklift_two, sklift_solo_as_it_comes),
    )
}


def main(what: str, folder: Path, repeats: range) -> None:
    x, mailed, y, folds = (np.load(folder / f"{name}.npy") for name in ("x", "mailed", "y", "folds"))
    learner = LEARNERS[what]
    told = np.empty((len(repeats), len(y)))
    learner(x[:4000], mailed[:4000], y[:4000], x[:9])  # imports and caches are nobody's job
    with job() as said:
        for row, repeat in enumerate(repeats):
            for fold in np.unique(folds[repeat]):
                seen = folds[repeat] != fold
                told[row, ~seen] = learner(x[seen], mailed[seen], y[seen], x[~seen])
    np.save(folder / f"{what}.npy", told)
    fits = len(repeats) * len(np.unique(folds[0]))
    said(fits=fits)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    main(sys.argv[1], Path(sys.argv[2]), range(int(sys.argv[3]), int(sys.argv[4])))

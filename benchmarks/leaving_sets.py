"""Public churn sets as plain tables: numbers, codes, who left, and what each mistake costs where the set says it.

A column's name begins with ``n_`` for a number and ``c_`` for a code; numbers of customers and whatever is
known only afterwards are left out, as every peer must do without them.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Rows = Any  # a pandas data frame
COSTS = ("C_FP", "C_FN", "C_TP", "C_TN")


@dataclass(frozen=True)
class Churn:
    """One set. ``costs`` are four columns a customer, of false and true alarms, in the order of COSTS."""

    rows: Rows
    left: Any
    costs: Any = None


def telco(data: Path) -> Churn:
    import pandas as pd

    rows = pd.read_csv(data / "ibm-telco" / "Telco-Customer-Churn.csv").drop(columns="customerID")
    rows["TotalCharges"] = pd.to_numeric(rows["TotalCharges"], errors="coerce")
    left = rows.pop("Churn") == "Yes"
    return Churn(_named(rows), left.to_numpy(int))


def cell2cell(data: Path) -> Churn:
    """Without the service area, which is a name: 748 of them."""
    import pandas as pd

    with zipfile.ZipFile(data / "cell2cell" / "cell2celltrain.csv.zip") as packed:
        inside = next(n for n in packed.namelist() if n.endswith(".csv") and "__MACOSX" not in n)
        with packed.open(inside) as file:
            rows = pd.read_csv(file)
    left = rows.pop("Churn") == "Yes"
    return Churn(_named(rows.drop(columns=["CustomerID", "ServiceArea"])), left.to_numpy(int))


def tv(data: Path) -> Churn:
    import pandas as pd

    rows = pd.read_csv(data / "tv-churn-cost" / "churn_tv_subscriptions.csv.gz").drop(columns="id")
    left, costs = rows.pop("target"), rows[list(COSTS)].to_numpy(float)
    return Churn(_named(rows.drop(columns=list(COSTS))), left.to_numpy(int), costs)


def prepaid(data: Path) -> Churn:
    """Months 6 to 8 of a panel; gone is who neither called nor was called nor moved data in month 9."""
    import pandas as pd

    rows = pd.read_csv(data / "telecom-panel-1000" / "telecom_churn_data_first1000.csv")
    last = [f"{name}_9" for name in ("total_ic_mou", "total_og_mou", "vol_2g_mb", "vol_3g_mb")]
    left = (rows[last].fillna(0) == 0).all(axis=1)
    later = [name for name in rows if name.endswith("_9") or name.startswith("sep_")]
    seen = rows.drop(columns=["subscriber_id", *later]).select_dtypes("number")
    return Churn(_named(seen.loc[:, seen.nunique() > 1]), left.to_numpy(int))


SETS = {"IBM Telco": telco, "Cell2Cell": cell2cell, "TV subscriptions": tv, "prepaid panel": prepaid}


def _named(rows: Rows) -> Rows:
    """Names that say which columns are numbers."""
    from pandas.api.types import is_numeric_dtype

    return rows.rename(columns={name: f"{'n' if is_numeric_dtype(rows[name]) else 'c'}_{name}" for name in rows})


def write(found: Churn, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found.rows.to_csv(folder / "rows.csv.gz", index=False, compression={"method": "gzip", "compresslevel": 1})
    np.save(folder / "left.npy", found.left)
    if found.costs is not None:
        np.save(folder / "costs.npy", found.costs)


def read(folder: Path) -> tuple[Rows, Any]:
    """The rows with codes as categories, and who left."""
    import pandas as pd

    path = folder / "rows.csv.gz"
    names = list(pd.read_csv(path, nrows=0).columns)
    codes = {name: str for name in names if name.startswith("c_")}
    rows = pd.read_csv(path, dtype=codes, keep_default_na=True)
    for name in codes:
        rows[name] = rows[name].fillna("unknown").astype("category")
    return rows, np.load(folder / "left.npy")

"""One body of a data test, both engines: the ``engine`` fixture."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepline import engine as engines
from keepline.engine import Engine


def spark_missing() -> str:
    """Why Spark tests cannot run here; empty when they can."""
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is not installed; make test installs it"
    if shutil.which("java") is None:
        return "Java 17 is not installed; apt-get install openjdk-17-jre-headless"
    return ""


@pytest.fixture(scope="session")
def spark() -> Iterator[Engine]:
    """One Spark session for all tests; starting one costs seconds."""
    if why := spark_missing():
        pytest.skip(why)
    started = engines.start("spark", memory="1GB")
    yield started
    started.close()


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Every data test runs on both engines."""
    if request.param == "spark":
        yield request.getfixturevalue("spark")
        return
    started = engines.start("duckdb", spill=tmp_path / "spill")
    yield started
    started.close()

"""One body of a data test, both engines: the ``engine`` fixture."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

import short_spark
from keepline import engine as engines
from keepline.engine import Engine

# the same examples every time, and no test that fails because the machine is busy
hypothesis.settings.register_profile("keepline", derandomize=True, deadline=None)
hypothesis.settings.load_profile("keepline")

DATA = Path(__file__).parents[2] / "shared" / "data"


def spark_missing() -> str:
    """Why Spark tests cannot run here; empty when they can."""
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is not installed; make test installs it"
    if shutil.which("java") is None:
        return "Java 17 is not installed; apt-get install openjdk-17-jre-headless"
    return ""


@pytest.fixture(scope="session")
def spark_here() -> None:
    """Whatever needs Spark skips where there is none."""
    if why := spark_missing():
        pytest.skip(why)


@pytest.fixture(scope="session")
def spark(spark_here: None) -> Iterator[Engine]:
    """One Spark session for all tests; they are over before compiled code has paid for itself."""
    _ = spark_here
    started = engines.start("spark", memory="1GB", more=short_spark.DRIVER)
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


@pytest.fixture
def compiled(engine: Engine) -> Iterator[None]:
    """Spark compiles its queries, as it does for everybody but these tests."""
    if engine.name != "spark":
        yield
        return
    from pyspark.sql import SparkSession

    said = SparkSession.active().conf
    for name, value in short_spark.COMPILED.items():
        said.set(name, value)
    yield
    for name, value in short_spark.INTERPRETED.items():
        said.set(name, value)


@pytest.fixture
def data_dir() -> Path:
    """The real data sets, which lie beside the project and are not part of it."""
    if not DATA.is_dir():
        pytest.skip("the real data sets are not beside the project (../shared/data)")
    return DATA


@pytest.fixture
def found(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Hand a figure to docs/results.md: ``found("AUC, month 8", "0.81 ± .03", demand="≥ .75", source="…")``."""

    def hand_over(what: str, value: object, *, demand: str = "", source: str = "") -> None:
        said = {"what": what, "value": str(value), "demand": demand, "source": source}
        record_property("found", json.dumps(said, ensure_ascii=False))

    return hand_over


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share one costly thing (a Spark session, a browser, a demo) share one worker."""
    for item in items:
        for kind in ("spark", "browser"):
            if item.get_closest_marker(kind):
                item.add_marker(pytest.mark.xdist_group(kind))
        if "demo_made" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("demo"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under KEEPLINE_CI nothing may skip, except a data test where there are no data."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not may_skip(item):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped, and KEEPLINE_CI allows no skip: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file that skips as a whole is held to the same."""
    report = yield
    if report.skipped and not may_skip(collector):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skipped whole, and KEEPLINE_CI allows no skip: {report.longrepr}"
    return report


def may_skip(item: pytest.Item | pytest.Collector) -> bool:
    """Whether this skip is forgiven here."""
    no_data = item.get_closest_marker("data") is not None and not DATA.is_dir()
    return no_data or os.environ.get("KEEPLINE_CI") != "1"

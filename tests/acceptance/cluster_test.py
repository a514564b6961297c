"""The whole loop on a real cluster: a master and two workers, each a process, one of which dies in the middle."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import short_spark
import spark_cluster
from acceptance.commands import KEEPLINE, answer, keepline
from acceptance.commands import parts as parts_of
from keepline.demo import ASKED, LAST, Asked
from keepline.simulate.operator import start_site
from spark_cluster import Cluster, RefusedError, Size

MONTH = str(LAST)
OPERATOR = Asked(customers=4000, months=8, seed=1)
LEARN_FROM = 1200  # customers: what models learn from, and twice as many among whom niches are sought
WAIT = 600  # seconds until a run that does not end is given up
DRIVER = {  # too small to hold the features of the base, large enough for what is learnt from
    "spark.driver.memory": "512m",
    "spark.driver.maxResultSize": "2m",
    "spark.executor.memory": "768m",
}
ALL_FEATURES = """
import sys
from pathlib import Path
from sqlglot import exp
from keepline.engine import Files, Scan, start
from keepline.site import open_site
from keepline.tables import FEATURES
said = open_site(Path(sys.argv[1])).settings
engine = start("spark", master=said.spark_master, more=said.spark_settings)
engine.see("features", Scan(FEATURES, (Files(tuple(Path(part) for part in sys.argv[2:])),)))
engine.fetch(exp.select(*FEATURES.names).from_("features"))
"""

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def operator(spark_here: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose last months DuckDB published; its policy lets few customers be learnt from."""
    _ = spark_here
    site = tmp_path_factory.mktemp("operator") / "site"
    asked = asdict(OPERATOR)
    start_site(site, **asked, last=LAST, engine="duckdb")
    (site / ASKED).write_text(json.dumps(asked | {"engine": "duckdb"}), encoding="utf-8")
    leaving = site / "policy" / "leaving.toml"
    said = leaving.read_text(encoding="utf-8").splitlines()
    told = [f"training_customers_max = {LEARN_FROM}" if x.startswith("training_customers_max") else x for x in said]
    leaving.write_text("\n".join(told) + "\n", encoding="utf-8")
    keepline("demo", "--site", site, *(word for name, n in asked.items() for word in (f"--{name}", str(n))))
    return site


@pytest.fixture(scope="module")
def cluster(spark_here: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Cluster]]:
    _ = spark_here
    folder = tmp_path_factory.mktemp("cluster")
    started = spark_cluster.start(folder, Size(workers=2, cores=1, memory="1g"))
    yield folder, started
    spark_cluster.stop(folder)
    at = urlsplit(started.url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((at.hostname, at.port))


@pytest.fixture
def site(operator: Path, cluster: tuple[Path, Cluster], tmp_path: Path) -> Path:
    """The operator's site on the cluster, its last month not yet published, in two ranges of customers."""
    site = tmp_path / "site"
    shutil.copytree(operator, site, ignore=shutil.ignore_patterns("kept", "truth", "superseded"))
    shutil.rmtree(site / "published" / MONTH)
    settings = site / "keepline.toml"
    text = settings.read_text(encoding="utf-8").replace('engine = "duckdb"', 'engine = "spark"')
    mine = {"spark_master": cluster[1].url, "range_customers": OPERATOR.customers * 3 // 4}
    kept = [line for line in text.splitlines() if line.split(" ")[0] not in mine]
    lines = [f"{name} = {json.dumps(value)}" for name, value in mine.items()]
    table = [f'"{name}" = {json.dumps(value)}' for name, value in (DRIVER | short_spark.CLUSTER).items()]
    settings.write_text("\n".join([*kept, *lines, "[spark]", *table]) + "\n", encoding="utf-8")
    return site


def test_a_cluster_that_loses_a_worker_publishes_the_same_month_and_its_driver_holds_no_customers(
    site: Path, operator: Path, cluster: tuple[Path, Cluster], tmp_path: Path
) -> None:
    folder, running = cluster
    with (tmp_path / "said.txt").open("w") as said:
        command = [*KEEPLINE, "run", "--site", site.name, "--month", MONTH]  # named from where one stands, as people do
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=site.parent)
        while run.poll() is None and not list(site.glob("work/*/labels-*/part-*.parquet")):
            time.sleep(0.1)
        assert run.poll() is None, (tmp_path / "said.txt").read_text()
        spark_cluster.kill(running.workers[0])
        assert run.wait(WAIT) == 0, (tmp_path / "said.txt").read_text()
    assert list((folder / "work-worker-1").glob("app-*/*/stderr")), "the worker that was killed had no executor"
    made, known = (json.loads((at / "published" / MONTH / "manifest.json").read_text()) for at in (site, operator))
    assert made["engine"] == "spark"
    assert made["publication_id"] == known["publication_id"]
    assert made["tables"] == known["tables"]
    assert len(parts_of(site, "decisions", MONTH)) == 2
    assert not list((site / "published" / MONTH).rglob(".*"))


def test_that_driver_could_not_have_held_the_features_of_the_base(site: Path, operator: Path) -> None:
    words = [sys.executable, "-c", ALL_FEATURES, str(site), *map(str, parts_of(operator, "features", MONTH))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=WAIT, check=False)
    assert done.returncode == 1
    assert "EngineError: Spark could not finish" in done.stderr
    assert "spark.driver.maxResultSize" in done.stderr


def test_more_memory_than_any_worker_offers_is_refused_and_not_waited_for(site: Path) -> None:
    settings = site / "keepline.toml"
    text = settings.read_text(encoding="utf-8").replace('"768m"', '"3g"')
    settings.write_text(text + '"spark.scheduler.maxRegisteredResourcesWaitingTime" = "3s"\n', encoding="utf-8")
    error = answer("run", "--site", site, "--month", MONTH, expect=1)["error"]
    assert error["code"] == "no_executor"
    assert "3g" in error["en"]
    assert "工作节点" in error["zh"]


def test_a_folder_holds_one_cluster(cluster: tuple[Path, Cluster]) -> None:
    with pytest.raises(RefusedError, match="has a cluster already"):
        spark_cluster.start(cluster[0], Size())


def test_without_java_a_cluster_is_refused_with_the_package_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(RefusedError, match=r"缺少 Java 17.*\n.*openjdk-17-jre-headless"):
        spark_cluster.start(tmp_path, Size())

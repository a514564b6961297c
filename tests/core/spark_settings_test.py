"""What keepline.toml says of Spark: taken as it is meant, or refused in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepline import engine as engines
from keepline.errors import EngineError, SiteError
from keepline.site import Settings, open_site


def said(folder: Path, table: str) -> Settings:
    (folder / "keepline.toml").write_text(f'name = "测试电信"\nengine = "spark"\n{table}\n', encoding="utf-8")
    return open_site(folder).settings


def test_settings_reach_spark_as_it_writes_them(tmp_path: Path) -> None:
    table = '[spark]\n"spark.executor.memory" = "4g"\n"spark.executor.cores" = 2\n"spark.speculation" = true'
    assert said(tmp_path, table).spark_settings == {
        "spark.executor.memory": "4g",
        "spark.executor.cores": "2",
        "spark.speculation": "true",
    }


@pytest.mark.parametrize(
    ("line", "en", "zh"),
    [
        ('spark.executor.memory = "4g"', "write it whole and in quotes", "请写全名并加引号"),
        ('"executor.memory" = "4g"', "no name of a setting of Spark", "不是 Spark 的设置名"),
        ('"spark.master" = "yarn"', "it is spark_master", "请用 spark_master"),
        ('"spark.sql.ansi.enabled" = false', "results hang on it", "结果取决于它"),
        ('"spark.jars" = ["a.jar"]', "must be a text", "应为文字"),
    ],
)
def test_a_setting_that_is_unclear_or_ours_is_refused_in_both_languages(
    line: str, en: str, zh: str, tmp_path: Path
) -> None:
    with pytest.raises(SiteError, match=en) as refused:
        said(tmp_path, f"[spark]\n{line}")
    assert zh in refused.value.zh


def test_without_java_spark_is_refused_with_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(EngineError, match="openjdk-17-jre-headless") as refused:
        engines.start("spark")
    assert "openjdk-17-jre-headless" in refused.value.zh

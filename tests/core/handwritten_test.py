"""Files people wrote by hand: a mistake is told with its place in both languages, and no English in the Chinese."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.small_lake import lake_of
from core.small_manifest import manifest
from core.small_publication import publish
from keepline import console
from keepline.cli import cli
from keepline.errors import IntakeError, PolicyError, PublicationError, SiteError, UsageError
from keepline.lake.intake import check
from keepline.lake.mapping import read_mapping
from keepline.newsite import make_site
from keepline.periods import Month
from keepline.policy.documents import read_policy
from keepline.progress import Silent
from keepline.review import review_policy
from keepline.site import open_site
from keepline.trial import Trial, try_policy

STARTER = Path(__file__).parents[2] / "src" / "keepline" / "policy" / "starter"
OCTOBER = Month.parse("2026-10")


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    for path in STARTER.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("limits", "money_fen = 800000", 'money_fen = "2400000"'),
        ("limits", "money_fen = 800000", "money_fen = true"),
        ("limits", "sms = 300", "sms = -1"),
        ("limits", "manager_minutes_each = 1200", "manager_minutes_each = -1"),
        ("contact", "open_complaint_stops = true", 'open_complaint_stops = "off"'),
        ("contact", '"sms", "email"', '"smss", "email"'),
        ("value", "recurring = 0.55", "recurring = 55"),
        ("limits", "money_fen = 800000", "money_fen = 99999999999999999999999"),
        ("classes", 'id = "growing"', 'id = "high-fee"'),
        ("leaving", "medium_band_min = 0.06", "medium_band_min = 0.6"),
        ("offers", "from_months = 120", "from_months = 60"),
        ("value", "recurring = 0.55", "recurring = nan"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(policy: Path, name: str, before: str, after: str) -> None:
    path = policy / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(PolicyError) as refusal:
        read_policy(policy, OCTOBER)
    assert refusal.value.code == "policy_unclear"
    assert refusal.value.zh.split("：")[0] == f"政策文件 {path} 有误"
    assert not re.search(r"Input|should|value|写法不对", refusal.value.zh.split("有误")[1])


def test_a_file_that_is_no_toml_or_no_text_says_where(policy: Path) -> None:
    path = policy / "limits.toml"
    for content, place in ((b'version = "1\n', "第 1 行"), (b"a = [", "文件末尾"), (b"# \xff\xfe", "第 2 字节")):
        path.write_bytes(content)
        with pytest.raises(PolicyError, match=re.escape(str(path))) as refusal:
            read_policy(policy, OCTOBER)
        assert refusal.value.code == "policy_toml"
        assert place in refusal.value.zh


def test_a_mapping_is_refused_in_words_of_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "bills.toml"
    path.write_text(
        '[match]\nfiles = ["bills*.csv"]\n[[table]]\nname = "bils"\n[table.columns]\namount_fen = { unit = "yuann" }\n',
        encoding="utf-8",
    )
    with pytest.raises(IntakeError, match="say exactly one of") as refusal:
        read_mapping(path)
    assert "须恰好写一项" in refusal.value.zh
    assert not re.search(r"Value error|Input|should", refusal.value.zh)
    assert "Value error" not in refusal.value.en


def test_a_number_no_computer_reads_is_refused_like_any_slip(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    path = tmp_path / "site" / "keepline.toml"
    path.write_text(f'name = "x"\nseed = {"9" * 5000}\n', encoding="utf-8")
    with pytest.raises(SiteError, match="not valid TOML"):
        open_site(tmp_path / "site")


def test_settings_are_refused_by_their_place(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    path = tmp_path / "site" / "keepline.toml"
    path.write_text(path.read_text(encoding="utf-8") + '\ncolour = "blue"\n', encoding="utf-8")
    with pytest.raises(SiteError) as refusal:
        open_site(tmp_path / "site")
    assert "colour：没有这一项" in refusal.value.zh


def test_a_code_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    with pytest.raises(UsageError, match=r"set_aside_share, total_mismatch") as refusal:
        check(open_site(tmp_path / "site"), [tmp_path / "any.csv"], accept=("row_cuont",))
    assert "没有代码 row_cuont" in refusal.value.zh


def test_policy_check_notes_what_would_surprise(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    site = open_site(tmp_path / "site")
    lots = {"experiment_id": "pilot-data-gift", "offer_id": "data-gift", "customer_id": 1, "arm": "treated"}
    bill = {"customer_id": 1, "month": "2026-10", "component": "recurring", "amount_fen": 1}
    lake_of(site.lake, bills=[bill], experiments=[lots | {"month": "2026-05"}])
    path = site.policy / "limits.toml"
    text = re.sub(r"valid_from = [0-9-]+", "valid_from = 2026-11-01", path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    notes = [note.en for note in review_policy(site, None).notes]
    assert notes[0] == "limits.toml binds from 2026-11-01: 2026-10 cannot be run with it"
    assert any("no record of experiment pilot-renew-contract" in note for note in notes)
    assert not any("pilot-data-gift" in note for note in notes)
    assert not any("running_pilot_stops" in note for note in notes)
    path = site.policy / "contact.toml"
    text = path.read_text(encoding="utf-8").replace("running_pilot_stops = true", "running_pilot_stops = false")
    path.write_text(text, encoding="utf-8")
    assert any("running_pilot_stops is false" in note.en for note in review_policy(site, None).notes)
    with pytest.raises(PolicyError, match="binds from") as refused:
        review_policy(site, OCTOBER)
    for words in (refused.value.en, refused.value.zh):
        assert "keepline policy try" in words


def test_a_policy_that_binds_later_is_tried_on_an_earlier_month_and_that_is_said(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    site = open_site(tmp_path / "site")
    folder = publish(site.published(OCTOBER))
    shutil.copytree(site.policy, folder / "policy")
    (folder / "manifest.json").write_text(json.dumps(manifest()), encoding="utf-8")
    limits = site.policy / "limits.toml"
    limits.write_text(limits.read_text("utf-8").replace("= 2000-01-01", "= 2026-11-01"), encoding="utf-8")
    with pytest.raises(PublicationError, match="no bills of 2026-10"):  # read, and on to the month itself
        try_policy(site, OCTOBER, progress=Silent())
    none: dict[str, dict[str, int]] = {"classes": {}, "states": {}, "offers": {}, "total": {}}
    trial = Trial(OCTOBER, [], none, none, 0, False, {"limits": "2026-11-01"}, {})
    assert "limits binds from 2026-11-01 on; here it was tried on 2026-10, an earlier month" in trial.text("en")
    assert "limits 自 2026-11-01 起生效，此处在更早的账期 2026-10 上试算" in trial.text("zh")
    assert json.loads(json.dumps(trial.to_dict()))["not_yet"] == {"limits": "2026-11-01"}


@pytest.mark.parametrize(
    ("words", "zh"),
    [
        (["demo", "--citizens", "1"], "没有选项 --citizens；是否想写 --site"),
        (["run", "--month", "2026-10"], "缺少 --site"),
        (["demo", "--customers", "many"], "--customers 的内容不对"),
        (["demo", "--customers"], "选项 --customers 后面缺少内容"),
        (["bogus"], "没有这个命令，或多写了内容"),
    ],
)
def test_words_typed_wrong_are_told_in_chinese_too(words: list[str], zh: str) -> None:
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    assert console._usage_zh(result.exception) == zh  # type: ignore[arg-type]


def test_a_mistake_in_the_service_standards_is_found_by_policy_check(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="x")
    site, path = open_site(tmp_path / "site"), tmp_path / "site" / "policy" / "service.toml"
    review_policy(site, None)
    path.write_text(
        path.read_text(encoding="utf-8").replace("contact_days_max = 30", "contact_days_max = 0"), encoding="utf-8"
    )
    with pytest.raises(PolicyError, match="contact_days_max"):
        review_policy(site, None)

"""What the how-to says of limits is what binds, and what the code may not do it does nowhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from keepline_web.customers.actions import UNMASK_A_DAY, UNMASK_SECONDS
from keepline_web.customers.queries import NAMES_AT_MOST, SEARCHES_A_MINUTE
from keepline_web.exchange.scanning import PATIENCE_SECONDS
from keepline_web.exchange.uploads import MOST_BYTES
from keepline_web.exports.actions import A_DAY
from keepline_web.exports.queries import SECOND_ABOVE
from keepline_web.people.access import LATELY_SECONDS
from keepline_web.people.actions import FIRST_PASSWORD_DAYS
from keepline_web.people.passwords import PRODUCT
from keepline_web.work.actions import LINES_AN_HOUR

ROOT = Path(__file__).parents[2]
SAID = " ".join((ROOT / "docs/howto/security.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("words", "figure"), [
    (r"for a reason, (\d+) times a day", UNMASK_A_DAY),
    (r"in full for (\d+) seconds", UNMASK_SECONDS), (r"Exports: (\d+) a day", A_DAY),
    (r"above (\d+) rows a second", SECOND_ABOVE), (r"above (\d+) accounts it is refused", NAMES_AT_MOST),
    (r"(\d+) searches a minute", SEARCHES_A_MINUTE), (r"(\d+) new lines of the log an hour", LINES_AN_HOUR),
    (r"more than (\d+) minutes ago", LATELY_SECONDS / 60), (r"at most (\d+) MB, at most 200", MOST_BYTES / 1_000_000),
    (r"after (\d+) seconds, the file is not taken", PATIENCE_SECONDS),
])  # fmt: skip
def test_a_limit_is_the_one_that_is_written_down(words: str, figure: float) -> None:
    found = re.search(words, SAID)
    assert found is not None, words
    assert int(found.group(1)) == figure


def test_how_sign_in_is_guarded_is_written_down() -> None:
    assert "Five wrong passwords for one name **from one address** close that pair for 15 minutes" in SAID
    assert (settings.AXES_FAILURE_LIMIT, settings.AXES_COOLOFF_TIME * 60) == (5, 15)
    assert "A password has 12 signs or more" in SAID
    assert {"OPTIONS": {"min_length": 12}}.items() <= settings.AUTH_PASSWORD_VALIDATORS[0].items()
    assert f"it holds neither `{PRODUCT}`, nor the operator's name, nor one's own name or user name" in SAID
    assert "is good for a week" in SAID
    assert FIRST_PASSWORD_DAYS == 7


def test_how_long_a_session_lasts_is_written_down() -> None:
    assert "ends after 30 minutes of silence and after 12 hours in any case" in SAID
    assert (settings.IDLE_SECONDS, settings.SESSION_COOKIE_AGE) == (30 * 60, 12 * 3600)


def test_every_key_that_is_drawn_is_in_the_table_of_keys() -> None:
    drawn = set()
    for file, node in calls():
        name = ast.unparse(node.func)
        if name in ("keys.key", "key") and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            assert isinstance(node.args[1].value, str), file
            drawn.add(node.args[1].value)
    assert {"django", "field", "index", "audit"} <= drawn
    assert all(f"purpose `{name}`" in SAID for name in drawn), drawn


# what the code does nowhere


def calls() -> Iterator[tuple[str, ast.Call]]:
    for file in sorted((ROOT / "src/keepline_web").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield file.name, node


def test_no_program_is_started_through_a_shell() -> None:
    for file, node in calls():
        name = ast.unparse(node.func)
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), file
        assert not any(word.arg == "shell" for word in node.keywords), file


def test_no_weak_digest_protects_anything() -> None:
    weak = {"hashlib.md5", "hashlib.sha1", "md5", "sha1"}
    assert [file for file, node in calls() if ast.unparse(node.func) in weak] == []
    for file, node in calls():
        if ast.unparse(node.func) == "hmac.digest":
            assert ast.unparse(node.args[2]) == "hashlib.sha256", file


def test_nothing_is_asked_of_another_host_but_the_database_and_the_place_for_logs() -> None:
    asks = {"urlopen", "requests", "httpx", "aiohttp", "http", "smtplib", "ftplib", "socket"}
    found = {file for file, node in calls() if ast.unparse(node.func).split(".")[0] in asks}
    assert found <= {"serving.py", "forwarding.py"}  # itself at the start, a free port, and syslog


def test_the_log_goes_to_standard_error_alone_in_lines_of_one_shape() -> None:
    said = settings.LOGGING
    assert list(said["handlers"]) == said["root"]["handlers"] == ["err"]
    assert said["handlers"]["err"] == {"class": "logging.StreamHandler", "formatter": "line"}
    assert list(said["formatters"]) == ["line"]
    assert "%(asctime)s" in said["formatters"]["line"]["format"]


def test_nothing_is_asked_that_reminds_of_a_password() -> None:
    pages = "".join(
        path.read_text(encoding="utf-8") for path in ROOT.glob("src/keepline_web/people/templates/**/*.html")
    )
    assert not re.search(r"security.question|maiden|hint_question|password.hint|密码提示|安全问题", pages, re.I)

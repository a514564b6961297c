"""What comes from outside is read as data alone, by the web server, the scripts and everything that opens a file."""

from __future__ import annotations

import ast
import os
import pickle
import re
import socket
import stat
import subprocess
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client

from keepline.front import KeeplineError, mapping_for, open_site
from keepline_web import serving
from keepline_web.exchange import uploads
from keepline_web.exchange.models import Upload
from keepline_web.frame.refusals import Refused
from keepline_web.people.models import Session
from keepline_web.work.models import Contact
from web.cast import Cast
from web.conftest import ROOT
from web.visiting import browser, text_of

SRC = Path(__file__).parents[2] / "src"
SECRET = "only-the-server-may-read-this"

# files

CELLS = '<?xml version="1.0"?>{doctype}<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ' \
        'count="2" uniqueCount="2"><si><t>客户编号{entity}</t></si><si><t>金额</t></si></sst>'  # fmt: skip
SHEET = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' \
        '<sheetData>' \
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>' \
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row></sheetData></worksheet>'  # fmt: skip
REST = {
    "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<?xml version="1.0"?><workbook '
    'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<?xml version="1.0"?><Relationships '
    'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/>'
    '<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" '
    'Target="sharedStrings.xml"/></Relationships>',
    "xl/worksheets/sheet1.xml": SHEET,
}  # fmt: skip
LAUGHS = (
    "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)) + "]>"
)


def workbook(path: Path, *, doctype: str, entity: str) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in REST.items():
            packed.writestr(name, text)
        packed.writestr("xl/sharedStrings.xml", CELLS.format(doctype=doctype, entity=entity))
    return path


def drafted(path: Path) -> str:
    """What the page that proposes a mapping would show of the file."""
    try:
        return str(mapping_for(open_site(ROOT), path))
    except KeeplineError as error:
        return f"{error.zh} {error.en}"


def test_a_workbook_of_ours_is_read_so_that_the_next_test_means_something(tmp_path: Path) -> None:
    assert "客户编号" in drafted(workbook(tmp_path / "bills.xlsx", doctype="", entity=""))


@pytest.mark.parametrize("kind", ["SYSTEM", "PUBLIC 'x'"])
def test_an_entity_in_a_workbook_brings_in_no_file(kind: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    doctype = f"<!DOCTYPE sst [<!ENTITY x {kind} 'file://{tmp_path}/secret'>]>"
    assert SECRET not in drafted(workbook(tmp_path / "bills.xlsx", doctype=doctype, entity="&x;"))


def test_entities_that_grow_are_not_grown(tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    said = drafted(workbook(tmp_path / "bills.xlsx", doctype=LAUGHS, entity="&a9;"))
    assert len(said) < 100_000
    assert psutil.Process().memory_info().rss - before < 50_000_000


@pytest.mark.parametrize(("name", "data"), [
    ("bills.xlsx", b"MZ" + bytes(500)), ("bills.xlsx", b"PK\x03\x04" + b"x" * 400),
    ("bills.parquet", b"PAR1" + b"x" * 300),
    ("bills.zip", b"<svg onload=alert(1)>"), ("bills.gz", b"GIF89a" + b"x" * 99), ("bills.ods", b""),
    ("bills.xlsb", b"<!DOCTYPE html><script>alert(1)</script>"),
    ("bills.csv", b"<svg xmlns='x'><script>1</script></svg>"),
])  # fmt: skip
def test_a_file_that_is_not_what_its_name_says_is_refused_in_words(
    name: str,
    data: bytes,
    cast: Cast,
    tmp_path: Path,  # noqa: ARG001
) -> None:
    client = browser(cast.people["importer"])
    answer = client.post("/data/receive", {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code in (302, 422)
    if answer.status_code == 302:
        page = client.get(answer["Location"])
        assert page.status_code == 200
        text = text_of(page)
        assert not re.search("<svg onload|<script>(alert|1)", text)


def test_files_with_names_of_programs_or_pictures_are_not_taken(cast: Cast) -> None:
    client = browser(cast.people["importer"])
    for name in ("a.svg", "a.html", "a.exe", "a.csv.exe", "a.php", "a", ".csv", "a.xml", "a.xlsm"):
        assert client.post("/data/receive", {"file": SimpleUploadedFile(name, b"1,2\n")}).status_code == 422, name
    assert not Upload.objects.exists()


# the operator's scanner


def scanner(tmp_path: Path, words: str) -> str:
    path = tmp_path / "a scanner.sh"
    path.write_text(f"#!/bin/sh\n{words}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"'{path}' --quick"


def sent(cast: Cast, text: str) -> Upload:
    return uploads.receive(by=cast.people["importer"], file=SimpleUploadedFile("bills.csv", text.encode()))


def folders() -> set[str]:
    place = ROOT / uploads.FOLDER
    return {path.name for path in place.iterdir()} if place.exists() else set()


def test_a_file_the_scanner_calls_harmful_is_refused_and_gone(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.SCAN = scanner(tmp_path, '[ "$1" = --quick ] || exit 2; grep -q EICAR "$2" && exit 1; exit 0')
    assert sent(cast, "a,b\n1,2\n").pk
    before = folders()
    with pytest.raises(Refused) as refused:
        sent(cast, "a,EICAR\n")
    assert (refused.value.code, refused.value.status) == ("file_harmful", 422)
    assert folders() == before
    assert Upload.objects.count() == 1


@pytest.mark.parametrize("words", ["exit 2", "exit 127", "kill -9 $$", None])
def test_a_file_that_could_not_be_scanned_is_not_taken(
    words: str | None, cast: Cast, settings: Any, tmp_path: Path
) -> None:
    settings.SCAN = scanner(tmp_path, words) if words else "/nowhere/clamdscan"
    with pytest.raises(Refused) as refused:
        sent(cast, "a,b\n")
    assert (refused.value.code, refused.value.status) == ("not_scanned", 503)
    assert not Upload.objects.exists()


# objects

UNPACKERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle", "yaml"}


def test_nothing_of_ours_makes_objects_of_what_came_from_outside() -> None:
    found = []
    for file in (SRC / "keepline_web").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")
            if called or UNPACKERS & {name.split(".")[0] for name in names}:
                found.append((file.name, node.lineno))
    assert found == []


class Opens:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {ROOT}/opened",)


def test_a_session_that_holds_an_object_opens_nothing(cast: Cast) -> None:
    client = browser(cast.owner)
    client.get("/me")
    data = pickle.dumps(Opens()).hex()
    Session.objects.filter(session_key=client.session.session_key).update(session_data=data)
    assert client.get("/me")["Location"].startswith("/sign-in")
    assert not (ROOT / "opened").exists()


# what copies properties by their names; to give an element those that stand in the script itself is no such thing
FOREIGN_NAMES = re.compile(
    r"__proto__|prototype\b|Object\.assign\((?!\w+, \{ \w+: )|structuredClone|\bmerge\(|\bextend\("
)


def test_scripts_of_ours_write_no_property_whose_name_came_in() -> None:
    for file in (SRC / "keepline_web/frame/static/keepline").glob("*.js"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\w\[(?!['\"\d])[^\]\n]*\]\s*=[^=>]", text), file
        assert not FOREIGN_NAMES.search(text), file


# the web server

BOTH = "Content-Length: 4\r\nTransfer-Encoding: chunked"
SMUGGLED = "GET /static/keepline/keepline.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HEADS = [
    BOTH, "Transfer-Encoding: chunked\r\nContent-Length: 4", "Transfer-Encoding : chunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked\r\nContent-Length: 4",
    "Content-Length: 4\r\nContent-Length: 60", "Content-Length: +4", "Content-Length: 4, 4", "Content-Length: 0x4",
    "Transfer-Encoding:\x0bchunked", "Transfer_Encoding: chunked\r\nContent-Length: 0",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """gunicorn as ``keepline serve`` starts it, for files that need no database."""
    port = serving._free_port("127.0.0.1")
    here = os.environ | {"KEEPLINE_SITE": str(ROOT), "KEEPLINE_DATABASE_URL": "postgresql:///nowhere?host=/nowhere"}
    log = (tmp_path_factory.mktemp("log") / "gunicorn").open("w")
    process = subprocess.Popen(serving._web("127.0.0.1", port), env=here, stderr=log)
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            if said(port, SMUGGLED.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).startswith("HTTP/1.1 200"):
                break
        except OSError:
            time.sleep(0.2)
    yield port
    process.terminate()
    process.wait(30)


def said(port: int, request: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(request.encode("latin-1"))
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except (TimeoutError, ConnectionError):
            pass
    return b"".join(parts).decode("latin-1")


@pytest.mark.parametrize("head", HEADS)
def test_a_request_of_two_lengths_is_one_request_or_none(head: str, server: int) -> None:
    start = f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n{head}\r\n\r\n"
    told = said(server, f"{start}0\r\n\r\n{SMUGGLED}")
    assert "text/css" not in told  # what was hidden in the body was not answered
    assert re.match(r"HTTP/1\.[01] (400|403|501)", told) or not told, told[:200]


# the database


def test_without_its_database_nothing_is_done_and_with_it_the_day_goes_on(committed: str) -> None:  # noqa: ARG001
    cast = Cast.found()
    client, path = browser(cast.owner), f"/accounts/{cast.own.pk}/log"
    entry = {"key": str(uuid.uuid4()), "outcome": "reached", "channel": "visit"}
    said_now = connections.databases["default"]
    host, lines = said_now["HOST"], Contact.objects.count()
    connections.close_all()
    said_now["HOST"] = "/nowhere"
    try:
        for answer in (
            client.get("/today"),
            client.post(path, entry),
            Client(raise_request_exception=False).get("/sign-in"),
            client.get("/static/x"),
        ):
            assert answer.status_code in (503, 404), answer.request["PATH_INFO"]
            assert "Traceback" not in answer.content.decode()
            assert "nowhere" not in answer.content.decode()
        assert client.get("/today").status_code == 503
        assert client.get("/healthz").status_code == 503
    finally:
        connections.close_all()
        said_now["HOST"] = host
    assert Contact.objects.count() == lines
    assert client.get("/today").status_code == 200
    assert client.post(path, entry).status_code == 302
    assert Contact.objects.count() == lines + 1

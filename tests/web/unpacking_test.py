"""What a backup is taken apart into: the files that belong in one, whatever else somebody packed beside them."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from keepline.errors import KeeplineError
from keepline.newsite import make_site
from keepline.site import open_site
from keepline_web.keeping import ABOUT, DUMP, KEYS, restore, unpack


def packed(to: Path, *names: str, link: str = "") -> Path:
    with tarfile.open(to, "w:gz") as archive:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 4
            archive.addfile(entry, io.BytesIO(b"some"))
        if link:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(entry)
    return to


def found(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_files_of_a_backup_come_out_and_strange_ones_stay_in(tmp_path: Path) -> None:
    backup = packed(tmp_path / "b.tar.gz", DUMP, ABOUT, KEYS[0], "../outside", "strange", "/tmp/absolute")
    unpack(backup, tmp_path / "out")
    assert found(tmp_path / "out") == {DUMP, ABOUT, KEYS[0]}
    assert (tmp_path / "out" / KEYS[0]).read_bytes() == b"some"
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("names", [(DUMP,), (ABOUT, "strange"), ()])
def test_what_lacks_a_part_is_refused_in_words(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(KeeplineError, match="not a whole backup"):
        unpack(packed(tmp_path / "b.tar.gz", *names), tmp_path / "out")


def test_a_link_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeeplineError, match="not a whole backup"):
        unpack(packed(tmp_path / "b.tar.gz", ABOUT, link=DUMP), tmp_path / "out")


def test_what_is_no_archive_or_was_cut_short_is_refused_in_words(tmp_path: Path) -> None:
    backup = tmp_path / "b.tar.gz"
    backup.write_bytes(b"no archive")
    with pytest.raises(KeeplineError, match="not a whole backup"):
        unpack(backup, tmp_path / "out")
    whole = packed(backup, DUMP, ABOUT).read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(KeeplineError, match="not a whole backup"):
        unpack(backup, tmp_path / "again")


def test_a_backup_whose_own_words_cannot_be_read_is_refused_in_words(tmp_path: Path) -> None:
    make_site(tmp_path / "site", name="a")
    backup = packed(tmp_path / "b.tar.gz", DUMP, ABOUT)
    with pytest.raises(KeeplineError, match="not a whole backup") as refused:
        restore(open_site(tmp_path / "site"), backup)
    assert "不是完整的" in refused.value.zh

"""Folders of work go with whoever made them, however it ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keepline.workfolder import own_folder, sweep_left

AT_WORK = """
import sys
from pathlib import Path
from keepline.workfolder import own_folder
with own_folder(Path(sys.argv[1]), "export-") as folder:
    (folder / "half").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_gone_when_its_work_is_over_or_fails(tmp_path: Path) -> None:
    def fails() -> None:
        with own_folder(tmp_path / "work", "trial-") as folder:
            (folder / "part").mkdir()
            assert folder.name.startswith("trial-")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert not list((tmp_path / "work").iterdir())


def test_what_a_killed_process_left_is_swept_and_what_one_at_work_holds_is_not(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", AT_WORK, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        folder = Path(other.stdout.readline().strip())
        sweep_left(tmp_path)
        assert (folder / "half").exists()
        other.kill()
        other.wait()
    assert folder.exists()
    sweep_left(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_whose_deletion_was_cut_short_is_swept_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        with own_folder(tmp_path, "spill-") as folder:
            (folder / "big").mkdir()
    assert (folder / "big").exists()
    sweep_left(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_nobodys_own_stays(tmp_path: Path) -> None:
    (tmp_path / "2026-09-parts").mkdir()
    sweep_left(tmp_path)
    assert (tmp_path / "2026-09-parts").exists()

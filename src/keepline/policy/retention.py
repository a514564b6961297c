"""retention.toml: how long the workbench keeps what happened in it, which binds no publication."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field

from keepline.policy.document import Document, read

FILE = "retention.toml"
Months = Annotated[int, Field(ge=6, le=600)]  # the law asks six months of what tells who did what
Days = Annotated[int, Field(ge=1, le=3660)]


class Retention(Document):
    """retention.toml."""

    audit_months: Months = 36
    work_months: Months = 36
    unmaskings_months: Months = 36
    contact_persons_months: Months = 36
    exports_months: Months = 36
    uploads_months: Months = 36
    upload_files_days: Days = 90
    tasks_days: Days = 90
    failed_sign_ins_days: Days = 183
    sessions_days: Days = 7
    tokens_days: Days = 183


def read_retention(policy: Path) -> Retention:
    """The site's own, or the starter where an older site has none."""
    path = policy / FILE
    if path.exists():
        return read(path, Retention)
    with resources.as_file(resources.files("keepline.policy").joinpath("starter", FILE)) as starter:
        return read(starter, Retention)

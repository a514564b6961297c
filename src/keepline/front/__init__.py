"""The core's front for other programs: what is published, as sellers may see it, and the door for what they did.

Everything here tells of customers who have an account manager, and tells nobody who is held out.
"""

from __future__ import annotations

from keepline.errors import KeeplineError, PublicationError, SiteError
from keepline.front.explaining import Explaining
from keepline.front.pictures import CHART_DRAWING, CHART_LIBRARY, month_pictures, month_tables, month_watch
from keepline.front.publications import Published, published_months, read_published
from keepline.front.reading import ACCOUNT_MONTHS, Front
from keepline.front.returning import hand_in
from keepline.front.taking import (
    TABLE_WORDS,
    explain_mapping,
    foresee_undo,
    keep_mapping,
    load_file,
    loads,
    mapping_choices,
    mapping_for,
    month_is_open,
    redraw_mapping,
    try_file,
    undo_load,
    with_month_said,
)
from keepline.periods import Month
from keepline.policy.retention import Retention, read_retention
from keepline.policy.service import Service, read_service
from keepline.report import numbers
from keepline.report import words as vocabulary
from keepline.site import Site, open_site

__all__ = [
    "ACCOUNT_MONTHS",
    "CHART_DRAWING",
    "CHART_LIBRARY",
    "TABLE_WORDS",
    "Explaining",
    "Front",
    "KeeplineError",
    "Month",
    "PublicationError",
    "Published",
    "Retention",
    "Service",
    "Site",
    "SiteError",
    "explain_mapping",
    "foresee_undo",
    "hand_in",
    "keep_mapping",
    "load_file",
    "loads",
    "mapping_choices",
    "mapping_for",
    "month_is_open",
    "month_pictures",
    "month_tables",
    "month_watch",
    "numbers",
    "open_site",
    "published_months",
    "read_published",
    "read_retention",
    "read_service",
    "redraw_mapping",
    "try_file",
    "undo_load",
    "vocabulary",
    "with_month_said",
]

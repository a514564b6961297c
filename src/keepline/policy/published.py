"""The copy of the policy that a publication keeps, read as it bound."""

from __future__ import annotations

from pathlib import Path

from keepline.periods import Month
from keepline.policy.conditions import PUBLISHED
from keepline.policy.documents import Policy, read_policy


def published_policy(folder: Path, month: Month) -> Policy:
    """The policy of a published month: a code in it that no customer can have is let be, as nobody can mend it."""
    return read_policy(folder, month, context=PUBLISHED)

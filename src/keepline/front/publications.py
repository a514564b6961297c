"""What a publication is, for a program that only shows it: month, identity, figures and offers; no customer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepline.errors import SiteError
from keepline.jsonfile import read_json
from keepline.periods import Month
from keepline.policy.documents import Offer
from keepline.policy.published import published_policy
from keepline.publication import demand, month_folders, read_manifest
from keepline.site import Site

Row = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """One published month. ``figures`` are the report's aggregates; ``offers`` the catalogue that bound."""

    month: Month
    id: str
    folder: Path
    figures: Row
    offers: tuple[Row, ...]
    policy_version: str
    reasons: dict[str, Row]  # code of a reason for leaving → its words, zh and en


def published_months(site: Site) -> list[tuple[Month, str | None]]:
    """Month and publication id of everything published, oldest first; no id where the manifest cannot be read."""
    return [(Month.parse(path.name), _id(path)) for path in month_folders(site)]


def _id(folder: Path) -> str | None:
    try:
        return str(read_manifest(folder)["publication_id"])
    except (SiteError, OSError):
        return None


def read_published(site: Site, month: Month) -> Published:
    """A publication as the workbench needs it, or a refusal that names the months there are."""
    made = demand(site, month)
    policy = published_policy(made.folder / "policy", month)
    card = made.manifest.get("model_card") or {}
    return Published(
        month=month,
        id=made.id,
        folder=made.folder,
        figures=read_json(made.folder / "figures.json"),
        offers=tuple(_offer(offer) for offer in policy.offers.offer),
        policy_version=policy.version,
        reasons=(card.get("words") or {}).get("reasons") or {},
    )


def _offer(offer: Offer) -> Row:
    return {
        "offer_id": offer.id,
        "zh": offer.name.zh,
        "en": offer.name.en,
        "channel": offer.channel,
        "purpose": offer.purpose,
        "price_fen": offer.price_fen,
        "floor_price_fen": offer.floor_price_fen,
        "list_price_fen": offer.list_price_fen,
        "unit_cost_fen": offer.contact_cost_fen + offer.benefit_cost_fen,
        "manager_minutes": offer.manager_minutes,
    }

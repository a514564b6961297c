"""Makes the backup that stands for a version, with that version's own code; README.md says how it is run."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

from core.small_manifest import manifest
from core.small_publication import BEFORE, MONTH, publish
from keepline.front import open_site
from keepline.newsite import make_site

CUSTOMERS = 240


def make_files(site: Path) -> None:
    """The site's files, which no backup holds: the same for every version."""
    make_site(site, name="清河通信")
    folder = publish(site / "published" / MONTH, customers=CUSTOMERS)
    shutil.copytree(site / "policy", folder / "policy")
    (folder / "manifest.json").write_text(json.dumps(manifest(), ensure_ascii=False), encoding="utf-8")
    head = {"head": {"month": MONTH, "previous_month": BEFORE, "simulated": True}}
    (folder / "figures.json").write_text(json.dumps(head), encoding="utf-8")


def act() -> None:
    """What a few invented people did: at least one row in every table that people fill."""
    from django.db.models import Q

    from keepline_web.customers.models import Account, Standing
    from keepline_web.frame import clock
    from keepline_web.work import actions, proposals
    from web.cast import Cast

    cast, today = Cast.found(), clock.today()
    owner, own, later = cast.owner, cast.own.pk, today + dt.timedelta(days=9)
    Standing.objects.filter(account=own).update(arrears_fen=0)
    Account.objects.filter(Q(pk=own)).update(blacklisted=False)
    for outcome in ("reached", "refused", "not_reached"):
        logged = actions.log_contact(by=owner, customer_id=own, key=uuid.uuid4(), outcome=outcome, note="回电后再约")
    actions.withdraw_contact(by=owner, contact_id=logged.pk)
    actions.plan_step(by=owner, customer_id=own, key=uuid.uuid4(), due_on=later, channel="visit")
    kept, _ = (
        actions.promise(by=owner, customer_id=own, key=uuid.uuid4(), what="三日内回复", due_on=later) for _ in "ab"
    )
    actions.end_promise(by=owner, promise_id=kept.pk, kept=True)
    owner.authority_fen = 0
    asked = proposals.propose(by=owner, customer_id=own, key=uuid.uuid4(), offer_id="manager-visit", price_fen=0,
                              reason="客户要求上门")  # fmt: skip
    proposals.decide(by=cast.people["team_lead"], proposal_id=asked.pk, what="approved", reason="同意本月安排")
    _lead(cast, own, later)


def _lead(cast: Any, own: int, later: dt.date) -> None:
    """What chiefs and the centre did with the same customer and people."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from keepline_web.customers.actions import cover, unmask
    from keepline_web.exchange import uploads
    from keepline_web.exchange.models import Handing
    from keepline_web.frame import clock
    from keepline_web.work import targets
    from web.exported import asked_by, made

    lead, owner, today = cast.people["team_lead"], cast.owner, clock.today()
    targets.set_targets(by=lead, month=f"{today:%Y-%m}", wanted={targets.Aim("person", owner.pk, "contacts"): 40})
    unmask(person=owner, customer_id=own, reason="客户来电核对")
    cover(away=owner, covered_by=cast.colleague, starts_on=today, ends_on=later, reason="年假", by=lead)
    made(asked_by(lead, "q=清河第"))
    uploads.receive(by=cast.people["importer"], file=SimpleUploadedFile("名单.csv", "客户,金额\n1,2\n".encode()))
    Handing.objects.create(at=clock.now(), person_id=owner.pk, until=today, files=[], accepted=True)


def told() -> dict[str, object]:
    """What is to be found again: rows by table, and one name and number in the clear."""
    from django.apps import apps

    from keepline_web.customers import sealed
    from keepline_web.customers.models import Account

    one = Account.objects.order_by("pk").first()
    assert one is not None
    return {
        "rows": {m._meta.db_table: m._default_manager.count() for m in apps.get_models() if not m._meta.proxy},
        "customer_id": one.pk, "name": sealed.unseal(one.name_sealed, customer_id=one.pk),
        "phone": sealed.unseal(one.phone_sealed, customer_id=one.pk), "phone_index": one.phone_index,
    }  # fmt: skip


def main(site: Path, to: Path) -> None:
    make_files(site)
    os.environ["DJANGO_SETTINGS_MODULE"] = "keepline_web.settings"
    from keepline_web.serving import database_of

    database_of(open_site(site))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    from keepline_web.keeping import back_up
    from web.cast import make_cast

    make_cast()
    act()
    said = told()
    back_up(open_site(site), to / "backup.tar.gz")
    (to / "told.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

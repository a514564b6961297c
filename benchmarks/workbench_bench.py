"""How fast the workbench answers twenty people at work over fifty thousand customers of three hundred managers.

The customers are drawn at random for this measurement; nothing of them is real.

usage: benchmarks/workbench_bench.py [SECONDS] [CUSTOMERS]      default: 180 50000
Prints one line a page: requests, errors, median, 95th percentile and slowest answer in milliseconds; then the memory.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil

from keepline.newsite import make_site

SECONDS, CUSTOMERS, MANAGERS, USERS, CHIEFS = 180, 50_000, 300, 20, 2
MONTH, MONTHS, SEED, PAUSE = "2026-10", 12, 1, 0.5
MARK_MS = 800
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def main() -> None:
    seconds, customers = (int(word) if word else other for word, other in
                          zip((*sys.argv[1:3], "", "")[:2], (SECONDS, CUSTOMERS), strict=True))  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101  PostgreSQL of a root runs as somebody else
        site = Path(folder) / "site"
        make_site(site, name="bench")
        open_database(site)
        people = fill(customers)
        with subprocess.Popen(
            [sys.executable, "-m", "keepline", "serve", "--site", str(site), "--port", "0"],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().split()[1]
            found = load(url, people, seconds)
            memory = sum(p.memory_info().rss for p in psutil.Process(process.pid).children(recursive=True)) / 2**20
            process.terminate()
    tell(found, customers, seconds, memory)


def open_database(site: Path) -> None:
    os.environ["KEEPLINE_SITE"] = str(site)
    from keepline.front import open_site
    from keepline_web.serving import database_of

    database_of(open_site(site))
    os.environ["DJANGO_SETTINGS_MODULE"] = "keepline_web.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def fill(customers: int) -> list[tuple[str, str]]:
    """Units, managers and their customers; returns role and session of the people who will work."""
    from keepline_web.customers.models import Account, Assignment, MonthPaid, PlanRow, Standing
    from keepline_web.frame import clock
    from keepline_web.people.actions import make_unit
    from keepline_web.people.models import Person

    dice, day = random.Random(SEED), clock.today()
    city = make_unit(kind="city", name="C", above=None, by=None)
    teams = [make_unit(kind="team", name=f"T{n}", above=city, by=None) for n in range(MANAGERS // 10)]
    managers = [
        Person.objects.create(username=f"m{n}", name=f"M{n}", role="account_manager", unit=teams[n // 10], password="!")
        for n in range(MANAGERS)
    ]
    chiefs = [
        Person.objects.create(username=f"c{n}", name=f"C{n}", role="city_chief", unit=city, password="!")
        for n in range(CHIEFS)
    ]
    ids = dice.sample(range(1, 2**62), customers)
    for start in range(0, customers, 5000):
        part = ids[start : start + 5000]
        Account.objects.bulk_create(account(n, dice) for n in part)
        Standing.objects.bulk_create(standing(n, dice) for n in part)
        PlanRow.objects.bulk_create(plan_row(n) for n in part if dice.random() < 0.1)
        MonthPaid.objects.bulk_create(
            MonthPaid(account_id=n, month=f"2026-{m + 1:02d}", revenue_fen=dice.randrange(50_000), voice_s=900)
            for n in part for m in range(MONTHS - 2)
        )  # fmt: skip
        owners = [Assignment(account_id=n, person=managers[n % MANAGERS], starts_on=day, reason="bench") for n in part]
        Assignment.objects.bulk_create(owners)
    return [(p.role, session_of(p)) for p in [*managers[: USERS - CHIEFS], *chiefs]]


def account(n: int, dice: random.Random) -> Any:
    from keepline_web.customers import sealed
    from keepline_web.customers.models import Account

    name = sealed.seal(f"单位{n % 10**6}", customer_id=n)
    return Account(customer_id=n, kind="organisation", district=f"D{n % 30}", name_sealed=name, last_month=MONTH,
                   consent=dice.random() < 0.8, blacklisted=False)  # fmt: skip


def standing(n: int, dice: random.Random) -> Any:
    from keepline_web.customers.models import Standing

    risk = dice.choices(("high", "medium", "low"), (1, 3, 6))[0]
    return Standing(account_id=n, month=MONTH, class_code=dice.choice(("important", "key", "potential", "ordinary")),
                    class_reason={"zh": "", "en": ""}, value_fen=dice.randrange(10**7), revenue_3m_fen=9**6,
                    loyalty="general", loyalty_kind="price", risk_band=risk, risks=[], facts=[], state="below_cut",
                    state_words={"zh": "未入选", "en": "below the cut"}, arrears_fen=0)  # fmt: skip


def plan_row(n: int) -> Any:
    from keepline_web.customers.models import PlanRow

    return PlanRow(account_id=n, month=MONTH, offer_id="x", name={"zh": "优惠", "en": "offer"}, channel="visit",
                   purpose="profit", price_fen=9900,
                   list_price_fen=12900, floor_price_fen=6900, unit_cost_fen=4000)  # fmt: skip


def session_of(person: Any) -> str:
    """A signed-in session, proved by a second factor, as a browser would have."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from keepline_web.people.models import SecondFactor
    from keepline_web.people.sessions import SessionStore

    device = SecondFactor.objects.create(user=person, name="app", confirmed=True)
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(person.pk), person.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session["otp_device_id"] = device.persistent_id
    session.create()
    return str(session.session_key)


def load(url: str, people: list[tuple[str, str]], seconds: int) -> dict[str, list[tuple[int, float]]]:
    """Every person goes through their day until the time is over."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=Worker(url, role, key, found, until).run) for role, key in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


class Worker:
    """One person with one browser."""

    def __init__(self, url: str, role: str, key: str, found: dict[str, list[tuple[int, float]]], until: float) -> None:
        where = urlsplit(url)
        self.connection = HTTPConnection(where.hostname or "", where.port, timeout=60)
        self.cookies = {"session": key}
        self.role, self.found, self.until = role, found, until
        self.dice = random.Random(key)

    def run(self) -> None:
        while time.monotonic() < self.until:
            self.chief() if self.role == "city_chief" else self.manager()

    def manager(self) -> None:
        page = self.ask("today", "/today")
        customers = re.findall(r'href="/accounts/(\d+)"', page)
        for number in self.dice.sample(customers, min(3, len(customers))):
            page = self.ask("customer", f"/accounts/{number}")
            token = TOKEN.search(page)
            said = {
                "csrfmiddlewaretoken": token[1] if token else "",
                "key": str(uuid.uuid4()),
                "outcome": "not_reached",
            }
            self.ask("log", f"/accounts/{number}/log", said)
        self.ask("list", f"/accounts?risk={self.dice.choice(('high', 'low', 'medium'))}")

    def chief(self) -> None:
        for name, path in (("month", "/month"), ("team", "/team"), ("list of all", "/accounts?sort=risk")):
            self.ask(name, path)

    def ask(self, name: str, path: str, said: dict[str, str] | None = None) -> str:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if said is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        begun = time.perf_counter()
        self.connection.request("POST" if said else "GET", path, urlencode(said) if said else None, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self.found[name].append((answer.status, (time.perf_counter() - begun) * 1000))
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            key, _, value = cookie.split(";")[0].partition("=")
            self.cookies[key] = value
        time.sleep(PAUSE)
        return text


def tell(found: dict[str, list[tuple[int, float]]], customers: int, seconds: int, memory: float) -> None:
    every = [row for rows in found.values() for row in rows]
    print(f"{customers:,} customers, {MANAGERS} managers, {USERS} people for {seconds} s, {os.cpu_count()} cores")
    print(f"{'page':14} {'requests':>9} {'errors':>7} {'median':>8} {'p95':>8} {'slowest':>8}  ms")
    for name, rows in [*found.items(), ("all", every)]:
        times = sorted(ms for _, ms in rows)
        p95 = quantiles(times, n=20)[18] if len(times) > 1 else times[0]
        errors = sum(status >= 400 for status, _ in rows)
        print(f"{name:14} {len(rows):9,} {errors:7} {median(times):8.0f} {p95:8.0f} {times[-1]:8.0f}")
    p95 = quantiles([ms for _, ms in every], n=20)[18]
    print(
        f"memory of server, worker and database {memory:,.0f} MB; "
        f"mark: p95 under {MARK_MS} ms: {'met' if p95 < MARK_MS else 'NOT MET'}"
    )


if __name__ == "__main__":
    main()

"""Schemathesis asks the API what its own description allows and what it forbids, and holds every answer to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation import GenerationMode

from keepline_web.api.describing import description
from keepline_web.people.models import Person
from web.api_matrix_test import ROWS, addressed
from web.calling import Program
from web.cast import Cast

FEW, MANY = 10, 300
# A refusal by a rule is an answer too: that what fits is never called unfit is asked below instead.
LEFT_OUT = ("positive_data_acceptance",)
UNFIT = ("invalid", "unreadable")  # codes by which the description, not a rule, refuses
config = SchemathesisConfig.from_dict({"generation": {"allow-x00": False}})
schema = schemathesis.openapi.from_dict(description(), config=config)
schema.app = get_wsgi_application()
OPERATIONS = {one.ok().definition.raw["operationId"]: one.ok() for one in schema.get_all_operations()}
load_all_checks()


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A request would end the connection whose rows a test is to take back."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def excluded(case: Any) -> list[Any]:
    """A parameter without a value is not sent, and we put the token in: a wrong question may be right by then."""
    unsent = any(value in (None, [], {}) for value in (case.query or {}).values())
    names = (*LEFT_OUT, *(("negative_data_rejection",) if unsent else ()))
    return [check for check in CHECKS.get_all() if check.__name__ in names]


def ask(name: str, cast: Cast, examples: int) -> None:
    """So many questions of each kind to one operation, each taken back afterwards."""
    roles, _, kind, _ = ROWS[name]
    person, operation = cast.of_role(roles.split()[0]), OPERATIONS[name]
    _, own = next(addressed(kind, cast))
    for mode in GenerationMode:
        put_to(operation, person, own, mode, examples)


def put_to(operation: Any, person: Person, own: list[object], mode: GenerationMode, examples: int) -> None:
    """Half of what is right is asked of one's own record, which is there."""

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode), at_own=st.booleans())
    def one(case: Any, at_own: bool) -> None:
        if at_own and own and mode is GenerationMode.POSITIVE:
            given_own = dict(zip(case.path_parameters, own, strict=True))
            case.path_parameters = {name: str(value) if name == "customer_id" else value
                                    for name, value in given_own.items()}  # fmt: skip
        with transaction.atomic():
            answer(case, person, mode)
            transaction.set_rollback(True)

    try:
        one()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # there is nothing wrong to send to who takes nothing


def answer(case: Any, person: Person, mode: GenerationMode) -> None:
    program = Program(person)
    said = case.call_and_validate(headers=program.headers, excluded_checks=excluded(case))
    assert said.status_code < 500
    if mode is GenerationMode.POSITIVE and said.status_code in (400, 422):
        assert said.json()["code"] not in UNFIT, (case.operation.label, said.text)


def test_every_operation_is_questioned() -> None:
    assert set(OPERATIONS) == set(ROWS)


@pytest.mark.parametrize("name", list(ROWS))
def test_an_operation_answers_as_it_is_described(name: str, cast: Cast) -> None:
    ask(name, cast, FEW)


@pytest.mark.full
@pytest.mark.parametrize("name", list(ROWS))
def test_an_operation_answers_many_questions_as_it_is_described(name: str, cast: Cast) -> None:
    ask(name, cast, MANY)

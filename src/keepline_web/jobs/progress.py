"""How far a running task has come: told by its function, written beside it, and the place where it is stopped."""

from __future__ import annotations

import threading

from django.db.models.functions import Now

from keepline_web.jobs.models import State, Task


class Ended(Exception):
    """The function is to stop here; what it has not committed is taken back."""


class Cancelled(Ended):
    """Somebody asked for it."""


class Lost(Ended):
    """The task is another worker's by now: this one had been silent for too long."""


class Stopping(Ended):
    """The worker was told to stop; the task goes back into the queue."""


class Progress:
    """What a function reports to.

    ``step`` only notes, so that it may be called within a transaction of any length; the worker's pulse calls
    ``write`` over a connection of its own, where it is seen at once.
    """

    def __init__(self, task: Task, stopping: threading.Event | None = None) -> None:
        self.task = task
        self._stopping = stopping or threading.Event()
        self._told = {"done": task.done, "total": task.total, "step": task.step}
        self._end: type[Ended] | None = None

    def step(self, done: int, total: int | None = None, *, zh: str = "", en: str = "") -> None:
        """So much is done, of so much where that is known, and this is being done now."""
        self._told = {"done": done, "total": total, "step": {"zh": zh, "en": en} if zh else self._told["step"]}
        self.check()

    def check(self) -> None:
        """Between two steps: end here where somebody asked for it."""
        if self._end is not None:
            raise self._end
        if self._stopping.is_set():
            raise Stopping

    @property
    def told(self) -> dict[str, object]:
        return self._told

    def write(self) -> None:
        """Put down what was told and that this worker lives; learn whether the function is to end."""
        mine = Task.objects.filter(pk=self.task.pk, claim=self.task.claim, state=State.RUNNING)
        if not mine.update(heartbeat=Now(), **self._told):
            self._end = Lost
        elif mine.filter(cancel_asked=True).exists():
            self._end = Cancelled

    def hold(self) -> None:
        """Within the transaction that commits the fruit: no other worker has the task, and nobody cancels it now."""
        mine = Task.objects.select_for_update().filter(pk=self.task.pk, claim=self.task.claim, state=State.RUNNING)
        held = mine.first()
        if held is None:
            raise Lost
        if held.cancel_asked:
            raise Cancelled

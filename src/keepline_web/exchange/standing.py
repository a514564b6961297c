"""How a dropped file stands: not tried, at work, tried, loaded, undone; and what was done with it, step by step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keepline_web.exchange import words
from keepline_web.exchange.models import Trial, Undoing, Upload
from keepline_web.frame.words import Text, told
from keepline_web.jobs.models import State, Task
from keepline_web.people.models import Person


@dataclass(frozen=True)
class Standing:
    """In words, with the colour of a badge."""

    words: Text
    tone: str


@dataclass(frozen=True)
class Step:
    """One thing that was done with a file: by whom, when, and how it ended."""

    what: Text
    person: Person
    at: dt.datetime
    standing: Standing
    counts: dict[str, int] | None
    load: int
    note: Any  # a reason, or why it failed

    @property
    def shown_note(self) -> str:
        return self.note if isinstance(self.note, str) else told(self.note)


def outcome(trial: Trial) -> Standing:
    """How one trial or load ended."""
    unfinished = _unfinished(trial.task, done=trial.report is not None)
    if unfinished:
        return unfinished
    verdict = (trial.report or {})["verdict"]
    said = words.VERDICTS[verdict]
    if trial.verb == "check":
        said = Text(words.TRIED.zh.format(said=said.zh), words.TRIED.en.format(said=said.en))
    return Standing(said, words.TONES[verdict])


def _unfinished(task: Task | None, *, done: bool) -> Standing | None:
    if done:
        return None
    if task is not None and task.open:
        return Standing(words.AT_WORK, "accent")
    if task is not None and task.state == State.CANCELLED:
        return Standing(words.CANCELLED, "")
    return Standing(words.FAILED, "bad")


def of_upload(upload: Upload, states: Mapping[int, str]) -> Standing:
    """How a file stands now; ``states`` are those of the lake's loads."""
    trials = sorted(upload.trials.all(), key=lambda trial: -trial.pk)
    if not trials:
        return Standing(words.NEVER_TRIED, "")
    number = load_of(trials)
    if trials[0].task and trials[0].task.open:
        return outcome(trials[0])
    if number and states.get(number):
        return Standing(words.STATES[states[number]], "" if states[number] == "undone" else "good")
    return outcome(trials[0])


def load_of(trials: list[Trial]) -> int:
    """The number of the load a file's last load made, or that had loaded the same before."""
    found = (trial.report for trial in trials if trial.verb == "load" and trial.report)
    return next((int(report["load"]) for report in found if report.get("load")), 0)


def history(trials: list[Trial]) -> list[Step]:
    """Everything that was done with a file, the last first."""
    loads = {int((t.report or {}).get("load") or 0) for t in trials if t.verb == "load"} - {0}
    steps = [_tried(trial) for trial in trials]
    undoings = Undoing.objects.filter(load__in=loads).select_related("person", "task")
    return sorted([*steps, *map(_undone, undoings)], key=lambda step: step.at, reverse=True)


def _tried(trial: Trial) -> Step:
    report = trial.report or {}
    note = trial.task.refused if trial.task else None
    note = note or next(iter(report.get("problems", [])), None)
    load = int(report.get("load") or 0) if trial.verb == "load" else 0
    return Step(words.STEPS[trial.verb], trial.person, trial.at, outcome(trial), report.get("counts"), load, note)


def _undone(undoing: Undoing) -> Step:
    standing = _unfinished(undoing.task, done=undoing.result is not None) or Standing(words.STATES["undone"], "")
    failed = undoing.task.refused if undoing.task else None
    return Step(words.STEPS["undo"], undoing.person, undoing.at, standing, None, undoing.load, failed or undoing.reason)

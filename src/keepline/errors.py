"""What keepline refuses, said so that the reader knows what, where, why and what to do.

Every refusal carries its message in English and Chinese; the command line shows both and
turns each class into its exit code.
"""

from __future__ import annotations


class KeeplineError(Exception):
    """A refusal. ``code`` names the rule for machines; ``exit_code`` is the process's answer."""

    exit_code = 1

    def __init__(self, en: str, zh: str, *, code: str = "refused") -> None:
        super().__init__(en)
        self.en = en
        self.zh = zh
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.en, self.zh, self.code))


def _rebuild(kind: type[KeeplineError], en: str, zh: str, code: str) -> KeeplineError:
    return kind(en, zh, code=code)


class UnclearError(ValueError):
    """A mistake in a file a person wrote, found by a check of our own while the file is read."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


class UsageError(KeeplineError):
    """What was typed cannot be read as what was asked for."""

    exit_code = 2


class SiteError(KeeplineError):
    """The site folder or keepline.toml is not as it must be."""


class PolicyError(KeeplineError):
    """A policy file is unclear: unknown key, wrong type, contradiction."""


class IntakeError(KeeplineError):
    """A file cannot be taken in at all (verdict F)."""


class HeldError(KeeplineError):
    """A file is odd as a whole; nothing is loaded until it is accepted by code."""

    exit_code = 3


class ModelError(KeeplineError):
    """A SQL model breaks the agreed subset or disagrees with its declared table."""


class TooFewError(KeeplineError):
    """There is too little data for an honest answer; says how much there is and is needed."""


class EngineError(KeeplineError):
    """An engine is missing or failed."""


class PublicationError(KeeplineError):
    """A month cannot be published, or a published one cannot be changed."""

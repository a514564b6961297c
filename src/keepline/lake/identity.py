"""Numbers that name someone: telephone, identity card and account numbers, and their pseudonyms."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from keepline.engine import ID_SPACE
from keepline.lake.mapping import Rules
from keepline.lake.sections import ColumnMap
from keepline.lake.store import Lake
from keepline.lake.values import INVISIBLE, Parsed, Unfit, as_text, by_unique, tidy
from keepline.site import Site, key_mark, pseudonym, unfit_key

_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?[eE]\+(\d{1,2})")
_WHOLE = re.compile(r"(\d+)\.0+")
_MARKED = re.compile(r"""^(?:'|=")(.*?)"?$""", re.DOTALL)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_IOT = re.compile(r"1\d{12}")
_LANDLINE = re.compile(r"0\d{2,3}\d{7,8}")
_OLD_CARD = re.compile(r"\d{15}")
_CARD = re.compile(r"\d{17}[\dX]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
EXACT_DIGITS = 7  # digits after the point from which 1.3800138E+10 may be exact; spreadsheets show 5
CACHE = 500_000  # numbers remembered, some 130 bytes each; working one out costs about a tenth of reading its row


def mended(text: str, *, scientific: str) -> tuple[str, str]:
    """An identifier without the traces of spreadsheets; the code of what was mended."""
    said = tidy(text)
    note = "invisible" if INVISIBLE.search(text) else "tidied" if said != text.strip() else ""
    if said[:1] == "'" or said[:2] == '="':
        said, note = _MARKED.sub(r"\1", said), "quote_mark"
    found = _SCIENTIFIC.fullmatch(said)
    if found:
        return _written_out(found, scientific), "digits_restored"
    if whole := _WHOLE.fullmatch(said):
        return whole[1], "trailing_zero"
    return said, note


def _written_out(found: re.Match[str], scientific: str) -> str:
    digits, power = found[2] or "", int(found[3])
    if scientific != "accept" or len(digits) < EXACT_DIGITS or len(digits) > power:
        raise Unfit("digits_lost")
    return found[1] + digits + "0" * (power - len(digits))


def phone(text: str, rules: Rules) -> tuple[str, str]:
    """A mobile, IoT or landline number as bare digits."""
    said, note = mended(text, scientific=rules.scientific)
    bare = re.sub(r"[\s\-().]", "", said)
    note = note or ("tidied" if bare != said else "")
    for code in ("+86", "0086", "86"):
        if bare.startswith(code) and len(bare) - len(code) >= 11:
            bare, note = bare.removeprefix(code), "country_code"
            break
    if _MOBILE.fullmatch(bare):
        return bare, note
    if _IOT.fullmatch(bare):
        return bare, "iot_number"
    if _LANDLINE.fullmatch(bare):
        if rules.landline == "set_aside":
            raise Unfit("landline")
        return bare, "landline_number"
    raise Unfit("phone_length")


def id_card(text: str, rules: Rules) -> tuple[str, str]:
    """An 18-digit identity number whose date exists and whose check digit fits; 15 digits become 18."""
    said, note = mended(text, scientific=rules.scientific)
    upper = said.upper()
    note = "upper_case" if upper != said else note
    if _OLD_CARD.fullmatch(upper):
        body = upper[:6] + "19" + upper[6:]
        _birthday(body)
        return body + _check_digit(body), "old_id_card"
    if not _CARD.fullmatch(upper):
        raise Unfit("id_card_form")
    _birthday(upper)
    if _check_digit(upper[:17]) != upper[17]:
        raise Unfit("id_card_check")
    return upper, note


def _birthday(card: str) -> None:
    try:
        dt.date(int(card[6:10]), int(card[10:12]), int(card[12:14]))
    except ValueError as error:
        raise Unfit("id_card_date") from error


def _check_digit(body: str) -> str:
    """GB 11643-1999, ISO 7064 MOD 11-2."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def account(text: str, rules: Rules, length: int | None) -> tuple[str, str]:
    """Any other number of the operator's own."""
    said, note = mended(text, scientific=rules.scientific)
    if not said:
        raise Unfit("not_an_account")
    if length is not None and len(said) != length:
        raise Unfit("account_length")
    return said, note


def known_pseudonym(text: str) -> tuple[str, str]:
    """A pseudonym that we gave and that comes back, as in a plan filled in."""
    said = tidy(text)
    if not (said.isascii() and said.isdigit() and 0 < int(said) < ID_SPACE):
        raise Unfit("not_a_pseudonym")
    return said, ""


class Identities:
    """Operator's numbers to pseudonyms, every distinct number worked out once."""

    def __init__(self, site: Site, lake: Lake) -> None:
        """``lake``: whose rows were made with the site's key, or the key is refused."""
        self._key = site.key()
        self.mark = key_mark(self._key)
        if lake.key_mark not in ("", self.mark):
            raise unfit_key(site.key_file, "is another one", "不是原来那一把", code="another_key")
        self._known: dict[str, int] = {}

    def pseudonyms(self, numbers: pa.Array) -> pa.Array:
        """62-bit pseudonyms of a column of numbers; null stays null."""
        encoded = numbers.dictionary_encode()
        known, key = self._known, self._key
        if len(known) > CACHE:
            known.clear()
        ids = []
        for number in encoded.dictionary.to_pylist():
            found = known.get(number)
            if found is None:
                found = known[number] = pseudonym(key, number)
            ids.append(found)
        return pa.array(ids, pa.int64()).take(encoded.indices)


def account_numbers(values: pa.Array, empty: pa.Array, *, spec: ColumnMap, rules: Rules) -> Parsed:
    """The operator's own numbers, mended and checked as the mapping says."""
    texts = as_text(values)
    texts = pc.if_else(pc.is_in(texts, value_set=empty), pa.scalar(None, pa.string()), texts)
    if spec.read_as == "account" and spec.length is None and _all_clean(texts):
        return _cased(Parsed(texts), rules)
    return _cased(by_unique(texts, pa.string(), _reader(spec, rules)), rules)


def _reader(spec: ColumnMap, rules: Rules) -> Callable[[str], tuple[Any, str]]:
    def one(text: str) -> tuple[Any, str]:
        if not tidy(text):
            return None, ""
        if spec.read_as == "phone":
            return phone(text, rules)
        if spec.read_as == "id_card":
            return id_card(text, rules)
        if spec.read_as == "pseudonym":
            return known_pseudonym(text)
        return account(text, rules, spec.length)

    return one


def _all_clean(texts: pa.Array) -> bool:
    """Letters, digits and dashes alone need no mending; 1E+10 and 12.0 hold a sign that is none of these."""
    return bool(pc.all(pc.match_substring_regex(texts, r"^[A-Za-z0-9_\-]+$"), min_count=0).as_py())


def _cased(parsed: Parsed, rules: Rules) -> Parsed:
    if rules.key_case != "upper":
        return parsed
    upper = pc.utf8_upper(parsed.values)
    changed = pc.sum(pc.not_equal(upper, parsed.values)).as_py() or 0
    return Parsed(upper, parsed.bad, parsed.notes + Counter({"upper_case": changed}))

"""Rules on the shown results of a stream, such as "sad for 5 s". Pure: time is passed in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from fer_web.errors import InvalidValueError
from fer_web.labels import EMOTIONS

UNSURE: Final = "unsure"
ANYONE: Final = "anyone"
NOBODY: Final = "nobody"
WHEN: Final = (*EMOTIONS, UNSURE, ANYONE, NOBODY)
"""What a rule may wait for: a shown expression, a face that is unsure, any face, or none."""

MARKER: Final = "marker"
SOUND: Final = "sound"
SEND: Final = "send"
EFFECTS: Final = (MARKER, SOUND, SEND)
"""What a rule may do: a marker in the recording, a sound on the page, an event for the receivers."""

MAX_RULES: Final = 20
"""Rules of one page, and of the events file."""

MAX_RULE_NAME: Final = 60
"""Characters of a rule's name."""

MAX_RULE_PEOPLE: Final = 10
"""The most people that a rule may wait for."""

MAX_FOR_S: Final = 3600.0
"""The longest time that a rule may wait."""

GAP_S: Final = 0.5
"""A condition that fails for less still holds: a face is missed for a frame, a label flickers."""

PAUSE_S: Final = 5.0
"""Frames further apart are not of one moment: the page was paused, so what came before counts no more."""

REST_S: Final = 1.0
"""A rule fires once in this time at most."""


class ShownFace(Protocol):
    """A face as a stream's page shows it."""

    @property
    def face_id(self) -> int:
        """The same over the frames of a stream."""

    @property
    def label(self) -> str:
        """One of EMOTIONS."""

    @property
    def is_sure(self) -> bool:
        """Whether the label is shown; otherwise "unsure" is."""


@dataclass(frozen=True)
class Rule:
    """A condition and what it does.

    Attributes:
        when: one of WHEN.
        for_s: seconds that each of these people must have shown it without a break, 0 to MAX_FOR_S.
        people: how many must at least, 1 to MAX_RULE_PEOPLE; means nothing for "nobody".
        effects: some of EFFECTS, at least one.
        name: what it is called, at most MAX_RULE_NAME characters; empty describes the condition.

    Raises: InvalidValueError: a value is of another type or out of its bounds.
    """

    when: str
    for_s: float = 0.0
    people: int = 1
    effects: tuple[str, ...] = (MARKER,)
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what is out of bounds, so that an invalid rule cannot travel."""
        if self.when not in WHEN:
            raise InvalidValueError(f"A rule's when is one of {', '.join(WHEN)}; {self.when!r:.40} came.")
        # One comparison refuses NaN and infinities too.
        if not (_is_number(self.for_s) and 0 <= self.for_s <= MAX_FOR_S):
            raise InvalidValueError(f"A rule's for_s is 0 to {MAX_FOR_S:g} seconds; {self.for_s!r:.40} came.")
        if not (_is_number(self.people) and self.people in range(1, MAX_RULE_PEOPLE + 1)):
            raise InvalidValueError(
                f"A rule's people is a whole number from 1 to {MAX_RULE_PEOPLE}; {self.people!r:.40} came."
            )
        if not self.effects or not set(self.effects) <= set(EFFECTS):
            raise InvalidValueError(
                f"A rule's effects are some of {', '.join(EFFECTS)}; {list(self.effects)!r:.80} came."
            )
        if not isinstance(self.name, str) or len(self.name) > MAX_RULE_NAME or not _is_line(self.name):
            raise InvalidValueError(
                f"A rule's name is one line of at most {MAX_RULE_NAME} characters; {self.name!r:.80} came."
            )

    @property
    def title(self) -> str:
        """Return the name, or what describes the condition."""
        if self.name:
            return self.name
        who = self.when if self.people == 1 or self.when == NOBODY else f"{self.people} {self.when}"
        return f"{who} for {self.for_s:g} s" if self.for_s else who


@dataclass
class _Run:
    """Since when, and until when at least, something holds."""

    since_s: float
    last_s: float


@dataclass
class RuleWatch:
    """Watches one stream for one rule."""

    rule: Rule
    _runs: dict[int, _Run] = field(default_factory=dict)
    _seen_s: float | None = None
    _fired_s: float | None = None
    _is_on: bool = False

    def see(self, at_s: float, faces: Sequence[ShownFace]) -> tuple[int, ...] | None:
        """Take the faces of a frame.

        Args: at_s: seconds, on the clock of whoever streams.
        Returns: the ids of the faces that made the rule fire in this frame; empty for "nobody". None where it
            did not fire. It fires again only after its condition has failed.
        """
        if self._seen_s is not None and not 0 <= at_s - self._seen_s <= PAUSE_S:
            self._forget()
        self._seen_s = at_s
        self._follow(at_s, faces)
        holding = tuple(key for key, run in self._runs.items() if run.last_s - run.since_s >= self.rule.for_s)
        is_nobody = self.rule.when == NOBODY
        if len(holding) < (1 if is_nobody else self.rule.people):
            self._is_on = False
            return None
        if self._is_on or (self._fired_s is not None and at_s - self._fired_s < REST_S):
            return None
        self._is_on, self._fired_s = True, at_s
        return () if is_nobody else holding

    def _follow(self, at_s: float, faces: Sequence[ShownFace]) -> None:
        for key in self._matching(faces):
            run = self._runs.setdefault(key, _Run(at_s, at_s))
            run.last_s = at_s
        for key in [key for key, run in self._runs.items() if at_s - run.last_s > GAP_S]:
            del self._runs[key]

    def _matching(self, faces: Sequence[ShownFace]) -> Iterator[int]:
        when = self.rule.when
        if when == NOBODY:
            if not faces:
                yield 0
            return
        for face in faces:
            shown = face.label if face.is_sure else UNSURE
            if when in (ANYONE, shown):
                yield face.face_id

    def _forget(self) -> None:
        self._runs.clear()
        self._is_on, self._fired_s = False, None


_KEYS: Final = ("when", "for_s", "people", "effects", "name")


def parse_rules(value: Any) -> tuple[Rule, ...]:
    """Read rules as a page, or the events file, words them.

    Raises: InvalidValueError: which rule is wrong, and how.
    """
    if not isinstance(value, list) or len(value) > MAX_RULES:
        came = f"{len(value)} rules" if isinstance(value, list) else type(value).__name__
        raise InvalidValueError(f"rules is a list of at most {MAX_RULES} rules; {came} came.")
    return tuple(_parse_rule(number, each) for number, each in enumerate(value, start=1))


def rule_to_wire(rule: Rule) -> dict[str, Any]:
    """The condition of a rule, with its title, for those who are told that it fired."""
    return {"rule": rule.title, "when": rule.when, "for_s": rule.for_s, "people": rule.people}


def _parse_rule(number: int, value: Any) -> Rule:
    try:
        if not isinstance(value, Mapping):
            raise InvalidValueError(
                f"A rule is an object with {', '.join(_KEYS)}; {type(value).__name__} came."
            )
        if unknown := sorted(set(map(str, value)) - set(_KEYS)):
            raise InvalidValueError(f"A rule may have {', '.join(_KEYS)}; {unknown[0]!r:.40} came.")
        effects = value.get("effects", [MARKER])
        if not isinstance(effects, list) or not all(isinstance(each, str) for each in effects):
            raise InvalidValueError(f"A rule's effects are a list of texts; {effects!r:.40} came.")
        return Rule(**{"when": None, **value, "effects": tuple(dict.fromkeys(effects))})
    except InvalidValueError as exc:
        raise InvalidValueError(f"Rule {number}: {exc}") from exc


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_line(text: str) -> bool:
    return text.isprintable()

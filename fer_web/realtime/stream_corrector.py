"""The Socket.IO side of corrections: takes of one person's face, what is learned of them, and what counts."""

from collections.abc import Callable
from typing import Any

from fer_web.errors import FerWebError, TakeError
from fer_web.inference.correction import FEWEST_VIEWS, NEUTRAL, Views, check, resting_face
from fer_web.inference.stream_corrections import StreamCorrections
from fer_web.labels import EMOTIONS
from fer_web.realtime.protocol import (
    LearnMessage,
    check_to_wire,
    parse_correct,
    parse_learn,
    parse_take,
    resting_to_wire,
)
from fer_web.realtime.scheduler import Concurrency
from fer_web.realtime.streams import StreamRegistry


class StreamCorrector:
    """Validates what clients ask about corrections, and calls what keeps them."""

    def __init__(self, streams: StreamRegistry, concurrency: Concurrency) -> None:
        self._streams = streams
        self._concurrency = concurrency

    def take(self, sid: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Begin or end a take; the reply of a `take` event."""

        def begin() -> dict[str, Any]:
            message = parse_take(arguments)
            return {"views": self._corrections_of(sid).take(message.face, message.expression)}

        return _reply(begin)

    def learn(self, sid: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Judge what was taken, and forget it; the reply of a `learn` event."""

        def judge() -> dict[str, Any]:
            message = parse_learn(arguments)
            views = self._corrections_of(sid).give_views(message.face)
            return self._concurrency.run_native(_learn, message, views)

        return _reply(judge)

    def correct(self, sid: str, arguments: tuple[Any, ...]) -> dict[str, Any]:
        """Correct a face from now on, or no more; the reply of a `correct` event."""

        def correct() -> dict[str, Any]:
            message = parse_correct(arguments)
            self._corrections_of(sid).correct(message.face, message.correction)
            return {}

        return _reply(correct)

    def _corrections_of(self, sid: str) -> StreamCorrections:
        stream = self._streams.get(sid)
        if stream is None:
            raise TakeError("No frame of yours was analysed yet, so there is no face. Send frames first.")
        return stream.state.corrections


def _reply(answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return answer()
    except FerWebError as exc:
        return {"error": exc.to_wire()}


def _learn(message: LearnMessage, views: dict[str, Views]) -> dict[str, Any]:
    enough = {emotion: each for emotion, each in views.items() if len(each) >= FEWEST_VIEWS}
    if message.is_check and enough:
        return check_to_wire(check(enough))
    neutral = EMOTIONS[NEUTRAL]
    if not message.is_check and neutral in enough:
        return resting_to_wire(resting_face(enough[neutral]))
    most = max(map(len, views.values()), default=0)
    raise TakeError(
        f"{FEWEST_VIEWS} views of face {message.face} are needed, {most} were taken. "
        "Begin a take, show the face for three seconds, then ask again."
    )

"""Words the command that started the server anew, with another option: what people can type again."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

STARTED_BY: Final = "STARTED_BY"
"""The Makefile sets this environment variable to its own words, such as make run."""

_PLAIN: Final = "python app.py"


@dataclass(frozen=True)
class StartCommand:
    """The command that was used.

    Attributes:
        program: python app.py, or a command of make that calls it.
        arguments: of app.py, without what the program gives it by itself.
    """

    program: str = _PLAIN
    arguments: tuple[str, ...] = ()

    def with_option(self, name: str, value: object) -> str:
        """The same command with one option set, such as `port`."""
        options = shlex.join([*_without(self.arguments, f"--{name}"), f"--{name}", str(value)])
        return f"{self.program} {options}" if self.program == _PLAIN else f'{self.program} ARGS="{options}"'


def start_command(arguments: Sequence[str], environment: Mapping[str, str]) -> StartCommand:
    """Tell how app.py was called, from its arguments and its environment."""
    program = environment.get(STARTED_BY) or _PLAIN
    is_given_by_make = program == "make share" and arguments[:1] == ["--share"]
    return StartCommand(program, tuple(arguments[1:] if is_given_by_make else arguments))


def _without(arguments: Sequence[str], option: str) -> Iterator[str]:
    left = iter(arguments)
    for argument in left:
        if argument == option:
            next(left, None)
        elif not argument.startswith(f"{option}="):
            yield argument

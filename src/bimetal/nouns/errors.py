"""The one tree of errors, by who can mend it.

    Error
    ├── BadInput        the sender: a file, a message, a row, an option
    │   └── NotFound    the sender: nothing is there under that name
    ├── BadProgram      the author of a program or an operator
    ├── NotAllowed      the owner: a signature, a grant, a key
    ├── GateNotMet      nobody made a mistake: a quality gate says no
    ├── Unsupported     a target or an installation lacks it
    └── Broken          us

Each message says what, where, and what to try.
"""

from __future__ import annotations


class Error(Exception):
    """Anything bimetal refuses, in one sentence a user can act on."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """Return `where: what. hint.` on one line, free of control characters."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        text = head.rstrip(". ") + "."
        if self.hint:
            hint = self.hint.rstrip(". ")
            text += f" {hint}{'' if hint.endswith('?') else '.'}"
        return "".join(c if c.isprintable() else "�" for c in text.replace("\n", " "))


class BadInput(Error):
    """What came in cannot be used; the sender can mend it."""


class NotFound(BadInput):
    """Nothing is there under that name."""

    exit_code = 4


class BadProgram(Error):
    """A program or an operator breaks a rule; its author can mend it."""


class NotAllowed(Error):
    """A key, a signature or a grant is missing or wrong; the owner can mend it."""

    exit_code = 5


class GateNotMet(Error):
    """Everything ran, and the result is not good enough."""

    exit_code = 3


class Unsupported(Error):
    """This target or this installation cannot do it."""


class Broken(Error):
    """A fault of bimetal itself."""

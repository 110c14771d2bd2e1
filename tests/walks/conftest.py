"""What the walks share with the tests of the commands."""

from tests.cli.conftest import quiet

__all__ = ["quiet"]

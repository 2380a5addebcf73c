"""The finished run and its copies, as the tests of the workflow have them."""

from tests.workflow.conftest import _finished, copied, finished, fresh, started

__all__ = ["_finished", "copied", "finished", "fresh", "started"]

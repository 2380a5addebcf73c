"""The finished run and its copies as the tests of the workflow have them, and their browser."""

from tests.browser.conftest import browser
from tests.workflow.conftest import _finished, copied, finished, fresh, started

__all__ = ["_finished", "browser", "copied", "finished", "fresh", "started"]

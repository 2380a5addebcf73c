"""The page that answers each study, and the checklists that journals ask for."""

from lib.report.checklists import links, write_checklists
from lib.report.page import render

__all__ = ["links", "render", "write_checklists"]

"""The report: one page, offline."""

from lib.report.page import render

__all__ = ["render"]

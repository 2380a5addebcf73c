"""The configuration: its settings and studies, joined and checked before anything runs."""

from lib.config.settings import resolve

__all__ = ["resolve"]

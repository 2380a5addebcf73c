"""Pictures of a study and of all studies."""

from lib.plots.drawing import plot_overall, plot_study

__all__ = ["plot_overall", "plot_study"]

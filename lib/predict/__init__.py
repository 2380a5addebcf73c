"""A trained network on files it has never met."""

from lib.predict.predictor import Predictor

__all__ = ["Predictor"]

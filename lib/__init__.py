"""Heldout: an honest comparison of neural networks on recordings of hearts and voices.

Importing the package loads neither TensorFlow nor JAX: only what trains does.
"""

__version__ = "0.1.0"

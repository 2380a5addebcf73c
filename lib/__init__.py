"""Heldout: which network is really better on these recordings, and would I have been fooled?

Importing the package loads neither TensorFlow nor JAX: only what trains does.
"""

__version__ = "0.1.0"

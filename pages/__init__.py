"""The pages of `docs` that are made from code, settings and measurements; tests keep them so."""

"""The pages of `docs` that are generated from code, settings and measurements; tests hold them."""

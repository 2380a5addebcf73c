# Needs Python 3.11, 3.12 or 3.13, make and a package index. `make help` lists what it can do.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SITE := .cache/docs
LOWEST := .cache/lowest
BEGUN := $(VENV)/.begun
# Another Python: make run PYTHON=/path/to/python
PYTHON ?=
# More options: make run SNAKEMAKE_ARGS="--config studies=voices"
SNAKEMAKE_ARGS ?=
PYTEST_ARGS ?=
SLOW ?=
# Tests run in as many processes as there are cores.
# Slurm, killed runs and a browser wait more than they compute: with them, three workers keep two cores at work.
WORKERS = $(if $(SLOW),$(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2),auto)
PYTEST = python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# Snakemake, matplotlib and numba keep caches at home: without one that can be written to, they do here.
CACHE := $(shell home="$${XDG_CACHE_HOME:-$$HOME/.cache}"; mkdir -p "$$home" 2>/dev/null && [ -w "$$home" ] \
  || echo 'XDG_CACHE_HOME="$(CURDIR)/.cache" MPLCONFIGDIR="$(CURDIR)/.cache/matplotlib"')
# Some sections, such as: make benchmark BENCHMARK_ARGS="voices sweep"
BENCHMARK_ARGS ?=
# Some pages, such as: make pages PAGES="structure faults"
PAGES ?=

# Versions that TensorFlow has wheels for; without ensurepip a virtual environment has no pip.
SUITABLE := import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# For what is made in an environment beside .venv.
define need_python
@$(or $(PYTHON),python3) -c '$(SUITABLE)' 2>/dev/null || { \
  echo "heldout: expected Python 3.11, 3.12 or 3.13 with the module ensurepip, got $(or $(PYTHON),python3)." \
    "Name one: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python" >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help setup run test lowest pages docs benchmark lint advisories sbom format clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 12

setup: $(READY) ## make .venv as requirements.lock says, unless that is done

# The stamp comes last, and a set-up that was interrupted starts anew: packages that were written
# in part would pass for installed. What was fetched is in a cache.
# uv is much faster. pip does it where pip is told of an index or proxy that uv does not know, and where uv fails.
$(READY): requirements.lock pyproject.toml
	@if [ -e $(BEGUN) ] || ! $(BIN)/python -c '$(SUITABLE)' 2>/dev/null \
	  || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	    if "$$python" -c '$(SUITABLE)' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "heldout: expected Python 3.11, 3.12 or 3.13 with the module ensurepip, found none" \
	      "(tried $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python))." \
	      "Install one (Debian, Ubuntu: apt install python3 python3-venv)," \
	      "or name it: make $(or $(firstword $(MAKECMDGOALS)),setup) PYTHON=/path/to/python" >&2; \
	    exit 1; \
	  fi; \
	  echo "$(VENV): $$("$$found" --version)"; \
	  "$$found" -m venv --clear $(VENV); \
	fi
	@sed -n '/^uv==/,/[^\]$$/p' requirements.lock >$(BEGUN)
	@{ ! $(BIN)/python -m pip config list | grep -qE '\.(index-url|no-index|proxy)=' \
	  && $(BIN)/python -m pip install --disable-pip-version-check -q --require-hashes --only-binary :all: -r $(BEGUN) \
	  && $(CACHE) $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock; \
	} || $(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm $(BEGUN)
	@touch $(READY)

run: $(READY) ## run the workflow; leaves results/report.html
	$(CACHE) PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all $(SNAKEMAKE_ARGS)

test: $(READY) ## the tests; with SLOW=1 those that take minutes, too
	$(CACHE) PATH="$(CURDIR)/$(BIN):$$PATH" $(PYTEST) -m "$(if $(SLOW),,not slow)" $(PYTEST_ARGS)

# In an environment of its own: a bound in pyproject.toml that is too low fails here.
lowest: ## the tests of lib with the oldest versions that pyproject.toml allows; needs the network
	$(need_python)
	$(or $(PYTHON),python3) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --disable-pip-version-check -q uv==0.13.9
	$(LOWEST)/bin/uv pip compile -q --resolution lowest-direct --extra onnx --extra dev \
	  --python $(LOWEST)/bin/python -o $(LOWEST)/requirements.txt pyproject.toml
	$(LOWEST)/bin/uv pip install -q --python $(LOWEST)/bin/python -r $(LOWEST)/requirements.txt
	$(CACHE) PATH="$(CURDIR)/$(LOWEST)/bin:$$PATH" $(PYTEST) -m "not slow" \
	  tests/unit tests/faults/test_faults_payloads.py $(PYTEST_ARGS)

pages: $(READY) ## write the generated pages of docs; a test says when one is out of date
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m pages $(PAGES)

# In an environment of its own, for any Python: none of it is needed to run Heldout. A link that leads
# nowhere and a page outside the navigation are errors.
docs: $(SITE)/.ready ## make site/ from docs, to be opened without a network
	$(SITE)/bin/python -m sphinx -W --keep-going -q -b html -c docs/site docs site
	@echo "docs: site/index.html"

$(SITE)/.ready: docs/requirements.lock
	$(need_python)
	$(or $(PYTHON),python3) -m venv --clear $(SITE)
	$(if $(wildcard $(BIN)/uv),$(CACHE) $(BIN)/uv pip install -q --python $(SITE)/bin/python --require-hashes \
	  -r docs/requirements.lock ||) \
	  $(SITE)/bin/python -m pip install --disable-pip-version-check -q --require-hashes -r docs/requirements.lock
	@touch $@

benchmark: $(READY) ## measure, and write docs/benchmarks.md; BENCHMARK_ARGS=--help says more
	PATH="$(CURDIR)/$(BIN):$$PATH" python -m benchmarks $(BENCHMARK_ARGS)

lint: $(READY) ## style, types, and what Snakemake thinks of the workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(CACHE) PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

# In an environment of its own: what it needs is no part of the lock. Without --strict it would call
# a package harmless that the service could not be asked about.
advisories: $(READY) ## ask for known vulnerabilities of every locked package; needs the network
	$(BIN)/python -m venv $(VENV)/advisories
	$(VENV)/advisories/bin/python -m pip install --disable-pip-version-check -q pip-audit==2.10.1
	$(VENV)/advisories/bin/pip-audit --strict --disable-pip -r requirements.lock -r docs/requirements.lock \
	  $$($(BIN)/python -c "import yaml; print(*('--ignore-vuln ' + one['id'] for one in \
	  yaml.safe_load(open('.ci/advisories.yaml', encoding='utf-8'))))")

# Of what is installed, not of what was asked for; the same environment gives the same file.
sbom: $(READY) ## write build/sbom.json, the parts of .venv in CycloneDX; needs the network
	$(BIN)/python -m venv $(VENV)/sbom
	$(VENV)/sbom/bin/python -m pip install --disable-pip-version-check -q cyclonedx-bom==7.5.0
	mkdir -p build
	$(VENV)/sbom/bin/cyclonedx-py environment --output-reproducible --of JSON \
	  --pyproject pyproject.toml -o build/sbom.json $(BIN)/python

format: $(READY) ## put style right where that is mechanical
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

clean: ## delete results, logs and the site; recordings (resources/data) and .venv stay
	rm -rf results logs site .snakemake .pytest_cache .ruff_cache .mypy_cache .hypothesis

# Everything stands in a virtual environment in the checkout; nothing else is touched.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
STAMP_SLOW := .venv/installed_slow
STAMP_DOCS := .venv/installed_docs

.PHONY: demo test shapes lint slow faults bench docs clean

demo: $(STAMP)
	$(BIN)/rnnkit run params/demo.yaml

test: $(STAMP)
	$(BIN)/python -m pytest -m "not slow and not faults" -n 2 --dist worksteal

# The shapes in every signature of networks, metrics, batches and tasks, checked at every call.
TASKS := interface streaming labels numbers classification tagging language_modeling music regression \
	vector captioning.task forecasting.task memory.task sequence_to_sequence.task transcription.task
SHAPED := rnnkit.nn rnnkit.metrics rnnkit.data.batches rnnkit.data.windows $(TASKS:%=rnnkit.tasks.%)
COMMA := ,
SHAPES := $(subst $() ,$(COMMA),$(SHAPED) beartype.beartype)
shapes: $(STAMP)
	$(BIN)/python -m pytest -m "not slow" --jaxtyping-packages=$(SHAPES) tests/nn tests/metrics tests/tasks

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: $(STAMP_SLOW)
	$(BIN)/python -m pytest -m slow

# Kills, failing disks, damaged files, hung servers; each half ends with rows of the table in
# docs/reliability.md. Slowdowns are measured with nothing else running.
TIMED := tests/faults/test_hung_servers.py
faults: $(STAMP)
	$(BIN)/python -m pytest -m faults -n 2 --dist worksteal tests/faults --ignore $(TIMED); \
	first=$$?; $(BIN)/python -m pytest -m faults $(TIMED) && exit $$first

bench: $(STAMP)
	$(BIN)/python tests/benchmarks/recurrence.py
	$(BIN)/python tests/benchmarks/sweep.py
	$(BIN)/python tests/benchmarks/reproducible.py
	$(BIN)/python tests/benchmarks/overhead.py
	$(BIN)/python tests/benchmarks/startup.py
	$(BIN)/python tests/benchmarks/data_size.py

docs: $(STAMP_DOCS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "site/index.html; with its search: $(BIN)/python -m http.server --directory site"

clean:
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Installed once, and again only when what is to be installed has changed.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	@echo "installing the packages: about two minutes and 2 GB, once"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# What the slow tests need beside: a cluster on this machine, PostgreSQL's client, an S3 store and the
# kernel of a notebook. PostgreSQL's server is the system's package, and the test says so where it is
# not there.
$(STAMP_SLOW): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,ray,postgresql,s3,slow]'
	@touch $@

# What builds the documentation. It reads the sources and imports none of them.
$(STAMP_DOCS): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	@touch $@

# Two commands are enough: `make book` and `make test`. Both prepare .venv by themselves.
# Another Python: make book PYTHON=python3.12
PYTHON ?= python3
VENV ?= .venv
PY = $(VENV)/bin/python
PAGE = _build/html/index.html
NOTEBOOKS = $(sort $(wildcard notebooks/*.ipynb))
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help book demo test lint types unit nbval nbval-jitter nbval-processors browser notebooks bench storyteller clean
help:
	@echo "make book       build the book and print the page to open"
	@echo "make test       every check: lint, types, tests, notebooks, book, browser"
	@echo "make demo       a web page with the models that come along (DEMO_RUN=folder: and one of yours)"
	@echo "make lint       ruff and mypy alone;  make unit: the tests of the package alone"
	@echo "make notebooks  run every notebook again and store its outputs"
	@echo "make nbval-jitter nbval-processors  do the notebooks' outputs hold on other processors?"
	@echo "make bench      measure against the libraries people use, write benchmarks/results.md"
	@echo "make storyteller  train the models of the package again: storytellers, translator, gap fillers"
	@echo "make clean      remove what was built (not .venv)"

book: $(VENV)/.installed-book
	@$(PY) book/build.py
	@echo "Open this page: $(CURDIR)/$(PAGE)"

demo: $(VENV)/.installed-demo
	$(PY) -m minillm demo $(DEMO_RUN)

test: $(VENV)/.installed-test lint unit nbval book browser
	@echo "All checks passed."

lint: $(VENV)/.installed-test
	$(PY) -m ruff check .
	$(PY) -m mypy minillm

unit: $(VENV)/.installed-test
	$(PY) -m pytest tests --ignore=tests/book --numprocesses 2 --dist loadfile

nbval: $(VENV)/.installed-test
	$(if $(NOTEBOOKS),$(PY) -m pytest --nbval --nbval-sanitize-with tests/book/sanitize.cfg $(NOTEBOOKS))

# Do the outputs hold elsewhere? Floats a little off, and the settings of other processors.
nbval-jitter: $(VENV)/.installed-test
	for seed in 1 2 3; do $(PY) -m tests.book.jitter $$seed $(NOTEBOOKS) || exit 1; done

nbval-processors: $(VENV)/.installed-test
	$(PY) -m tests.book.processors $(NOTEBOOKS)

browser: $(VENV)/.installed-test book
	$(PY) -m pytest tests/book --numprocesses 2

notebooks: $(VENV)/.installed-notebooks
	$(PY) book/make_notebook.py $(NOTEBOOKS)

bench: $(VENV)/.installed-parity
	$(PY) -m benchmarks.run

storyteller: $(VENV)/.installed-book
	$(PY) -m minillm.storyteller
	$(PY) -m minillm.small_models

clean:
	rm -rf _build build .pytest_cache .mypy_cache .ruff_cache

# Installed once for each set of extras, and again when the pinned versions change.
$(VENV)/.installed-%: pyproject.toml constraints.txt
	@PYTHON="$(PYTHON)" VENV="$(VENV)" book/install.sh $*
	@touch $@

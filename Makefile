# Every target sets up what it needs; the second time that takes no time.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test test-full a11y lint bench example golden lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/crmaudit analyze examples/exports --out audit
	@echo "Open audit/report.html in a browser."

test: lint
	$(BIN)/python -m pytest -n 2 -m "not full"

test-full: lint
	$(BIN)/python -m pytest -n 2

# Opens the report in Chromium and lets axe look at it; wants chromium, node and npm.
a11y: $(VENV)/.installed-dev
	mkdir -p build/browser && cp tests/browser/* build/browser && npm install --silent --prefix build/browser
	$(BIN)/python -m pytest -n 0 -m full tests/test_report_in_browser.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks

example: $(VENV)/.installed
	$(BIN)/python examples/company.py examples/exports

# After a change that is meant to change figures: look at the difference before it is committed.
golden: $(VENV)/.installed
	$(BIN)/crmaudit analyze examples/exports --out build/golden --quiet
	mkdir -p examples/golden && cp build/golden/audit.json build/golden/report.md examples/golden

lock:
	rm -rf .lock && $(PYTHON) -m venv .lock
	.lock/bin/pip install --quiet . && .lock/bin/pip freeze --exclude crmaudit > requirements.lock
	.lock/bin/pip install --quiet --upgrade pip && .lock/bin/pip install --quiet --group dev -c requirements.lock
	.lock/bin/pip freeze --exclude crmaudit | grep --invert-match --line-regexp --fixed-strings --file requirements.lock > requirements-dev.lock
	rm -rf .lock

clean:
	rm -rf $(VENV) audit dist build .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	touch $@

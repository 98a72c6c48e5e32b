# camvet: `make demo` and `make test` do all the set-up themselves, without root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)
OUT    ?= demo-out

.PHONY: setup demo test lint bench lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   the whole story on a simulated site, with a report at the end"
	@echo "make test   all tests        make lint   ruff, mypy, import contracts"
	@echo "make bench  speed figures    make lock   refresh requirements.lock (needs uv)"

setup: $(VENV)/.ready

# Built from the lock with every hash checked; uv where the machine has it, else pip.
$(VENV)/.ready: requirements.lock pyproject.toml
ifdef UV
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
endif
	@touch $@

# The demo finds prohibited devices, so camvet ends with 1 ("findings"): that is the expected end.
demo: setup
	@$(BIN)/camvet demo --out $(OUT); code=$$?; test $$code -eq 1 || { echo "demo ended with $$code, expected 1" >&2; exit 1; }

# Tests that sweep share fixed reply ports, so they run one after another; `make test ARGS=…` runs what is named.
test: setup
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not sweeps"
	$(BIN)/python -m pytest -m sweeps
endif

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Peers to be timed against that come from PyPI are installed only here.
bench: setup
	$(if $(UV),$(UV) pip install --python $(BIN)/python,$(BIN)/python -m pip install) --quiet -e '.[bench]'
	CAMVET_BENCH=1 $(BIN)/python -m pytest tests/benchmarks -s $(ARGS)

lock:
	uv pip compile --universal --generate-hashes --extra analytics --extra test --custom-compile-command "make lock" \
	  --quiet --upgrade pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) $(OUT) build *.egg-info

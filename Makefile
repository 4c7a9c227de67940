# Everything runs in .venv, which `make setup` builds from pinned versions; every target needs it.
VENV    := .venv
BIN     := $(VENV)/bin
PYTHON  ?= python3
STAMP   := $(VENV)/.installed
DATA    := $(or $(TWF_TEST_DATA),../shared)

export PYTHONWARNINGS = default
unexport PYTHONDONTWRITEBYTECODE  # or each of the tests' hundreds of processes compiles everything

.PHONY: setup demo serve test test-browser lint format check bench gallery golden soak clean

check: lint test        ## what CI runs

setup: $(STAMP)         ## create .venv with the pinned versions

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages into $(VENV) (about a minute) ..."
	@env -u PYTHONWARNINGS $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --editable '.[dev]'
	@touch $@

demo: setup             ## a whole service with synthetic weather; prints the viewer's URL
	@$(BIN)/twf-async demo

serve: setup            ## the daemon, with ./config
	@$(BIN)/twf-async serve

test: setup             ## all tests but the slow ones
	@PYTHONASYNCIODEBUG=1 $(BIN)/python -m pytest -n 3 -m "not browser and not soak"

test-browser: setup     ## the viewer in a real Chromium
	@$(BIN)/python -m pytest tests/browser -m browser

lint: setup             ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup           ## bring the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup            ## CPU, bytes and memory of every product, and manners, beside their bars
	@$(BIN)/twf-async bench render
	@$(BIN)/python -m tests.acquisition.measure

gallery: setup          ## every product of every model, from demo and real files, in var/gallery
	@$(BIN)/twf-async gallery --out var/gallery/demo
	@files=$$(find "$(DATA)/nomads" -type f ! -name '*.idx' 2>/dev/null); \
		test -z "$$files" || $(BIN)/twf-async gallery --out var/gallery/real $$files || test $$? -eq 3  # 3: not every file has all
	@files=$$(find "$(DATA)/gfs-2p5" -type f -name '*.grib2' 2>/dev/null); \
		test -z "$$files" || $(BIN)/twf-async gallery --out var/gallery/coarse --model gfs $$files || test $$? -eq 3

golden: setup           ## make the golden images of tests/golden anew; look at them before a commit
	@TWF_GOLDEN=write $(BIN)/python -m pytest -q tests/golden

soak: setup             ## the slow tests, then 2,000 frames in one worker: does its memory grow?
	@PYTHONASYNCIODEBUG=1 $(BIN)/python -m pytest -m "soak and not browser"
	@$(BIN)/twf-async bench render --repeat 1 --frames 2000

clean:                  ## remove everything that was built or fetched
	rm -rf $(VENV) var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

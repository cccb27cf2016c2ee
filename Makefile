# Needs Python 3.11 or newer, make and PyPI. Everything is installed into .venv.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo kafka test check lint types contracts mutants chaos breaks bench deliveries handovers dashboards proto scan readme chart lock clean
help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# KAFKA=apache runs the demo on Apache Kafka, for which Java 17 and Maven are needed.
APACHE = $(BIN)/python -m tests.kafka.serve --port $(PORT)
PORT ?= 9092

demo: $(VENV)/demo.stamp ## Run the whole job on this machine: broker, API, consumer and calls
	$(if $(filter apache,$(KAFKA)),$(APACHE)) $(BIN)/detection-consumer demo $(if $(filter apache,$(KAFKA)),--bootstrap-servers {bootstrap})

kafka: $(VENV)/demo.stamp ## Run Apache Kafka until Ctrl-C; PORT=9092, needs Java 17 and Maven
	$(APACHE)

test: $(VENV)/dev.stamp ## Run the test suite
	$(BIN)/python -m pytest $(ARGS)

check: lint types contracts mutants test ## Everything that CI runs

lint: $(VENV)/dev.stamp ## Format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp ## Type-check, strict
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp ## Check the plan of the house
	$(BIN)/lint-imports

mutants: $(VENV)/dev.stamp ## Break the code on purpose and see that the tests notice
	$(BIN)/python -m tests.mutants

# SECONDS of calls, 3600 for an hour. Without SEED chance decides; the run prints what to repeat it with.
SECONDS = 180
SESSIONS = 200
DELIVERY = at_least_once

chaos: $(VENV)/dev.stamp ## Break everything around a running service; SECONDS, SEED, SESSIONS, DELIVERY
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --sessions $(SESSIONS) --delivery $(DELIVERY) \
	  $(if $(SEED),--seed $(SEED)) $(ARGS)

breaks: $(VENV)/dev.stamp ## Break the service on purpose and see that the chaos oracle notices
	$(BIN)/python -m tests.chaos.breaks $(ARGS)

bench: $(VENV)/dev.stamp ## CPU per chunk, side by side with a hand-written loop
	$(BIN)/python -m benchmarks.side_by_side

deliveries: $(VENV)/dev.stamp ## What exactly once costs; needs Java 17 and Maven
	$(BIN)/python -m benchmarks.deliveries $(ARGS)

handovers: $(VENV)/dev.stamp ## What a hand-over and a crash cost a call; needs Java 17 and Maven
	$(BIN)/python -m benchmarks.handovers $(ARGS)

proto: $(VENV)/dev.stamp ## Generate consumer/pb from proto/
	$(BIN)/python -m grpc_tools.protoc -I proto --python_out=consumer/pb --pyi_out=consumer/pb proto/*.proto

scan: $(VENV)/dev.stamp $(VENV)-scan/scan.stamp ## Scan what the chart renders, and the Dockerfile, for what is unsafe
	$(BIN)/python -m tests.helm.scan $(VENV)-scan

readme: $(VENV)/dev.stamp ## Write the tables in README.md and docs/ anew
	$(BIN)/python -m tests.readme

dashboards: $(VENV)/dev.stamp ## Write the Grafana dashboards of the chart anew
	$(BIN)/python -m tests.monitoring.dashboards

chart: $(VENV)/dev.stamp ## Write what the Helm chart has of the settings anew
	$(BIN)/python -m tests.helm.generated

lock: $(VENV)/dev.stamp ## Write the lock files anew
	for extra in demo dev otlp; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --no-emit-package detection-consumer --extra $$extra pyproject.toml -o requirements/$$extra.txt; done
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --no-emit-package detection-consumer pyproject.toml -o requirements/service.txt
	for group in build scan; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --group pyproject.toml:$$group -o requirements/$$group.txt; done

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found on PATH. Set PYTHON=/path/to/python3." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.stamp: requirements/%.txt pyproject.toml | $(VENV)/bin/python
	$(INSTALL) --require-hashes -r requirements/$*.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# The scanners have an environment of their own, beside the project's.
$(VENV)-scan/scan.stamp: requirements/scan.txt | $(VENV)/dev.stamp
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-scan
	$(BIN)/uv pip install --quiet --python $(VENV)-scan --require-hashes -r requirements/scan.txt
	@touch $@

clean: ## Remove what was installed and cached
	rm -rf $(VENV) $(VENV)-scan .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* .cache/kafka .cache/helm

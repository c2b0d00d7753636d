# `make demo` shows the main job, `make test` passes the tests; each installs what it needs by itself.
EXAMPLES := django_chat flask_chat wsgi_plain multi_service celery_agent
PROGRAMS := $(notdir $(basename $(wildcard example_apps/*_example.py)))
.PHONY: demo $(EXAMPLES) $(PROGRAMS) test test-all legs check coverage bench docs pins wheel clean
.DEFAULT_GOAL := test

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Both cores; what is killed, forked and waited for in seconds goes in turn.
TWO := --numprocesses 2 --dist loadfile
IN_TURN := tests/delivery tests/workers tests/examples tests/test_spool_command.py

# What holds whatever the vendors' versions; the rest speaks of methods and messages that old ones lack.
OLDEST := tests/client tests/delivery/outbox $(wildcard tests/delivery/test_*.py) tests/pricing tests/analytics tests/workers \
  tests/providers/test_openai_sessions.py tests/providers/test_openai_keywords.py tests/providers/test_openai_privacy.py
VENDORS := tests/providers/contract tests/patching/test_patch.py

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) --requirement requirements/demo.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/main.stamp: requirements/main.txt $(VENV)/demo.stamp
	$(PIP) --requirement requirements/main.txt
	@touch $@

$(VENV)/browser.stamp: requirements/browser.txt $(VENV)/main.stamp
	$(PIP) --requirement requirements/browser.txt
	@touch $@

$(VENV)-oldest/stamp: requirements/oldest.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/oldest.txt
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-previous/stamp: requirements/previous.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-previous
	$(VENV)-previous/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/previous.txt
	$(VENV)-previous/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-litellm/stamp: requirements/litellm.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-litellm
	$(VENV)-litellm/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/litellm.txt
	$(VENV)-litellm/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-crewai/stamp: requirements/crewai.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-crewai
	$(VENV)-crewai/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/crewai.txt
	$(VENV)-crewai/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-peers/stamp: requirements/bench-peers.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-peers
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/bench-peers.txt
	$(VENV)-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-bench/stamp: requirements/bench.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/bench.txt
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)-peer/stamp: requirements/peer.txt
	$(PYTHON) -m venv $(VENV)-peer
	$(VENV)-peer/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/peer.txt
	@touch $@

demo: $(VENV)/demo.stamp ## chat with an agent and see the conversation; ONCE=1 ends by itself
	$(BIN)/python -m example_apps.fastapi_chat.demo $(if $(ONCE),--once)

$(EXAMPLES): $(VENV)/main.stamp ## the same with another example; ONCE=1 ends by itself
	$(BIN)/python -m example_apps.$@.demo $(if $(ONCE),--once)

$(PROGRAMS): $(VENV)/main.stamp ## one program, with a scripted model where no key is set; ONCE=1 ends by itself
	$(BIN)/python -m example_apps.demo $@ $(if $(ONCE),--once)

test: $(VENV)/main.stamp ## the tests of the main group
	$(BIN)/python -m pytest $(TWO) --ignore tests/browser --ignore tests/node $(addprefix --ignore ,$(IN_TURN))
	$(BIN)/python -m pytest $(IN_TURN)

test-all: test legs ## the tests of all groups

legs: $(VENV)/browser.stamp $(VENV)-oldest/stamp $(VENV)-previous/stamp $(VENV)-litellm/stamp $(VENV)-crewai/stamp wheel ## the groups that need more: browser, Node, older versions, LiteLLM, CrewAI, wheel
	$(BIN)/python -m pytest tests/browser tests/node
	$(VENV)-oldest/bin/python -m pytest -p no:cacheprovider -W default $(OLDEST)
# The oldest frameworks go on streaming to visitors who have left, with or without a middleware.
	$(VENV)-oldest/bin/python -m pytest -p no:cacheprovider -W default tests/matrix -k "not who_leaves"
	$(VENV)-oldest/bin/python -m pytest $(TWO) -p no:cacheprovider -W default $(VENDORS)
	$(VENV)-previous/bin/python -m pytest $(TWO) -p no:cacheprovider -W default $(VENDORS) tests/frameworks/contract tests/frameworks/anthropic_tools
	$(VENV)-litellm/bin/python -m pytest -p no:cacheprovider -W default tests/litellm
	$(VENV)-crewai/bin/python -m pytest $(TWO) -p no:cacheprovider -W default tests/frameworks/contract tests/frameworks/crewai tests/frameworks/mcp_servers

check: $(VENV)/main.stamp ## lint, types, floors, generated files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/generate.py --check

coverage: $(VENV)/main.stamp ## which branches of the core no test takes
	$(BIN)/python -m coverage run -m pytest --quiet --ignore tests/browser --ignore tests/node
	$(BIN)/python -m coverage report

bench: $(VENV)/main.stamp $(VENV)-bench/stamp $(VENV)-peer/stamp $(VENV)-peers/stamp ## what we cost, as ratios against the bare library
	$(VENV)-bench/bin/python -m benchmarks.asgi_doors
	$(VENV)-bench/bin/python -m benchmarks.wsgi_doors
	$(VENV)-bench/bin/python -m benchmarks.django_doors
	$(BIN)/python -m benchmarks.delivery
	$(VENV)-peers/bin/python -m benchmarks.openai_call
	$(VENV)-peers/bin/python -m benchmarks.langchain_run
	$(BIN)/python -m benchmarks.providers_call
	$(BIN)/python -m benchmarks.streams
	$(BIN)/python -m benchmarks.tracking $(VENV)-peer/bin/python
	$(BIN)/python -m benchmarks.redaction $(VENV)-peer/bin/python

docs: $(VENV)/main.stamp ## write what is derived from the code
	$(BIN)/python scripts/generate.py

wheel: $(VENV)/main.stamp ## build the wheel and try it in an empty environment
	$(BIN)/python scripts/try_wheel.py

pins: ## renew the pins (needs uv)
	for group in main demo browser oldest previous litellm crewai bench bench-peers peer; do \
	  uv pip compile --quiet --upgrade --no-emit-index-url --no-header --universal --python-version 3.10 \
	    requirements/$$group.in --output-file requirements/$$group.txt; \
	done

clean: ## remove environments and builds
	rm -rf $(VENV) $(VENV)-* build dist

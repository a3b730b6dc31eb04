# Everything a newcomer needs: `make run` plays, `make test` tests. Both install what is missing first.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.12 python3.13 python3.11; do $$p -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
SYSTEM := libportaudio2 libasound2-plugins libegl1 libgl1 libgl1-mesa-dri
SYSTEM_TEST := xvfb xauth pulseaudio pulseaudio-utils liblo-tools chromium chromium-driver \
  xserver-xorg-core xserver-xorg-video-dummy x11-xserver-utils
SYSTEM_TRAIN := ffmpeg
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help setup setup-test run render test test-long test-tensorflow test-training lint bench train-env clean
.DEFAULT_GOAL := help

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

# As root the system packages are installed; else the exact line is printed, once, and we go on: what is missing is
# said by the program itself. On anything without apt-get nothing is tried.
define system
	@missing=""; \
	if command -v dpkg-query >/dev/null 2>&1; then \
	  for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	fi; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	    echo "installing system packages:$$missing"; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null \
	      || { echo "apt-get failed for:$$missing" >&2; exit 1; }; \
	  else echo "please install:  sudo apt-get install$$missing" >&2; fi; \
	fi
endef

$(VENV)/.base: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 to 3.13 is needed" >&2; exit 1; }
	@echo "making $(VENV) with $(PYTHON) (a minute or two)"
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; } \
	  || { echo "please install:  sudo apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) -e '.[fast]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "installing what the tests need (torch among it)"
	@$(PIP) -e '.[fast,torch,plots,denoise,clap,cluster,large,dev]'
	@touch $@

setup: $(VENV)/.base  ## install what running needs
	$(call system,$(SYSTEM))

setup-test: $(VENV)/.dev  ## install what testing needs
	$(call system,$(SYSTEM) $(SYSTEM_TEST))

run: setup  ## play the default scene (SCENE=name, ARGS="--headless --seconds 60 ...")
	@$(BIN)/installation run $(SCENE) $(ARGS)

NOT := not long and not tensorflow and not training
test: setup-test lint  ## the whole suite, but for what takes minutes
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 8 --dist loadfile -m "not alone and $(NOT)"
	@$(BIN)/python -m pytest -q -m "alone and $(NOT)"

test-long: setup-test  ## what takes minutes
	@$(BIN)/python -m pytest -q -m long

test-tensorflow:  ## VGGish against TensorFlow itself, in an environment of its own (2.4 GB)
	@test -x .venv-tensorflow/bin/python || $(PYTHON) -m venv .venv-tensorflow
	@.venv-tensorflow/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,vggish]' pytest
	@.venv-tensorflow/bin/python -m pytest -q -m tensorflow tests/test_vggish_import.py

test-training: setup-test train-env  ## train a tiny model, export it and play it (acids-rave, in its own environment)
	@$(BIN)/python -m pytest -q -m training

lint: setup-test  ## ruff and mypy
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy --no-error-summary

bench: setup-test  ## every figure of the README, measured here
	@$(PIP) -e '.[bench]'
	@$(BIN)/python -m bench.changes
	@$(BIN)/python -m bench.decode
	@$(BIN)/python -m bench.generation
	@$(BIN)/python -m bench.kills
	@$(BIN)/python -m bench.knob
	@$(BIN)/python -m bench.knob --busy 4 --plain
	@$(BIN)/python -m bench.large
	@$(BIN)/python -m bench.parts
	@$(BIN)/python -m bench.picture
	@$(BIN)/python -m bench.run
	@$(BIN)/python -m bench.sync

train-env:  ## the environment that trains models (acids-rave, Python 3.11)
	$(call system,$(SYSTEM_TRAIN))
	@test -x .venv-train/bin/python || $$(command -v python3.11 || echo python3) -m venv .venv-train
	@.venv-train/bin/python -m pip install --quiet --disable-pip-version-check \
	  "$$(grep ^torch== constraints.txt)" acids-rave==2.3.1 "setuptools<81" onnx onnxruntime

clean:  ## remove the environments
	rm -rf $(VENV) .venv-train .venv-tensorflow

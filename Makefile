# Every task of the project. `make` lists them; a hook, CI and a person run the same ones.

SHELL := /bin/bash
VENV ?= .venv
PYTHON := $(VENV)/bin/python
CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/bedroll
export CARGO_TARGET_DIR ?= $(CACHE)/target
export UV_PYTHON_DOWNLOADS := never
PROFILE ?= quick
CORE := src/bedroll/_core/_native.abi3.so

.DEFAULT_GOAL := list
.PHONY: list setup build

list: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

build: ## compile the Rust core into src/bedroll/_core
	@mkdir -p $(CARGO_TARGET_DIR)
	@flock $(CARGO_TARGET_DIR)/.bedroll-build bash -c '\
	  cargo build --locked --profile $(PROFILE) -p bedroll-python && \
	  cp $(CARGO_TARGET_DIR)/$(PROFILE)/lib_native.so $(CORE).new && mv $(CORE).new $(CORE)'

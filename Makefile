# Every task of the project. `make` lists them; a hook, CI and a person run the same ones.

SHELL := /bin/bash
VENV ?= .venv
PYTHON := $(VENV)/bin/python
PYTEST := $(VENV)/bin/pytest
CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/bedroll
export CARGO_TARGET_DIR ?= $(CACHE)/target
export UV_PYTHON_DOWNLOADS := never
# Benches take what the wheel ships, `release`.
PROFILE ?= quick
CORE := src/bedroll/_core/_native.abi3.so
PROOF := src/bedroll/_core/_proof.abi3.so
PROOF_TARGET := $(CACHE)/proof
STAMP := $(VENV)/.installed
EXECUTOR := $(CACHE)/prover/release/bedroll-executor
PROFILER := $(CACHE)/profiler/release/bedroll-executor
# Runs the proved program in a process of its own. Built here first, or the proof system builds all that it needs twice.
RUNNER := sp1-core-executor-runner-binary
# Two other Ethereum engines.
PEERS := $(CACHE)/peers

.DEFAULT_GOAL := list
.PHONY: list setup build wheel peers guest guest-costs guest-profile guest-verifier prover prove demo devnet fmt lint contracts openrpc lock test test-slow test-e2e test-faults test-bitcoind \
        test-clients test-guest test-wheel test-all costs bench bench-evm clean

list: ## list the tasks
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

# --- build -----------------------------------------------------------------------------------------

setup: $(STAMP) ## make the virtual environment and install what is locked

$(STAMP): requirements/run.lock requirements/dev.lock
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 (rustup)" >&2; exit 1; }
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(VENV)/bin/uv pip sync --quiet --python $(PYTHON) --require-hashes requirements/dev.lock
	@echo "$(CURDIR)/src" > $$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/bedroll.pth
	@printf '#!/usr/bin/env bash\nexec "$(CURDIR)/$(PYTHON)" -m bedroll "$$@"\n' > $(VENV)/bin/bedroll
	@chmod +x $(VENV)/bin/bedroll
	@touch $@

$(PROOF): crates/proof/Cargo.lock crates/proof/Cargo.toml $(wildcard crates/proof/src/*.rs)
	@mkdir -p $(PROOF_TARGET)
	@cd crates/proof && flock $(PROOF_TARGET)/.bedroll-build bash -c '\
	  CARGO_TARGET_DIR=$(PROOF_TARGET) cargo build --locked --profile quick && \
	  cp $(PROOF_TARGET)/quick/lib_proof.so $(CURDIR)/$(PROOF).new && mv $(CURDIR)/$(PROOF).new $(CURDIR)/$(PROOF)'

build: $(STAMP) $(PROOF) ## compile the Rust core and the verifier of proofs into src/bedroll/_core
	@mkdir -p $(CARGO_TARGET_DIR)
	@flock $(CARGO_TARGET_DIR)/.bedroll-build bash -c '\
	  cargo build --locked --profile $(PROFILE) -p bedroll-python && \
	  cp $(CARGO_TARGET_DIR)/$(PROFILE)/lib_native.so $(CORE).new && mv $(CORE).new $(CORE)'

wheel: $(STAMP) $(PROOF) ## build the wheel that ships into dist/
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/maturin build --locked --release --out dist

peers: $(PEERS)/spec/.installed $(PEERS)/ethrex/release/bedroll-peer ## the two engines that the core is held against

# Its dependencies do not go with ours, so it has an environment of its own.
$(PEERS)/spec/.installed: $(STAMP) requirements/spec.lock
	@python3 -m venv $(PEERS)/spec
	@$(VENV)/bin/uv pip sync --quiet --python $(PEERS)/spec/bin/python --require-hashes requirements/spec.lock
	@touch $@

$(PEERS)/ethrex/release/bedroll-peer: crates/peer/Cargo.toml crates/peer/Cargo.lock $(wildcard crates/peer/src/*.rs)
	@cd crates/peer && CARGO_TARGET_DIR=$(PEERS)/ethrex cargo build --locked --release --quiet
	@touch $@

contracts: $(STAMP) ## compile the contracts into artifacts
	@$(PYTHON) scripts/contracts.py

openrpc: build ## record the API's examples and write its document
	@$(PYTHON) scripts/openrpc.py

guest: $(STAMP) ## build the programs that are proved, with the stock toolchain
	@rustup component add rust-src
	@$(PYTHON) scripts/guest_proved.py --folder $(CACHE)/guest

$(EXECUTOR): crates/prover/Cargo.lock $(wildcard crates/prover/executor/src/*.rs)
	@cd crates/prover && CARGO_TARGET_DIR=$(CACHE)/prover cargo build --locked --release --quiet -p bedroll-executor

guest-costs: build $(EXECUTOR) ## count the cycles of the program that is proved
	@$(PYTHON) scripts/costs.py --executor $(EXECUTOR)

prover: $(EXECUTOR) ## build what makes validity proofs, for this machine's own processor (15 CPU minutes; needs protobuf-compiler)
	@command -v protoc >/dev/null || { echo "protoc is missing: install protobuf-compiler" >&2; exit 1; }
	@cd crates/prover && export CARGO_TARGET_DIR=$(CACHE)/prover-native RUSTFLAGS="-C target-cpu=native" && \
	  cargo build --locked --release --quiet -p $(RUNNER) && \
	  SP1_CORE_RUNNER_OVERRIDE_BINARY=$(CACHE)/prover-native/release/$(RUNNER) \
	  cargo build --locked --release --quiet -p bedroll-prover-core

guest-keys: $(STAMP) prover ## write the verification keys of the programs that are proved
	@$(PYTHON) scripts/guest_keys.py --worker $(CACHE)/prover-native/release/bedroll-prover-core

$(PROFILER): crates/prover/Cargo.lock $(wildcard crates/prover/executor/src/*.rs)
	@rustup component add rust-src
	@cd crates/prover && CARGO_TARGET_DIR=$(CACHE)/profiler cargo build --locked --release --quiet \
	  -p bedroll-executor --features profiling

guest-profile: build $(PROFILER) ## draw where the proved program spends its cycles (INPUT=file, SVG=file; without an input 1,000 transfers)
	@$(PYTHON) scripts/guest_profile.py --executor $(PROFILER) --folder $(CACHE)/guest $(if $(SVG),--svg $(SVG)) $(INPUT)

guest-verifier: $(STAMP) ## build the verifier for the disputed machine and pass its own tests
	@rustup target add riscv32im-unknown-none-elf
	@$(PYTHON) scripts/guest_constants.py --check
	@$(PYTHON) scripts/guest_arithmetic.py --check
	@$(PYTHON) scripts/guest_verifier.py
	@cd crates/guest/verifier && cargo fmt --check && cargo test --locked --quiet

.PHONY: groth16 test-groth16
groth16: $(STAMP) ## build what makes Groth16 proofs (Go 1.25, protobuf-compiler; 13 CPU minutes)
	@command -v go >/dev/null || { echo "go is missing: install Go 1.25" >&2; exit 1; }
	@mkdir -p $(CACHE)/groth16/tools
	@cd crates/prover && CARGO_TARGET_DIR=$(CACHE)/prover-native RUSTFLAGS="-C target-cpu=native" \
	  cargo build --locked --release --quiet -p bedroll-groth16
	@cp $(CACHE)/prover-native/release/bedroll-groth16 $(CACHE)/groth16/tools/
	@$(PYTHON) scripts/groth16_driver.py --folder $(CACHE)/groth16/tools

test-groth16: $(STAMP) ## vet and test the driver of the pairing circuit
	@$(PYTHON) scripts/groth16_driver.py --folder $(CACHE)/groth16/tools --test

lock: ## resolve the dependencies again
	@$(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --quiet requirements/run.in -o requirements/run.lock
	@$(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --quiet requirements/dev.in -c requirements/run.lock -o requirements/dev.lock
	@$(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --quiet requirements/spec.in -o requirements/spec.lock

# --- run -------------------------------------------------------------------------------------------

demo: build ## the whole path of a transaction, from wallet to Bitcoin and back
	@$(PYTHON) -m bedroll demo

devnet: build ## a chain of one's own with funded keys
	@$(PYTHON) -m bedroll devnet

# --- check -----------------------------------------------------------------------------------------

fmt: $(STAMP) ## format the code
	@$(VENV)/bin/ruff format --quiet src tests scripts benches examples
	@$(VENV)/bin/ruff check --quiet --fix src tests scripts benches examples
	@cargo fmt --all
	@cd crates/guest/verifier && cargo fmt
	@cd crates/peer && cargo fmt

lint: build ## check format, types, layers, artifacts
	@$(VENV)/bin/ruff format --check --quiet src tests scripts benches examples
	@$(VENV)/bin/ruff check --quiet src tests scripts benches examples
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache
	@$(PYTHON) scripts/contracts.py --check
	@$(PYTHON) scripts/openrpc.py --check
	@cargo fmt --all --check
	@cd crates/guest/verifier && cargo fmt --check
	@cd crates/peer && cargo fmt --check
	@cd crates/guest/verifier && cargo clippy --locked --quiet --lib -- -D warnings
	@cargo clippy --locked --quiet --profile $(PROFILE) --all-targets -- -D warnings
	@cargo check --locked --quiet --profile $(PROFILE) -p bedroll-core --no-default-features --lib

test: build ## build and pass the tests
	@cargo test --locked --quiet --profile $(PROFILE) --workspace --exclude bedroll-python
	@cd crates/proof && CARGO_TARGET_DIR=$(PROOF_TARGET) cargo test --locked --quiet --profile quick --no-default-features
	@$(PYTEST) -n 2 --dist worksteal

test-guest: build $(EXECUTOR) ## run the programs that are proved in their machine; they must be their source's
	@$(PYTHON) scripts/guest_proved.py --check --folder $(CACHE)/guest
	@BEDROLL_EXECUTOR=$(EXECUTOR) $(PYTEST) -m guest

prove: build prover $(PROFILER) ## prove a batch here (half an hour, 20 GiB) and try 10,000 mutations of the stored proof
	@$(PYTEST) -m prove -s

test-slow: build peers ## long runs: published vectors in full, fuzzing, the core beside two other engines
	@BEDROLL_PEERS=$(PEERS) $(PYTEST) -m slow

test-e2e: build ## whole programs as processes
	@$(PYTEST) -m e2e

test-faults: build ## kills, outages, reorganisations
	@$(PYTEST) -m faults

test-bitcoind: build ## the conformance suite and a demo on a real bitcoind (built once, 10 minutes)
	@scripts/build_bitcoind.sh
	@$(PYTEST) -m bitcoind

test-clients: build ## Foundry, Hardhat, viem and ethers against a devnet (from npm)
	@command -v npm >/dev/null || { echo "npm is missing: install Node 20" >&2; exit 1; }
	@mkdir -p $(CACHE)/clients && cp tests/clients/package.json tests/clients/package-lock.json $(CACHE)/clients/
	@cd $(CACHE)/clients && npm install --silent --no-audit --no-fund
	@BEDROLL_CLIENTS=$(CACHE)/clients $(PYTEST) -m clients

test-all: test test-slow test-e2e test-faults ## everything that needs nothing from outside

test-wheel: wheel ## install the wheel into a clean environment and run it
	@rm -rf $(CACHE)/wheel-check && python3 -m venv $(CACHE)/wheel-check
	@$(CACHE)/wheel-check/bin/pip install --quiet --disable-pip-version-check dist/*.whl
	@cd / && $(CACHE)/wheel-check/bin/bedroll --version

costs: build ## compute the committed costs again
	@$(PYTHON) scripts/costs.py

bench bench-evm: PROFILE := release

bench: build ## wall time and counted work of the hot paths, printed beside their targets
	@for bench in benches/*.py; do echo "== $$bench"; $(PYTHON) $$bench || exit 1; done

bench-evm: build ## this node against anvil in one run, as a table of ratios (ROUNDS=5, or QUICK=1)
	@PYTHONPATH=src $(PYTHON) benches/evm/compare.py $(if $(QUICK),--quick,--rounds $(or $(ROUNDS),5))

clean: ## remove what was built
	@rm -rf $(VENV) dist $(CORE) $(PROOF) $(PROOF_TARGET) $(CARGO_TARGET_DIR)

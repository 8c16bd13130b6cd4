# The commands of the README. `make run` and `make test` each do everything from a fresh Debian bookworm machine on;
# what is there is neither fetched nor built again. The real build is CMake's: see CMakePresets.json.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.NOTPARALLEL:

GRAPH ?= graphs/pretrain.toml
PREFIX ?= /usr/local
SOAK_REPEATS ?= 20
FUZZ_SECONDS ?= 10
SOAK_FUZZ_SECONDS ?= 600
# One job a core, and no more than one for 2 GiB of free memory: a source file that includes LibTorch takes about 1.5 GiB.
JOBS ?= $(shell awk -v cores="$$(nproc)" '/^MemAvailable/ { fit = int($$2 / 2097152) } END { print fit < 1 ? 1 : fit < cores ? fit : cores }' /proc/meminfo)

# PORTABLE=1 builds the data half alone, without LibTorch.
ifdef PORTABLE
bootstrap_flags := --portable
configure_flags := -DFLOWRUN_NATIVE=OFF
else
bootstrap_flags :=
configure_flags = -DFLOWRUN_NATIVE=ON -DFLOWRUN_LIBTORCH="$$(scripts/bootstrap --print-libtorch)"
endif

# CMake takes these from the environment when it configures a folder for the first time. Looked up late, after bootstrap.
# One cache serves every checkout of a machine: paths below this one count as relative, and a precompiled header may be used.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
export CCACHE_SLOPPINESS := pch_defines,time_macros
export CMAKE_C_COMPILER_LAUNCHER ?= $(shell command -v ccache)
export CMAKE_CXX_COMPILER_LAUNCHER ?= $(shell command -v ccache)

peers := bench/peers/.venv

.PHONY: build
build: ## Configure and build into build/ (binary in build/bin, plugins in build/plugins)
	cmake --preset release $(configure_flags)
	cmake --build --preset release --parallel $(JOBS)

.PHONY: run
run: bootstrap build data ## Set up, build, bring the text, and train the default graph into runs/pretrain
	build/bin/flowrun $(GRAPH)

.PHONY: test
test: bootstrap build build-asan build-fuzz data ## Set up, build, and run every test; the sanitizers over the portable half first
	status=0; \
	scripts/fuzz $(FUZZ_SECONDS) || status=$$?; \
	ctest --preset asan-ubsan --parallel $(JOBS) || status=$$?; \
	ctest --preset release --parallel $(JOBS) || status=$$?; \
	exit $$status

.PHONY: bootstrap
bootstrap: ## Install the Debian packages that are missing; unpack LibTorch into the user's cache folder
	scripts/bootstrap $(bootstrap_flags)

.PHONY: data
data: ## Bring the text of the default graph into data/, from Debian packages
	scripts/fetch-data

.PHONY: build-asan
build-asan:
	cmake --preset asan-ubsan
	cmake --build --preset asan-ubsan --parallel $(JOBS)

.PHONY: build-fuzz
build-fuzz:
	cmake --preset fuzz
	cmake --build --preset fuzz --parallel $(JOBS)

.PHONY: fuzz
fuzz: bootstrap build-fuzz ## Fuzz the tokenizers' readers and encoder and the extraction of HTML, FUZZ_SECONDS for each of six targets
	scripts/fuzz $(FUZZ_SECONDS)

.PHONY: bench
bench: bootstrap build data $(peers)/.installed ## Measure, beside the peers
	bench/run $(peers)/bin/python

.PHONY: parity
parity: bootstrap build data $(peers)/.installed ## Compare runs/pretrain with transformers: logits and perplexity
	build/bin/flowrun graphs/pretrain.toml
	$(peers)/bin/python bench/peers/parity.py

.PHONY: soak
soak: bootstrap build build-fuzz data ## Repeat the slow tests SOAK_REPEATS times, or until one fails; fuzz SOAK_FUZZ_SECONDS a target
	scripts/fuzz $(SOAK_FUZZ_SECONDS)
	ctest --preset release --label-regex slow --repeat until-fail:$(SOAK_REPEATS) --parallel $(JOBS)

.PHONY: install
install: build ## Install below PREFIX (/usr/local); the tree can be moved afterwards
	cmake --install build --prefix "$(PREFIX)"

.PHONY: clean
clean: ## Remove what was built; data/, runs/ and the cache folder stay
	rm -rf build build-dev build-asan build-fuzz

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '%s\n' '' '  JOBS=N GRAPH=FILE PREFIX=DIR PORTABLE=1 (no LibTorch) FLOWRUN_LIBTORCH=DIR (one that is there)'

# Python packages of their own, so that nothing on the machine changes. A changed requirements.txt installs them anew.
$(peers)/.installed: bench/peers/requirements.txt
	/usr/bin/python3 -m venv --clear $(peers)
	$(peers)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

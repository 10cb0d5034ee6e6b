# SPDX-License-Identifier: Apache-2.0
# Forwards to CMake, Ninja and ./check. `make` builds build/alcove; `make run` and `make test`
# install what is missing first (tools/bootstrap).

CLANG := $(shell command -v clang-19)
COMPILER := $(if $(CLANG),$(CLANG),cc)
CMAKE_ARGS ?=
PREFIX ?= /usr/local
EXAMPLE := examples/words
HINT := `make run` installs what is needed (or: tools/bootstrap run)

.PHONY: all run test spec asan fuzz bench install clean bootstrap-run bootstrap-test bootstrap-bench

all:
	@for tool in cmake ninja python3 $(COMPILER); do command -v $$tool >/dev/null || { \
	    echo 'alcove: '$$tool' is missing; $(HINT)' >&2; exit 1; }; done
	@cmake --preset release -DCMAKE_C_COMPILER=$(COMPILER) $(CMAKE_ARGS) >build-log.txt 2>&1 || { \
	    cat build-log.txt; rm -f build-log.txt; \
	    echo 'alcove: configuring failed; $(HINT)' >&2; exit 1; }; rm -f build-log.txt
	@cmake --build build --target alcove

bootstrap-run:
	@tools/bootstrap run

bootstrap-test:
	@tools/bootstrap test

bootstrap-bench:
	@tools/bootstrap bench

# A real C program, compiled with the system's clang and C library for WASI, in the enclave.
run: bootstrap-run
	@$(MAKE) --no-print-directory all
	clang-19 --target=wasm32-wasi -O2 $(EXAMPLE).c -o build/words.wasm
	build/alcove measure
	build/alcove run --report --read-only-dir . build/words.wasm README.md

test: bootstrap-test
	@./check ci

spec:
	@./check spec

asan:
	@./check asan

fuzz:
	@./check formats

# Side by side with other engines, which it gets first; BENCH_ARGS goes to bench/run.py.
bench: bootstrap-bench
	@$(MAKE) --no-print-directory all
	@BENCH_ARGS='$(BENCH_ARGS)' cmake --build build --target bench

install: all
	@cmake --install build --prefix $(PREFIX)

clean:
	rm -rf build

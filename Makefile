# What a developer types.  `make help` lists the targets; CONTRIBUTING.md says more.
#
#   make demo PYTHON=python3.13      another interpreter: .venv is made anew for it, and kept
#   make test ARGS='-k prefix -x'    what follows is handed to pytest
#   make wheel PYTHONS='3.11 3.13'   a wheel for each, where one for .venv's interpreter is made

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN  := $(VENV)/bin
JOBS := $(shell nproc)
ARGS :=
PYTHONS := $(BIN)/python
# The interpreters of Debian 12 and 13, for the wheels that are tried there.
ROOTS := 3.11 3.13

# Without PYTHON= an existing .venv is used as it is, whichever interpreter made it.
ifeq ($(origin PYTHON),undefined)
PYTHON := $(if $(shell $(BIN)/python -c 0 2>&1 || echo broken),python3,$(BIN)/python)
endif
export PYTHON
# The stamp carries the interpreter's real path: another interpreter finds no stamp.
VENV_STAMP := $(VENV)/.made-by$(subst /,+,$(shell $(PYTHON) tools/interpreter.py path 2>/dev/null))

# In the order in which they need each other.
PACKAGES := ipp plt natkit pldns
C_FILES  := $(wildcard src/*/*.c src/*/*/*.c bench/*.c tests/fuzz/*.c tests/faults/*.c)
HEADERS  := $(wildcard src/*/*.h src/*/*/*.h bench/*.h tests/fuzz/*.h)
# The folders stand for the files that were removed.
C_INPUTS := $(wildcard src/* src/*/* src/*/*/*.[ch])
DEMO     := $(sort $(wildcard tutorial/p0[1-8]*.py tutorial/p1[56]*.py))
PROGRAMS := $(sort $(wildcard tutorial/p[0-9]*.py))

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wmissing-prototypes \
            -Wstrict-prototypes -Werror
# Other people's headers come in by -isystem: their warnings are not ours to mend.
C_FLAGS   = -std=c11 -fPIC -fvisibility=hidden -Isrc \
            -isystem $(shell $(BIN)/python tools/interpreter.py include) \
            $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I ldns libpcap))

CPPCHECK := --quiet --std=c11 --library=python --enable=warning,performance,portability \
            --inline-suppr --error-exitcode=1

# A command that reads one C file at a time, run on all of them, several at once.
on_each = @echo '$(firstword $(1)): $(words $(C_FILES)) files'; \
          printf '%s\n' $(C_FILES) | xargs -r -P $(JOBS) -I{} $(1)

.PHONY: help demo tutorial test lab check check-format check-tidy check-cppcheck check-ruff \
        check-types check-warnings check-symbols check-workflows asan tsan leaks valgrind faults \
        soak coverage fuzz fuzz-seeds fuzzers docs look notebooks wheel wheel-roots matrix bench \
        clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.built $(VENV)/.tutorial ## set up, then run the tutorial's programs on a real trace
	@$(BIN)/python tools/demo.py $(DEMO)

tutorial: $(VENV)/.built $(VENV)/.tutorial ## run all programs of the tutorial
	@MPLBACKEND=Agg $(BIN)/python tools/demo.py $(PROGRAMS)

test: $(VENV)/.built $(VENV)/.test ## set up, then run the whole test suite
	$(BIN)/python -m pytest $(ARGS)

# --- Set-up: each step leaves a stamp in .venv, and is taken again when what it depends on changes

$(VENV_STAMP):
	tools/make_venv.sh $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV_STAMP) pyproject.toml setup.py plt/_version.py
	$(BIN)/python -m pip install -q --no-build-isolation -e .
	@touch $@

$(VENV)/.built: $(VENV)/.installed $(C_INPUTS)
	$(BIN)/python setup.py -q build_ext --inplace -j $(JOBS)
	@touch $@

EXTRAS_test  := test tutorial cluster bench cli
EXTRAS_check := check cli
EXTRAS_wheel := wheel
EXTRAS_look  := look

# What only some targets need: Debian's packages, then an extra of pyproject.toml.
$(VENV)/.test $(VENV)/.check $(VENV)/.wheel $(VENV)/.look: $(VENV)/.%: $(VENV_STAMP) pyproject.toml tools/install.sh
	tools/install.sh $*
	$(BIN)/python tools/requires.py $(EXTRAS_$*) | $(BIN)/python -m pip install -q -r /dev/stdin
	@touch $@

$(VENV)/.docs $(VENV)/.tutorial $(VENV)/.bench $(VENV)/.coverage: $(VENV)/.%: $(VENV_STAMP) pyproject.toml
	$(BIN)/python tools/requires.py $* | $(BIN)/python -m pip install -q -r /dev/stdin
	@touch $@

# --- Checks

check: check-format check-ruff check-types check-warnings check-cppcheck check-tidy \
       check-symbols check-workflows
check: ## all that begin with check-

check-format: $(VENV)/.check ## the layout of the C is clang-format's
	clang-format --dry-run -Werror $(HEADERS) $(C_FILES)

check-ruff: $(VENV)/.check ## ruff lints the Python, and its layout is ruff's
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check .

check-types: $(VENV)/.built $(VENV)/.check ## mypy --strict, and the stubs agree with the modules
	$(BIN)/mypy $(PACKAGES) $(wildcard tools/*.py)
	$(BIN)/python -m mypy.stubtest $(foreach name,$(PACKAGES),$(name)._$(name))

check-warnings: $(VENV)/.check ## gcc and clang have nothing to say
	$(call on_each,gcc $(C_FLAGS) -O2 $(WARNINGS) -o /dev/null -c {})
	$(call on_each,clang $(C_FLAGS) -O2 $(WARNINGS) -o /dev/null -c {})

check-cppcheck: $(VENV)/.check ## cppcheck has nothing to say
	$(call on_each,cppcheck $(CPPCHECK) -Isrc {})

check-tidy: $(VENV)/.check ## clang-tidy has nothing to say
	$(call on_each,clang-tidy --quiet {} -- $(C_FLAGS)) 2> >(grep -v 'warnings\? generated' >&2)

check-symbols: $(VENV)/.built $(VENV)/.test ## a module exports PyInit_* and nothing else
	$(BIN)/python -m pytest -q -k exports_only tests/unit/test_house.py

check-workflows: $(VENV)/.check ## those of GitHub Actions are well-formed and give no rights away
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet .github/workflows

asan: $(VENV)/.built $(VENV)/.test ## the test suite under AddressSanitizer and UBSan
	tools/asan.sh $(BIN)/python $(ARGS)

coverage: $(VENV)/.built $(VENV)/.test $(VENV)/.coverage ## the lines and branches that tests reach
	tools/coverage.sh $(BIN)/python $(ARGS)

# What has threads of its own, or is used by several: ARGS= takes their place.
TSAN_TESTS := tests/hostile/test_plt_threads.py tests/hostile/test_fork.py \
              tests/hostile/test_columns_hostile.py \
              $(addprefix tests/unit/test_, $(addsuffix .py, threads readahead progress \
                  columns_many columns_parts flowtable_threads flowtable_merge flowtable_parts \
                  flowtable_reading pldns_columns_many sources_many plt_compressed \
                  plt_live plt_live_ends interpreters))

tsan: $(VENV)/.built $(VENV)/.test ## the tests of what has threads under ThreadSanitizer
	tools/tsan.sh $(BIN)/python $(or $(ARGS),$(TSAN_TESTS))

# A debug build of Python; ARGS='--count=100000 plt.ip.src' are those of tests/leaks.py.
DEBUG_PYTHON := python3-dbg

leaks: $(VENV_STAMP) ## call each public name again and again: references and memory stay
	DEBUG_PYTHON=$(DEBUG_PYTHON) tools/install.sh leaks
	tools/leaks.sh $(DEBUG_PYTHON) $(ARGS)

# What reads packets, messages and flows, and has no other programs or threads to wait for.
VALGRIND_TESTS := $(addprefix tests/unit/test_, $(addsuffix .py, ipp ipp_words natkit pldns \
                  pldns_text pldns_plain plt_fields plt_formats plt_layers plt_links plt_icmp \
                  plt_sctp plt_tunnels plt_pcapng plt_options plt_checksums plt_from_bytes \
                  flowtable_tcp flowtable_timeouts columns_decap natkit_streams))

valgrind: $(VENV)/.built $(VENV)/.test ## some of the unit tests under valgrind's memcheck
	tools/install.sh valgrind
	tools/valgrind.sh $(BIN)/python $(or $(ARGS),$(VALGRIND_TESTS))

# The seconds of each fuzzer; ARGS='link dns' are those to run.  CPU_MINUTES=30 runs each, 300 seconds
# at a time, until it has had so much of the processors' time since .fuzz was empty.
SECONDS = $(if $(filter-out 0,$(CPU_MINUTES)),300,20)
CPU_MINUTES := 0

$(VENV)/.fuzz: $(VENV_STAMP) tools/install.sh
	tools/install.sh fuzz
	@touch $@

fuzzers: $(VENV)/.built $(VENV)/.test $(VENV)/.fuzz
	@$(MAKE) -j $(JOBS) -f tests/fuzz/Makefile PYTHON=$(BIN)/python fuzzers modules
	$(BIN)/python tests/fuzz/seeds.py build/fuzz/seeds

fuzz: fuzzers ## run every fuzzer for SECONDS=20; see tests/fuzz/README.md
	@$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS) --cpu-minutes $(CPU_MINUTES) $(ARGS)

fuzz-seeds: fuzzers ## run every fuzzer on its seeds alone
	@$(BIN)/python tests/fuzz/run.py --smoke $(ARGS)

faults: $(VENV)/.built $(VENV)/.test ## let calls of malloc(), read() ... fail one at a time (an hour; ARGS=parts of names)
	@$(BIN)/python tests/faults/run.py $(ARGS)

# How many packets each way of reading gets.
PACKETS := 200000000

soak: $(VENV)/.built $(VENV)/.test ## read PACKETS=200000000 through a pipe, in every way; fill disks
	@$(BIN)/python tests/soak/run.py --packets $(PACKETS) $(ARGS)
	@$(BIN)/python tests/soak/full.py

# --- The rest

docs: $(VENV)/.built $(VENV)/.docs ## build the documentation: doc/_build/html/index.html
	$(BIN)/python -m sphinx -q -W --keep-going -b html -d doc/_build/doctrees doc doc/_build/html

look: docs $(VENV)/.look ## picture the documentation's pages in Chromium, and tell what can't be read
	$(BIN)/python tools/look.py doc/_build/html build/look

notebooks: $(VENV)/.built $(VENV)/.tutorial $(VENV)/.look ## run the notebooks in JupyterLab, in Chromium
	$(BIN)/python tools/run_notebooks.py build/notebooks $(ARGS)

wheel: $(VENV)/.wheel ## build dist/*.whl, which carries its libraries, and test it without sources
	tools/wheel.sh $(BIN)/python $(PYTHONS)
	tools/wheel_test.sh $(PYTHONS)

wheel-roots: $(VENV)/.wheel ## build wheels, and try them in bare Debian 12 and 13 (root; ten minutes)
	tools/wheel.sh $(BIN)/python $(ROOTS)
	tools/wheel_roots.sh $(BIN)/python

# What is to run of it: CELLS='sid clang, s390x', TESTS='tests/unit/test_ipp.py'; all without.
CELLS :=
TESTS :=

matrix: ## build and test on Debian 12, 13, sid, CPython 3.11 to 3.15, gcc, clang, arm64, armhf, s390x (root; three hours)
	tools/install.sh matrix
	WARNINGS='$(WARNINGS)' TESTS='$(TESTS)' python3 tools/matrix.py '$(CELLS)'

bench: $(VENV)/.built $(VENV)/.test $(VENV)/.bench ## measure, compare, write doc/performance.md
	$(BIN)/python bench/run.py $(ARGS)

lab: $(VENV)/.built ## make the tutorial's traces anew in network namespaces (root; three minutes)
	$(BIN)/python tutorial/lab/lab.py --out tutorial/lab/out

clean: ## remove everything that was built, .venv too
	rm -rf $(VENV) build dist doc/_build doc/notebooks *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f $(wildcard ipp/*.so plt/*.so natkit/*.so pldns/*.so)
	find . -name __pycache__ -prune -exec rm -rf {} +

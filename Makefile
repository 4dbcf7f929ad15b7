# Every routine is one command. `make demo` and `make test` do all the set-up themselves, in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The systems of tests/compat pull in some 250 packages; they stay out of .venv.
COMPAT := build/compat
# pyspark is 0.5 GB and needs a JVM and an older pandas.
SPARK := build/spark
# Compiler warnings as errors: on in CI, off by default so that a newer compiler's opinion never blocks a newcomer.
WERROR ?= OFF
# Processes of the Python suite; a file of tests stays in one.
PROCESSES ?= 2
# Sizes of the search and the rescoring benchmarks.
ROWS ?= 1000000
MAX_ROWS ?= 4000000
CMAKE := $(BIN)/cmake -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(BIN)/ninja -DFASTCAL_WERROR=$(WERROR)
# Ninja would take the flags of `make -j` for a job server it cannot reach.
unexport MAKEFLAGS
NATIVE := CMakeLists.txt $(shell find csrc -name '*.cpp' -o -name '*.h' -o -name '*.cmake')

.PHONY: demo test test-cpp test-numba test-compat test-spark test-neon lint format bench bench-ray bench-search bench-sweeps bench-plots bench-certificates bench-rescore browser coverage sanitize docs clean help

help:            ## show this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

demo: $(VENV)/.demo  ## install what the demo needs and run it (results in ./fastcal-demo)
	$(BIN)/fastcal demo

test: $(VENV)/.dev test-cpp test-numba  ## run everything: C++ tests, stub test, Python suite on every backend and instruction set
	$(BIN)/python -m mypy.stubtest fastcal._core --allowlist tests/stubtest-allowlist.txt
	$(BIN)/pytest -n $(PROCESSES) --dist loadfile

test-cpp: $(VENV)/.build  ## build and run the C++ tests without Python
	$(CMAKE) -S . -B build/cpp -DFASTCAL_PYTHON=OFF -DFASTCAL_TESTS=ON
	$(BIN)/cmake --build build/cpp
	$(BIN)/ctest --test-dir build/cpp --output-on-failure

test-numba: $(VENV)/.dev  ## install without a compiler into a scratch environment and smoke-test the Numba backend
	$(BIN)/python tests/install_without_compiler.py

test-compat: $(COMPAT)/.ready  ## compare the fusion presets with the systems they are named after, in an environment of their own
	HAYSTACK_TELEMETRY_ENABLED=False $(COMPAT)/bin/pytest tests/compat

test-spark: $(SPARK)/.ready  ## run the Spark recipe of docs/bulk.md against one process, in an environment of its own; needs a JVM
	@command -v java >/dev/null || { echo "needs a JVM, such as Debian's default-jre-headless"; exit 1; }
	$(SPARK)/bin/pytest tests/test_spark_recipe.py

lint: $(VENV)/.dev  ## formatting, style, types and spelling, nothing is changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(filter %.cpp %.h,$(NATIVE))
	$(BIN)/codespell fastcal csrc tests bench docs README.md CONTRIBUTING.md CHANGELOG.md Makefile

format: $(VENV)/.dev  ## rewrite files the way `make lint` wants them
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(filter %.cpp %.h,$(NATIVE))

bench: $(VENV)/.dev  ## print the tables of bench/ (ours beside FAISS, NumPy, scikit-learn)
	$(BIN)/pytest bench -q --benchmark-enable --benchmark-only --benchmark-columns=median,iqr,rounds -W default

bench-search: $(VENV)/.peers  ## exact search beside every peer at ROWS=1000000 rows: tables, JSON and Markdown in build/bench
	$(BIN)/python -m bench.search --rows $(ROWS) --out build/bench

bench-ray: $(VENV)/.dev  ## rescoring on Ray with two CPUs beside one process, ROWS=100000000 for the numbers of bench/README.md
	$(BIN)/python -m bench.rescore_ray --rows $(ROWS)

bench-sweeps: $(VENV)/.peers  ## measure how the cost grows with rows (up to MAX_ROWS), queries, k and dim; JSON in build/bench
	$(BIN)/python -m bench.search.sweeps --max-rows $(MAX_ROWS) --out build/bench

bench-plots: $(VENV)/.peers  ## draw the plots of build/bench as PNG, after measuring the sweeps if that was not done yet
	@test -f build/bench/sweeps.json || $(MAKE) bench-sweeps
	$(BIN)/python -m bench.search.plots --out build/bench

bench-rescore: ROWS = 10000000
bench-rescore: $(VENV)/.dev  ## `fastcal rescore` of ROWS rows beside pyarrow, then killed at random and resumed: the tables of bench/RESCORE.md
	$(BIN)/python -m bench.rescore --rows $(ROWS) --into bench/RESCORE.md
	$(BIN)/python -m bench.rescore.kills --into bench/RESCORE.md

coverage: $(VENV)/.dev  ## count how often certificates are false, 2,000 trials a cell, beside recipes that must be caught; minutes
	$(BIN)/python -m bench.coverage

bench-certificates: $(VENV)/.dev  ## thresholds from equal label budgets on real and synthetic pools: the tables of docs/certificates.md
	$(BIN)/python -m bench.certificates

sanitize: $(VENV)/.build  ## C++ tests under AddressSanitizer + UndefinedBehaviorSanitizer, then under ThreadSanitizer
	$(CMAKE) -S . -B build/asan -DFASTCAL_PYTHON=OFF -DFASTCAL_TESTS=ON -DFASTCAL_SANITIZE=address,undefined
	$(BIN)/cmake --build build/asan
	$(BIN)/ctest --test-dir build/asan --output-on-failure
	$(CMAKE) -S . -B build/tsan -DFASTCAL_PYTHON=OFF -DFASTCAL_TESTS=ON -DFASTCAL_SANITIZE=thread
	$(BIN)/cmake --build build/tsan
	$(BIN)/ctest --test-dir build/tsan --output-on-failure

test-neon: $(VENV)/.build  ## cross-compile for aarch64 and run the C++ tests under emulation
	@command -v aarch64-linux-gnu-g++ qemu-aarch64 >/dev/null || { echo "needs Debian's g++-aarch64-linux-gnu and qemu-user"; exit 1; }
	$(CMAKE) -S . -B build/neon -DFASTCAL_PYTHON=OFF -DFASTCAL_TESTS=ON -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
	  -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ '-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64;-L;/usr/aarch64-linux-gnu'
	$(BIN)/cmake --build build/neon
	FASTCAL_EMULATED=1 $(BIN)/ctest --test-dir build/neon --output-on-failure

browser:         ## install the headless browser that the tests of the report page drive; without it they are skipped
	@.ci/browser

docs: $(VENV)/.dev  ## run every example of README, docs and docstrings
	$(BIN)/pytest tests/test_docs.py

clean:           ## remove everything that make has made
	rm -rf $(VENV) build fastcal-demo

# -- environments: stamps, so that a second call only rebuilds what changed ---------------------------------------
$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "fastcal needs Python >= 3.11, $(PYTHON) is older; try make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.build: $(VENV)/.venv pyproject.toml
	$(BIN)/pip install --quiet --group build
	@touch $@

$(VENV)/.native: $(VENV)/.build $(NATIVE)
	$(BIN)/pip install --quiet --no-build-isolation -C cmake.define.FASTCAL_WERROR=$(WERROR) --editable .
	@touch $@

$(VENV)/.demo: $(VENV)/.native
	$(BIN)/pip install --quiet --no-build-isolation -C cmake.define.FASTCAL_WERROR=$(WERROR) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/pip install --quiet --group dev
	@touch $@

$(VENV)/.peers: $(VENV)/.dev
	$(BIN)/pip install --quiet --group peers
	@touch $@

$(COMPAT)/.ready: pyproject.toml $(NATIVE)
	$(PYTHON) -m venv $(COMPAT)
	$(COMPAT)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(COMPAT)/bin/pip install --quiet --no-compile --group build --group test-compat
	$(COMPAT)/bin/pip install --quiet --no-build-isolation -C build-dir=build/compat-native -C cmake.define.FASTCAL_WERROR=$(WERROR) --editable .
	@touch $@

$(SPARK)/.ready: pyproject.toml $(NATIVE)
	$(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(SPARK)/bin/pip install --quiet --no-compile --group build --group spark
	$(SPARK)/bin/pip install --quiet --no-build-isolation -C build-dir=build/spark-native -C cmake.define.FASTCAL_WERROR=$(WERROR) --editable .
	@touch $@

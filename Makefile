# Every target works from nothing: it needs Python 3.11 or newer and make, and sets up the rest by itself.
PYTHON ?= python3
PORT ?= 8000
PYTEST_ARGS ?=
BENCH ?=

# Compiled modules are kept, whatever the machine says: hundreds of the tests' processes start in a third of the time.
export PYTHONDONTWRITEBYTECODE =

venv := .venv/bin/python
# Tests have a PostgreSQL of their own, fast because it may forget: the demo's data stay untouched. They wait for
# servers and browsers a third of their time, so three at once suit two cores.
test_env := PORTAL_LOCAL_DIR=.local/test PORTAL_EMBEDDED_DURABLE=0
# What portal/settings.py requires of production, filled with throwaway values.
production_env := PORTAL_ENV=production PORTAL_HOSTS=portal.example REDIS_URL=redis://redis.example/0 \
	PORTAL_SECRET_KEY=only-for-the-deployment-check-0123456789-abcdefghijklmnopqrstuvwxyz \
	DATABASE_URL=postgres://portal:check@database.example/portal EMAIL_URL=smtp://portal:check@mail.example:587 \
	PORTAL_SIGNER_SOCKET=/run/signer/socket PORTAL_UNLOCK_KEYS=/run/unlock-keys.json \
	PORTAL_FILES_DIR=/run/files PORTAL_DOWNLOADS_DIR=/run/downloads PORTAL_ADDRESS=https://portal.example \
	PORTAL_VENDOR_NAME=Vendor PORTAL_VENDOR_ADDRESS=Street PORTAL_VENDOR_EMAIL=sma@vendor.example

# $(call step,NAME,COMMAND): say what is done; where it fails, say what failed.
step = @printf '\n== %s\n' '$(1)'; $(2) || { printf '\nmake: failed at: %s\n' '$(1)' >&2; exit 1; }

.PHONY: help run test proof bench screenshots lock clean set-up

help:
	@echo 'make run    set up, fill the demo, tell one renewal, serve the portal (PORT=8000)'
	@echo 'make test   set up and run every check and test (PYTEST_ARGS="tests/rules -k Q1")'
	@echo 'make proof  the longer proof: 1,000 random quotes, the same cents everywhere, and the rules over as many dongles'
	@echo 'make bench  measure the speed of the main job and of finance (BENCH="finance --lines 100000")'
	@echo 'make screenshots  take the pictures of docs/ anew (needs chromium)'
	@echo 'make lock   resolve the dependencies anew into requirements*.lock'
	@echo 'make clean  remove the virtual environment, caches and the demo with its data'
	@echo 'PYTHON=python3.13 chooses the interpreter, for example: make run PYTHON=python3.13'

run: export PORTAL_ADDRESS ?= http://127.0.0.1:$(PORT)
run: set-up
	@$(venv) manage.py migrate --verbosity 0
	@$(venv) manage.py demo
	@$(venv) manage.py story
	@$(venv) manage.py serve --port $(PORT)

test: set-up
	$(call step,ruff check,$(venv) -m ruff check)
	$(call step,ruff format,$(venv) -m ruff format --check)
	$(call step,import contracts,.venv/bin/lint-imports)
	$(call step,mypy,$(venv) -m mypy)
	$(call step,migrations,$(test_env) $(venv) manage.py makemigrations --check --dry-run)
	$(call step,deployment check,$(production_env) $(venv) manage.py check --deploy --fail-level WARNING)
	$(call step,yamllint,$(venv) -m yamllint --strict docker .ci)
	$(call step,hadolint,if ls docker/*Dockerfile* >/dev/null 2>&1; then .venv/bin/hadolint docker/*Dockerfile*; fi)
	$(call step,pytest,$(test_env) $(venv) -m pytest -n 3 --dist worksteal $(PYTEST_ARGS))

proof: set-up
	$(call step,1000 random quotes with the same cents everywhere,PROOF_QUOTES=1000 $(test_env) $(venv) -m pytest -n 2 \
	  tests/services/test_same_cents.py)
	$(call step,the rules over 1000 random dongles each,$(test_env) $(venv) -m pytest -n 2 --hypothesis-profile proof \
	  tests/rules/test_properties.py tests/rules/test_fulfilment.py tests/rules/test_second_reading.py)

bench: set-up
	@PORTAL_LOCAL_DIR=.local/bench $(venv) -m tests.bench $(BENCH)

screenshots: set-up
	@$(venv) manage.py screenshots

lock: set-up
	$(call step,production,$(compile) pyproject.toml -o requirements.lock)
	$(call step,development,$(compile) pyproject.toml --extra embedded --extra dev -o requirements-dev.lock)
	$(call step,the installer,echo uv | $(compile) - -o requirements-uv.lock)

# Universal: one lock for Linux and macOS; without the names of hosts, so that any package index will do.
compile = $(venv) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

clean:
	@if [ -x $(venv) ]; then $(venv) -m portal.embedded stop; $(test_env) $(venv) -m portal.embedded stop; fi
	rm -rf .venv .local .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment is made anew when the interpreter or the checkout's path has changed (scripts in it hold the
# path), and filled anew when the lock's checksum has changed. Otherwise this takes some 50 ms.
set-up:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is `$(PYTHON) --version 2>&1 || echo absent`." >&2; \
	  echo 'Name another one: make run PYTHON=/path/to/python3.11' >&2; exit 1; }
	@version=`$(PYTHON) -c 'import platform; print(platform.python_version())'`; \
	if ! grep -qF "$(CURDIR)/.venv" .venv/pyvenv.cfg 2>/dev/null || ! grep -qx "version = $$version" .venv/pyvenv.cfg; then \
	  $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo 'Python lacks its venv module. On Debian or Ubuntu: apt-get install python3-venv' >&2; exit 1; }; \
	  echo "Set-up: making the virtual environment .venv (Python $$version) …"; \
	  $(PYTHON) -m venv --clear .venv || exit 1; \
	fi; \
	locked=`cat requirements-dev.lock requirements-uv.lock | cksum`; \
	if [ "$$locked" != "`cat .venv/locked 2>/dev/null`" ]; then \
	  echo 'Set-up: installing the locked dependencies (some 100 MB the first time) …'; \
	  $(venv) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock && \
	  { $(venv) -m uv pip sync --quiet --python $(venv) --require-hashes requirements-dev.lock requirements-uv.lock || \
	    { echo 'Set-up: uv could not; trying pip, which takes longer …'; \
	      $(venv) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock; }; } || { \
	    echo 'The dependencies could not be installed: is the package index reachable? Then try again.' >&2; exit 1; }; \
	  echo "$$locked" > .venv/locked; \
	fi

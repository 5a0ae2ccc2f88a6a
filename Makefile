.PHONY: run test bench lint-fix lock image clean

# Watch gate do its job: an app held back by a sidecar and a database that come late.
run:
	@.ci/setup
	@.venv/bin/python -m tests.demo

# All that CI runs; `make test T="tests/test_latch.py -k fresh"` for a part of the tests.
test:
	@.ci/run $(T)

# What gate costs, side by side with plain Python: ratios, not milliseconds.
bench:
	@.ci/setup
	@.venv/bin/python -m tests.bench

lint-fix:
	@.ci/setup
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

lock:
	@.ci/setup
	@PATH="$$PWD/.venv/bin:$$PATH" .ci/lock

image:
	buildah bud --tag gate .

clean:
	rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

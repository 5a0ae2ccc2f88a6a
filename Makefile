.PHONY: run test bench bench-image docs fuzz soak mutants lint-fix lock audit image image-test image-size sbom kubectl-gate release-check clean

# Watch gate do its job: an app held back by a sidecar and a database that come late.
run:
	@.ci/setup
	@.venv/bin/python -m tests.demo

# All that CI runs; `make test T="tests/core/test_latch.py -k fresh"` for a part of the tests.
test:
	@.ci/run $(T)

# What gate costs, side by side with what else one would take, and its goals; B="plots cold" for
# other parts, of which `plots` draws docs/plots.
bench:
	@.ci/setup
	@.venv/bin/python -m tests.bench $(B)

# The same of the image, with its own interpreter; start and memory beside the goals, or B="goals plots".
bench-image:
	@tests/image/bench $(B)

# The site, in dist/site; what it says of settings, checks and rules is first written anew.
docs:
	@.ci/setup
	@.venv/bin/python -m tests.docs.reference
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

# Ten minutes of scraping and flapping: memory, descriptors and threads must stay what they are.
soak:
	@.ci/setup
	@.venv/bin/python -m tests.faults.soak $(T)

# Changes one place of gate after the other, and lists what no test notices; takes an hour.
# M="core/latch.py core/parts.py" for some modules. tests/faults/MUTATION.md explains what is known.
mutants:
	@.ci/setup
	@.venv/bin/python -m tests.faults.mutants $(M)

# Fuzzes everything that reads what others write, SECONDS for each target; T="redis url" for some.
# What leads to new places is kept in tests/fuzz/corpus; a fault is printed, with its input.
SECONDS = 600
fuzz:
	@.ci/setup
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	  --upgrade --target .venv/fuzz -r tests/fuzz/requirements.txt
	@set -e; export PYTHONPATH=.venv/fuzz; \
	for target in $${T:-$$(.venv/bin/python -m tests.fuzz 2>/dev/null)}; do \
	  .venv/bin/python -m tests.fuzz $$target -max_total_time=$(SECONDS) -max_len=4096 -timeout=10; \
	done

lint-fix:
	@.ci/setup
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

lock:
	@.ci/setup
	@PATH="$$PWD/.venv/bin:$$PATH" .ci/lock

# Whether a locked package has a known vulnerability, as far as PyPI can be asked; part of `make test`.
# A="--index https://MIRROR --newest" for a mirror that tells of the newest releases only.
audit:
	@python3 .ci/audit $(A)

# The image; EXTRAS= for the smallest, EXTRAS=postgres,dns for some, all,otel with traces. BASE and BUILDER give other
# bases, by digest for a release. All files are of 1970: the same sources give the same layers,
# and a commit that leaves the dependencies alone gives the same layer of dependencies.
EXTRAS = all
image:
	buildah bud --layers --timestamp 0 --tag gate --build-arg EXTRAS=$(EXTRAS) \
	  --build-arg REVISION=$$(git rev-parse --verify --quiet HEAD || echo unknown) \
	  --build-arg VERSION=$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' gate/__init__.py) \
	  $(if $(BASE),--build-arg BASE=$(BASE)) $(if $(BUILDER),--build-arg BUILDER=$(BUILDER)) .

# Builds the image on a base made from Debian's packages, no registry needed, and runs it.
image-test:
	@tests/image/run $(T)

# What the image weighs over its base, with and without extras.
image-size:
	@tests/image/size

# The plug-in for kubectl, for examples/krew/gate.yaml; prints its SHA-256.
kubectl-gate:
	@.ci/setup
	@.venv/bin/python .ci/plugin dist

# What is in the image that `make image` has made, its base included, as a CycloneDX bill of
# materials. The image itself tells: IMAGE=NAME for another one.
IMAGE = localhost/gate
sbom:
	@mkdir -p dist
	@podman run --rm --pull never --network none --entrypoint python3 $(IMAGE) \
	  -ISc "$$(cat .ci/sbom)" >dist/gate.cdx.json || { rm -f dist/gate.cdx.json; exit 1; }

# What can be known of a release without a network; TAG=vX.Y.Z compares the tag, too. Leaves
# wheel and source in dist.
release-check:
	@.ci/setup
	@.venv/bin/python -m tests.release.check $(TAG)

clean:
	rm -rf .venv dist /var/tmp/gate-image .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# BUILDER has a shell, pip and Python; BASE stays in the image.
#
# Where BASE has no Python, that of BUILDER is copied to it: with Python 3.15 gate starts in two
# thirds of the CPU (`gate/__main__.py`), and no public image has that without a shell and a package
# manager. BASE is distroless, which has glibc (pymongo has no wheels for musl) and certificates.
# Both are of Debian 13, so that the shared libraries of the one go with the other.
# A BASE that has Python keeps its own, which must be of the minor version of BUILDER's:
#   --build-arg BASE=gcr.io/distroless/python3-debian13:nonroot
#   --build-arg BUILDER=docker.io/library/python:3.13-slim-trixie
# Weighed against it: python:3.15-slim itself (brings pip, apt and a shell) and Wolfi's (free only
# as `latest`, whose Python changes its minor version overnight).
# Pin both by digest where you release: --build-arg BASE=...@sha256:...
ARG BUILDER=docker.io/library/python:3.15-slim-trixie
ARG BASE=gcr.io/distroless/cc-debian13:nonroot


FROM ${BASE} AS base


FROM ${BUILDER} AS interpreter
COPY --from=base / /base/
COPY .ci/image-interpreter /
RUN python3 -IS /image-interpreter /base /interpreter


FROM base AS base-with-python
COPY --from=interpreter /interpreter /


FROM ${BUILDER} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_DEFAULT_TIMEOUT=60
WORKDIR /src

# What is locked is downloaded and checked against its hashes; nothing else is, from here on.
COPY .ci/requirements.txt .ci/requirements-build.txt locks/
RUN python3 -m pip download --quiet --require-hashes --no-deps --only-binary :all: \
      --dest /wheels --requirement locks/requirements.txt \
 && python3 -m pip install --quiet --require-hashes --no-deps --only-binary :all: \
      --target /backend --requirement locks/requirements-build.txt

COPY pyproject.toml README.md LICENSE ./
COPY gate gate
RUN PYTHONPATH=/backend python3 -m pip wheel --quiet --no-index --no-deps --no-build-isolation \
      --wheel-dir /wheels .

# The extras of pyproject.toml that go in: `all`, that and traces (`all,otel`), some
# (`postgres,dns`), or none (empty).
# pip takes from the checked wheels those that these need; an unknown extra only makes it warn.
ARG EXTRAS=all
RUN python3 -m pip install --quiet --no-index --find-links /wheels --no-compile \
      --target /packages "podgate[${EXTRAS}]" 2>/notes || { cat /notes >&2; exit 1; } ; \
    ! grep -F 'does not provide the extra' /notes >&2

# Out goes what is not for running gate: scripts that start another Python, stubs and sources
# of extension modules, tests, the stray folders some wheels have, GridFS, and pip's own notes.
RUN cd /packages \
 && rm -rf bin docs examples gridfs asyncpg/_testbase certifi/tests \
 && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' \
      -o -name '*.c' -o -name '*.h' -o -name '_testcapi.*' -o -name '.gitignore' \
      -o -path '*.dist-info/RECORD' -o -path '*.dist-info/INSTALLER' \
      -o -path '*.dist-info/REQUESTED' \) -delete \
 && find . -type d -empty -delete \
 && chmod -R a+rX,go-w . \
 && mkdir /app && mv gate podgate-*.dist-info /app


# The base compiles for itself: its standard library comes without .pyc files, and a container that
# may not write them would compile it anew at every start.
FROM base-with-python AS compiled
USER 0
COPY --from=packages /packages /opt/gate/packages
COPY --from=packages /app /opt/gate/app
COPY .ci/image-compile /
RUN ["python3", "-I", "-S", "-X", "no_debug_ranges", "/image-compile", "/compiled"]


# What changes least comes first, so that a node with an older gate pulls little.
FROM base-with-python
COPY --from=compiled /compiled /
COPY --from=compiled /opt/gate/packages /opt/gate/packages
COPY --from=compiled /opt/gate/app /opt/gate/app

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gate" \
      org.opencontainers.image.description="Holds a Kubernetes app back until everything it depends on is truly ready." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /
USER 65532:65532
EXPOSE 4283
STOPSIGNAL SIGTERM
ENTRYPOINT ["gate"]
CMD ["serve"]

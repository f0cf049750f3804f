# What runs where there is no checkout: soak in a virtual environment, on a bare Python.
#   docker build --tag soak .
#   docker run --read-only --tmpfs /tmp --volume soak-runs:/runs --publish 127.0.0.1:9464:9464 soak
# Any Python >= 3.11 image with python3 and venv; name it by digest where builds must repeat exactly.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# A target whose packages come along: the name of a file in requirements/targets, such as qdrant.
ARG TARGET=

FROM ${PYTHON_IMAGE} AS build
# pip stays in the environment that builds; nothing in the product's can install anything.
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/soak
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
# Dependencies first: they change seldom, and their layer is then kept.
COPY requirements/runtime.txt requirements/
COPY requirements/targets requirements/targets
ARG TARGET
# The tester's own list comes last: where both name a package, its version is the one that stays.
RUN for list in ${TARGET:+targets/$TARGET} runtime; do \
        /opt/build/bin/pip --python /opt/soak/bin/python install --require-hashes \
            --requirement "requirements/$list.txt" || exit 1; \
    done
COPY pyproject.toml README.md LICENSE ./
COPY configs configs
COPY dashboards dashboards
COPY engine engine
COPY soak soak
RUN /opt/build/bin/pip --python /opt/soak/bin/python install --no-deps --no-build-isolation . \
    && /opt/build/bin/pip --python /opt/soak/bin/python uninstall --yes \
        editables hatchling trove-classifiers \
    && /opt/build/bin/pip --python /opt/soak/bin/python check \
    && find /opt/soak -type d -name tests -prune -exec rm -r {} +

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="soak" \
      org.opencontainers.image.description="Long-running soak tests for the memory engines of agents" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/soak /opt/soak
# A number, not a name: Kubernetes can tell that it is not root.
RUN install --directory --owner=10001 --group=10001 /runs
# Loopback inside a container reaches nobody, so here alone it listens on every address.
ENV PATH=/opt/soak/bin:$PATH \
    HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SOAK_LISTEN=0.0.0.0:9464 \
    SOAK_OUT=/runs
USER 10001:10001
WORKDIR /runs
VOLUME /runs
EXPOSE 9464
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python3", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9464/healthz', timeout=4)"]
# The report is written on SIGTERM; give it 20 s: docker stop --time 30.
STOPSIGNAL SIGTERM
ENTRYPOINT ["soak"]
CMD ["run", "steady", "--plain"]

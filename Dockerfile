# The service's image. Built by `docker build .`, which needs BuildKit or buildah.
#
# For production pin the base by its digest: --build-arg PYTHON=python:3.11-slim@sha256:...
# 3.11, because it is what the whole test suite runs on.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
# With a fixed date, bytecode depends on what the files hold and not on when they were written.
ARG SOURCE_DATE_EPOCH=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# Dependencies first: they change less often than the source, and come as wheels with known hashes.
# otlp.txt is service.txt and what pushing metrics to a collector needs.
COPY requirements/build.txt requirements/otlp.txt requirements/
RUN python -m venv --without-pip /opt/detection-consumer \
 && pip install --require-hashes --only-binary :all: -r requirements/build.txt \
 && pip --python /opt/detection-consumer install --require-hashes --only-binary :all: -r requirements/otlp.txt
COPY pyproject.toml README.md LICENSE ./
COPY consumer consumer
RUN python -m hatchling build -t wheel -d dist \
 && pip --python /opt/detection-consumer install --no-deps --no-index dist/*.whl

FROM build AS build-sandbox
COPY requirements/demo.txt requirements/
RUN pip --python /opt/detection-consumer install --require-hashes --only-binary :all: -r requirements/demo.txt

FROM ${PYTHON} AS base
# A number, because Kubernetes can't tell from a name that it isn't root.
RUN groupadd --gid 10001 consumer \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin consumer
# Nothing is written but to /tmp, so the root file system may be read-only.
ENV PATH=/opt/detection-consumer/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["detection-consumer"]

# The API on one's own machine, for `compose.yaml`: docker build --target sandbox .
FROM base AS sandbox
COPY --from=build-sandbox /opt/detection-consumer /opt/detection-consumer
EXPOSE 50051 50052
CMD ["sandbox", "--listen", "0.0.0.0:50051", "--rest-listen", "0.0.0.0:50052"]

# Last, so that it is what a build without a target makes.
FROM base AS service
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="detection-consumer" \
      org.opencontainers.image.description="Live call audio on Kafka in, deepfake-detection results out." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=build /opt/detection-consumer /opt/detection-consumer
# Health, status and metrics. No HEALTHCHECK: orchestrators have probes of their own.
EXPOSE 8080
CMD ["run"]

# The program with the rehearsal commands, beside the Postgres that the lab dresses as RDS.
ARG SAL_IMAGE=sal:0.1.0-rehearsal
FROM ${SAL_IMAGE} AS program

FROM debian:bookworm-slim
# No cluster of Debian's own.
RUN mkdir -p /etc/postgresql-common \
    && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql postgresql-client \
    && rm -rf /var/lib/apt/lists/*
COPY --from=program /sal /usr/local/bin/sal
USER postgres

# docker build --tag heldout .
# docker run --rm --user "$(id -u)" --volume "$PWD:/work" heldout \
#   sh -c 'heldout deploy . && snakemake --cores 4'
FROM python:3.12-slim-bookworm

# Exactly what requirements.lock says, as `make setup` does; the layer stays while the lock does.
COPY requirements.lock /opt/heldout/
RUN python -m pip install --no-cache-dir --require-hashes --requirement /opt/heldout/requirements.lock

COPY . /opt/heldout
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation /opt/heldout \
    && useradd --create-home --uid 1000 heldout \
    && install --directory --owner=heldout /work

# Whoever runs it may be any user: caches go where anybody can write.
ENV XDG_CACHE_HOME=/tmp/cache MPLCONFIGDIR=/tmp/cache/matplotlib
USER 1000
WORKDIR /work
CMD ["heldout", "--help"]

# An image that runs the demo and every command: docs/installing.md.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /sources
COPY . .
RUN python -m pip wheel --no-deps --wheel-dir /wheels .

# What is installed, without pip's cache and without the compiler
FROM python:${PYTHON}-slim AS installed
# where pip finds builds of torch without CUDA, beside its usual index
ARG TORCH_INDEX=
WORKDIR /wheels
COPY --from=build /wheels .
COPY constraints.txt .
RUN python -m venv /opt/sparsine \
 && PIP_EXTRA_INDEX_URL=${TORCH_INDEX} /opt/sparsine/bin/python -m pip install --no-cache-dir \
    --constraint constraints.txt "$(ls /wheels/*.whl)[view]" \
 && /opt/sparsine/bin/python -m pip uninstall --yes pip

FROM python:${PYTHON}-slim
COPY --from=installed /opt/sparsine /opt/sparsine
COPY scripts/demo.sh /opt/sparsine/bin/sparsine-demo
RUN chmod 755 /opt/sparsine/bin/sparsine-demo \
 && useradd --create-home --uid 1000 sparsine && install --directory --owner sparsine /data
ENV PATH=/opt/sparsine/bin:$PATH MPLCONFIGDIR=/tmp/matplotlib PYTHONUNBUFFERED=1
USER sparsine
WORKDIR /data
CMD ["sparsine-demo", "sparsine", "demo"]

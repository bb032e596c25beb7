# Image of the processor, from Debian's packages and PyPI's alone.
#
#     docker build -t sen2cor .
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" sen2cor PRODUCT.SAFE
#
# The steps need no container engine: each can be run as it stands as root of a fresh Debian 12.

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv
COPY . /source
RUN python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir build \
    && /build/bin/python -m build --outdir /wheels /source

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-gdal python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /wheels /wheels
# Debian's GDAL is built for NumPy 1
RUN python3 -m venv --system-site-packages /opt/sen2cor \
    && wheel=$(ls /wheels/*.whl) \
    && /opt/sen2cor/bin/pip install --no-cache-dir 'numpy>=1.26.4,<2' "${wheel}[dask,report,stac]" \
    && rm -r /wheels
ENV PATH=/opt/sen2cor/bin:$PATH
WORKDIR /data
ENTRYPOINT ["L2A_Process"]

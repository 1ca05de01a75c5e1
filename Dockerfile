# rnnkit with everything that its servers and workers need; compose.yaml uses it for both.
#
#   docker build -t rnnkit .
#   docker run --rm -v "$PWD/mlruns:/rnnkit/mlruns" rnnkit run params/demo.yaml
#
# PIP_OPTIONS are further options of pip, such as the index of PyTorch's builds for CPUs.
FROM python:3.11-slim
ARG PIP_OPTIONS=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1
WORKDIR /rnnkit
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE constraints.txt ./
COPY params params
COPY rnnkit rnnkit
COPY flows flows
COPY prefect.yaml prefect.yaml
RUN pip install $PIP_OPTIONS -c constraints.txt -e ".[postgresql,s3]" \
    && useradd --create-home rnnkit \
    && mkdir mlruns \
    && chown rnnkit mlruns
USER rnnkit
VOLUME /rnnkit/mlruns
ENTRYPOINT ["rnnkit"]
CMD ["--help"]

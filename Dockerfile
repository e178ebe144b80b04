# The emulator for people without Python:
#   docker build -t azure-openai-emulator .
#   docker run --rm -p 127.0.0.1:7071:7071 -v "$PWD/tests/cassettes:/project/cassettes:ro" azure-openai-emulator
#
# The packages are those of requirements-emulator.txt, by their hashes, and of these what the wheel needs. Nobody has built
# this yet: no registry was at hand. The digest is that of Python 3.13.15 on Debian trixie (September 2026), as several
# public projects pin it; `docker buildx imagetools inspect python:3.13-slim` tells today's.
FROM python:3.13-slim@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS build
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source
RUN pip download --no-cache-dir --require-hashes --dest /wheels --requirement /source/requirements-emulator.txt

FROM python:3.13-slim@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285
LABEL org.opencontainers.image.title="azure-openai-emulator" org.opencontainers.image.licenses="MIT"
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels azure-openai-emulator
WORKDIR /project
USER 10001
ENV PYTHONUNBUFFERED=1 EMULATOR_CACHE=off
EXPOSE 7071
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7071/', timeout=2)"]
ENTRYPOINT ["azure-openai-emulator"]
CMD ["serve", "--host", "0.0.0.0"]

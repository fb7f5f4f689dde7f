# The service in a container: nothing to write, nobody to be.
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE NOTICE constraints.txt ./
COPY src src
RUN python -m venv /opt/gafas \
    && /opt/gafas/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt '.[serve]'

FROM python:3.12-slim
COPY --from=build /opt/gafas /opt/gafas
ENV PATH=/opt/gafas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["gafas", "serve", "--host", "0.0.0.0", "--port", "8000"]

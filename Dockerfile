# Serves fer-web on one machine: docker compose up --build. compose.yaml says why it is on the machine's own network.
FROM node:22-slim AS pages
WORKDIR /fer-web
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.12-slim
WORKDIR /fer-web
# "serve scale" for several processes (examples/deploy/compose.yaml).
ARG PARTS=serve
COPY requirements-serve.txt requirements-scale.txt ./
RUN for part in $PARTS; do pip install --no-cache-dir -r "requirements-$part.txt" || exit 1; done
COPY --from=pages /fer-web/node_modules/ node_modules/
COPY app.py LICENSE ./
COPY models/flagship/ models/flagship/
COPY templates/ templates/
COPY static/ static/
COPY fer_web/ fer_web/
RUN useradd --create-home fer && install --directory --owner=fer --mode=0700 /data /videos
USER fer
VOLUME /data
ENV FER_DATA_DIR=/data FER_PORT=5000 PYTHONUNBUFFERED=1
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f\"http://127.0.0.1:{os.environ['FER_PORT']}/livez\", timeout=5)"]
ENTRYPOINT ["python", "app.py"]

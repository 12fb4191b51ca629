# The image of compose.yaml. It was written and checked line by line, not built: there was no container runtime where it was written.
FROM python:3.11-slim

WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps --editable . \
    && useradd --create-home redial && mkdir /data && chown redial /data

USER redial
VOLUME /data
CMD ["redial", "--help"]

"""An S3 server on loopback (moto), and the variables that AWS's clients find it by."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fsspec.implementations.arrow import ArrowFSWrapper
from moto.server import ThreadedMotoServer
from pyarrow.fs import S3FileSystem

BUCKET = "datasets"


@contextmanager
def object_store() -> Iterator[Mapping[str, str]]:
    """Run a server that has a bucket for the length of the block, and yield the environment for it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        files_of(environment, allow_bucket_creation=True).mkdir(BUCKET)
        yield environment
    finally:
        server.stop()


def files_of(environment: Mapping[str, str], **options: bool) -> ArrowFSWrapper:
    """Return the server's files, not by the code under test."""
    return ArrowFSWrapper(
        S3FileSystem(
            endpoint_override=environment["AWS_ENDPOINT_URL"].removeprefix("http://"),
            scheme="http",
            access_key=environment["AWS_ACCESS_KEY_ID"],
            secret_key=environment["AWS_SECRET_ACCESS_KEY"],
            region=environment["AWS_REGION"],
            **options,
        )
    )

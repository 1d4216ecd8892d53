# SPDX-License-Identifier: Apache-2.0
"""An S3 server on loopback, with a bucket for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Bucket:
    """client: boto3's. name: without s3://."""

    client: Any
    name: str

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    def upload(self, path: Path, name: str) -> str:
        """A file or a folder with all that is in it, to that name; its URL."""
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                inside = f"/{file.relative_to(path).as_posix()}" if path.is_dir() else ""
                self.put(f"{name}{inside}", file.read_bytes())
        return f"{self.url}/{name}"

    def put(self, name: str, data: bytes) -> str:
        self.client.put_object(Bucket=self.name, Key=name, Body=data)
        return f"{self.url}/{name}"

    def get(self, name: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=name)["Body"].read()
        return data

    def remove(self, name: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=name)

    def times(self) -> dict[str, Any]:
        """When each object was written, by name."""
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {each["Key"]: each["LastModified"] for each in listed}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The server's URL."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    """An empty one, and an empty cache."""
    import boto3

    for name, value in (
        ("AWS_ENDPOINT_URL", s3_server),
        ("AWS_ACCESS_KEY_ID", "tester"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("PERCEPTION_CACHE", str(tmp_path / "objects")),
    ):
        monkeypatch.setenv(name, value)
    forget()
    made = Bucket(boto3.client("s3"), f"test-{uuid.uuid4().hex[:12]}")
    made.client.create_bucket(Bucket=made.name)
    return made


def forget() -> None:
    """The next access looks at the environment again: s3fs keeps its connections."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()


def fetched(tmp_path: Path) -> list[str]:
    """The files of the cache's copies that are there, by the names of the links that lead to them."""
    links = (tmp_path / "objects/trees").rglob("*")
    return sorted(link.name for link in links if link.is_symlink() and os.path.exists(link))

"""Bucket: segment files as objects under a prefix of a bucket of S3 or what speaks like it, through boto3.

Who we are, and where the store is if not at Amazon, comes from the environment as AWS tools have it:
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or a profile or a role, AWS_ENDPOINT_URL_S3, AWS_CA_BUNDLE.
Where a bucket keeps versions, removing removes every one of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from bimetal.keep.disk import UNFINISHED, in_words
from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound, Unsupported

try:
    boto3, botocore = import_module("boto3"), import_module("botocore.exceptions")
    _config: Any = import_module("botocore.config")
except ModuleNotFoundError:
    raise Unsupported(
        "boto3, which speaks to S3, is not installed", hint="pip install 'bimetal[shared]'"
    ) from None

_GONE = ("NoSuchKey", "404", "NoSuchVersion")
_REFUSED = ("AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "401")
_BEYOND = ("InvalidRange", "416")


class Bucket:
    """Objects of a bucket; new ones are written in a local folder before they are sent."""

    def __init__(self, url: str, scratch: Path) -> None:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._scratch = scratch
        with _in_words(url):
            self._client: Any = boto3.session.Session().client("s3", config=_patience())

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    @contextmanager
    def new(self, name: str) -> Generator[Path, None, None]:
        """Yield an empty file; when the block ends well, an object has its content, whole."""
        with in_words(self._scratch):
            handle, written = tempfile.mkstemp(dir=self._scratch, prefix=UNFINISHED)
            os.close(handle)
        try:
            with in_words(self._scratch):
                yield Path(written)
                with _in_words(f"{self}{name}"), open(written, "rb") as content:
                    self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)
        finally:
            with suppress(OSError):
                os.unlink(written)

    def open(self, name: str) -> Object:
        """Open an object, which asks for nothing yet."""
        return Object(self._client, self._bucket, self._prefix + name)

    def names(self) -> list[str]:
        """Return the names of all objects under the prefix."""
        with _in_words(str(self)):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix
            )
            keys = [str(item["Key"]) for page in pages for item in page.get("Contents", ())]
        return [key.removeprefix(self._prefix) for key in keys]

    def remove(self, names: Sequence[str]) -> None:
        """Delete objects, where versions are kept every version of them."""
        if not names:
            return
        kept = self._keeps_versions()
        for key in (self._prefix + name for name in names):
            with _in_words(f"s3://{self._bucket}/{key}"):
                for version in self._versions(key) if kept else [{}]:
                    self._client.delete_object(Bucket=self._bucket, Key=key, **version)

    def _keeps_versions(self) -> bool:
        """Say whether the bucket keeps versions, or did once; raises NotAllowed when it will not say."""
        try:
            with _in_words(str(self)):
                said = self._client.get_bucket_versioning(Bucket=self._bucket)
        except NotAllowed:
            raise NotAllowed(
                "the bucket does not say whether it keeps old versions, so nothing can be removed for good",
                where=str(self),
                hint="Allow s3:GetBucketVersioning",
            ) from None
        return bool(said.get("Status"))

    def _versions(self, key: str) -> list[dict[str, str]]:
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        return [
            {"VersionId": str(item["VersionId"])}
            for page in pages
            for kind in ("Versions", "DeleteMarkers")
            for item in page.get(kind, ())
            if item["Key"] == key
        ]


class Object:
    """An object, read a range at a time."""

    size: int | None = None

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self.where = f"s3://{bucket}/{key}"
        self._client = client
        self._named = {"Bucket": bucket, "Key": key}

    def read(self, at: int, count: int) -> bytes:
        """Return bytes from a place on, fewer when it ends before; raises NotFound when it is gone."""
        if not count:
            return b""
        with _in_words(self.where):
            try:
                found = self._client.get_object(**self._named, Range=f"bytes={at}-{at + count - 1}")
                return bytes(found["Body"].read())
            except botocore.ClientError as error:
                if _code(error) in _BEYOND:
                    return b""
                raise

    def close(self) -> None:
        """Nothing is held."""


def _patience() -> Any:
    retries = {"mode": "standard", "max_attempts": 3}
    return _config.Config(connect_timeout=5, read_timeout=20, retries=retries, max_pool_connections=32)


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _in_words(where: str) -> Generator[None, None, None]:
    try:
        yield
    except botocore.ClientError as error:
        raise _refusal(_code(error), where) from None
    except botocore.NoCredentialsError:
        hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        raise NotAllowed("S3 does not know who asks", where=where, hint=hint) from None
    except botocore.ParamValidationError:
        raise BadInput("this names no bucket", where=where, hint="s3://bucket/prefix") from None
    except botocore.BotoCoreError as error:
        hint = "Is AWS_ENDPOINT_URL_S3 right, if it is not at Amazon?"
        said = f"S3 cannot be reached ({type(error).__name__})"
        raise Unsupported(said, where=where, hint=hint) from None


def _refusal(code: str, where: str) -> Error:
    if code in _GONE:
        return NotFound("it is gone, or was replaced while it was read", where=where, hint="Ask again")
    if code == "NoSuchBucket":
        return NotFound("there is no such bucket", where=where, hint="Make it, or name another")
    if code in _REFUSED:
        return NotAllowed(f"S3 refuses this ({code})", where=where, hint="Ask its owner for the right")
    return Unsupported(f"S3 could not do this ({code})", where=where, hint="It is tried again")

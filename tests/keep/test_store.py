"""The stores: a folder and a bucket, with and without versions, obey one law."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from bimetal.keep.place import Place, store_of
from bimetal.keep.store import Store
from bimetal.nouns.errors import NotAllowed, NotFound, Unsupported
from tests.keep import peers

CONTENT = bytes(range(256)) * 40


def bucket_of(request: pytest.FixtureRequest, *, versioned: bool) -> tuple[peers.Buckets, str]:
    s3: peers.Buckets = request.getfixturevalue("s3")
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    for name, value in peers.environment(s3).items():
        patch.setenv(name, value)
    return s3, s3.bucket(versioned=versioned)


@pytest.fixture(params=["folder", "bucket", "bucket with versions"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return store_of(Place(tmp_path), writing=True)
    _, name = bucket_of(request, versioned="versions" in request.param)
    return store_of(Place(tmp_path, "", f"s3://{name}/deep/prefix/"), writing=True)


def put(store: Store, name: str, content: bytes = CONTENT) -> None:
    with store.new(name) as path:
        path.write_bytes(content)


def test_what_is_put_is_read_in_any_piece(store: Store) -> None:
    put(store, "a")
    put(store, "b", b"")
    with closing(store.open("a")) as file:
        assert file.size in (None, len(CONTENT))
        for at, count in ((0, 1), (100, 300), (10_000, 500), (0, 99_999), (10_240, 4), (7, 0)):
            assert file.read(at, count) == CONTENT[at : at + count]
        assert "a" in file.where
    with closing(store.open("b")) as file:
        assert file.read(0, 10) == b""
    assert sorted(store.names()) == ["a", "b"]


def test_a_block_that_fails_puts_nothing_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    def fail() -> None:
        with store.new("a") as path:
            path.write_bytes(CONTENT)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.names() == []
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_what_is_removed_is_gone(store: Store) -> None:
    for name in ("a", "b"):
        put(store, name)
    store.remove(["a", "never there"])
    store.remove([])
    assert store.names() == ["b"]
    with pytest.raises(NotFound), closing(store.open("a")) as file:
        file.read(0, 1)


def test_no_version_of_what_is_removed_is_left(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    s3, name = bucket_of(request, versioned=True)
    store = store_of(Place(tmp_path, "", f"s3://{name}"), writing=True)
    for content in (b"secret one", b"secret two"):
        put(store, "a", content)
    put(store, "ab", b"its neighbour")
    s3.client().delete_object(Bucket=name, Key="a")  # as a tool would that knows no better
    assert len(s3.contents(name)) == 3
    store.remove(["a"])
    assert list(s3.contents(name).values()) == [b"its neighbour"]


def test_a_bucket_that_does_not_say_whether_it_keeps_versions_is_not_believed(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, name = bucket_of(request, versioned=False)
    store = store_of(Place(tmp_path, "", f"s3://{name}"), writing=True)
    put(store, "a")
    client = store._client  # type: ignore[attr-defined]
    error = type(store).__init__.__globals__["botocore"].ClientError

    def denied(**_: object) -> None:
        raise error({"Error": {"Code": "AccessDenied"}}, "GetBucketVersioning")

    monkeypatch.setattr(client, "get_bucket_versioning", denied)
    with pytest.raises(NotAllowed, match="removed for good"):
        store.remove(["a"])
    assert store.names() == ["a"]


def test_a_store_that_is_not_there_is_said_in_words(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket_of(request, versioned=False)
    with pytest.raises(NotFound, match="no such bucket"):
        store_of(Place(tmp_path, "", "s3://nobody-made-this")).names()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(NotAllowed, match="AWS_ACCESS_KEY_ID"):
        store_of(Place(tmp_path, "", "s3://some-bucket")).names()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "plant")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", peers.SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(Unsupported, match="cannot be reached") as refused:
        store_of(Place(tmp_path, "", "s3://some-bucket")).names()
    assert peers.SECRET not in str(refused.value)

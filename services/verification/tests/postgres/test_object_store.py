"""Documents in an S3-compatible store: the same over HTTP, encrypted there too, and moved by the rotation."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from didflow_verification.api.documents.upload import Uploads
from didflow_verification.documents.chunks import DatabaseChunks, ObjectChunks, bucket
from didflow_verification.documents.contents import Contents, open_contents
from didflow_verification.documents.rotation import RotateDocuments
from didflow_verification.jobs import ROTATE_DOCUMENTS
from didflow_verification.settings import VerificationSettings

BUCKET = "files"


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A server that speaks the S3 protocol, in a thread of this process, with a bucket. The value is its client."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="u",
        aws_secret_access_key="p",
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    running.stop()


def objects(server: Any, prefix: str = "") -> dict[str, bytes]:
    """Return all objects of the bucket."""
    listed = server.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {each["Key"]: server.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed}


@pytest.fixture
def in_bucket(running: Any, contents: Contents, server: Any) -> Contents:
    """The service stores new contents in the bucket from now on."""
    store = bucket(
        name=BUCKET,
        region="us-east-1",
        endpoint=server.meta.endpoint_url,
        access_key_id="u",
        secret_access_key="p",
    )
    stores = {"database": DatabaseChunks(running.database), "s3": ObjectChunks(store, f"{uuid4()}/")}
    made = replace(contents, stores=stores, store="s3")
    running.application.state.uploads = Uploads(contents=made)
    return made


def in_this_bucket(server: Any, contents: Contents) -> dict[str, Any]:
    """Return the settings of the bucket, with the prefix of these contents."""
    return {
        "s3_bucket": BUCKET,
        "s3_endpoint": server.meta.endpoint_url,
        "s3_prefix": contents.stores["s3"]._prefix,  # type: ignore[attr-defined]
        "s3_access_key_id": "u",
        "s3_secret_access_key": SecretStr("p"),
    }


async def test_a_document_is_stored_encrypted_in_the_bucket(
    running: Any, upload: Any, ann: Any, server: Any, *, bakery: Any, files: Any, in_bucket: Contents
) -> None:
    """It can be downloaded. Neither the database nor the bucket has it in clear. It is deleted with the document."""
    content = files.image(size=(700, 900))
    made = await upload(bakery.identity_id, content)
    path = f"/v1/documents/{made.json()['document_id']}"
    assert (await ann.get(f"{path}/content")).content == content
    prefix = in_bucket.stores["s3"]._prefix  # type: ignore[attr-defined]
    kept = await asyncio.to_thread(objects, server, prefix)
    assert len(kept) == 2
    assert not any(content[500:540] in ciphertext for ciphertext in kept.values())
    assert await running.count("document_chunks") == 0
    assert (await ann.delete(path)).status_code == 204
    assert await asyncio.to_thread(objects, server, prefix) == {}


async def test_a_refused_upload_leaves_nothing_in_the_bucket(
    upload: Any, server: Any, bakery: Any, files: Any, in_bucket: Contents
) -> None:
    """The chunks were stored before the content was recognized. They are deleted."""
    assert (await upload(bakery.identity_id, files.exe(), name="a.pdf")).status_code == 422
    prefix = in_bucket.stores["s3"]._prefix  # type: ignore[attr-defined]
    assert await asyncio.to_thread(objects, server, prefix) == {}


async def test_documents_move_to_the_bucket_with_a_rotation(
    running: Any, upload: Any, jobs: Any, bakery: Any, *, files: Any, ann: Any, server: Any, request: Any
) -> None:
    """Documents in the database stay readable and are moved. The store of the job counts, not that of the worker."""
    content = files.image(size=(700, 900))
    path = f"/v1/documents/{(await upload(bakery.identity_id, content)).json()['document_id']}/content"
    in_bucket: Contents = request.getfixturevalue("in_bucket")
    assert (await ann.get(path)).content == content
    target = RotateDocuments(key_id="k1", store="s3")
    lost = await jobs.finish(await jobs.start(ROTATE_DOCUMENTS, target))
    assert (lost.done, lost.refused) == (0, 1), "the bucket is not configured"
    jobs.settings = jobs.settings.model_copy(update=in_this_bucket(server, in_bucket))
    job = await jobs.finish(await jobs.start(ROTATE_DOCUMENTS, target))
    assert (job.total, job.done, job.refused) == (1, 1, 0)
    assert await running.count("document_chunks") == 0
    assert (await ann.get(path)).content == content


async def test_a_store_that_cannot_be_reached_is_an_outage(
    running: Any, upload: Any, contents: Contents, bakery: Any
) -> None:
    """The answer is 503 without the address of the store, and no document is created."""
    away = bucket(
        name=BUCKET,
        region="us-east-1",
        endpoint="http://127.0.0.1:9",
        access_key_id="u",
        secret_access_key="p",
        retries=0,
    )
    stores = {"database": DatabaseChunks(running.database), "s3": ObjectChunks(away, "x/")}
    running.application.state.uploads = Uploads(contents=replace(contents, stores=stores, store="s3"))
    answer = await upload(bakery.identity_id)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "127.0.0.1" not in answer.text
    assert await running.count("documents") == 0


async def test_the_settings_open_the_bucket(running: Any, server: Any) -> None:
    """Keys, store and bucket come from the settings."""
    found = VerificationSettings(
        kafka="127.0.0.1:1",
        postgres=running.database.dsn,
        document_keys=f"k1:{'A' * 43}=",
        document_store="s3",
        s3_bucket=BUCKET,
        s3_endpoint=server.meta.endpoint_url,
        s3_access_key_id="u",
        s3_secret_access_key="p",
    )
    opened = open_contents(found, running.database)
    assert opened is not None
    assert (opened.store, opened.keyring.current) == ("s3", "k1")
    content_id = UUID(int=1)
    await opened.stores["s3"].put(content_id, 0, b"ciphertext")
    assert await opened.stores["s3"].get(content_id, 0) == b"ciphertext"
    await opened.stores["s3"].delete(content_id)
    assert await opened.stores["s3"].get(content_id, 0) is None
    assert open_contents(VerificationSettings.placeholder(), running.database) is None

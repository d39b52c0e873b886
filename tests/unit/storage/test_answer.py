"""Everything that botocore can raise is one of our errors, in one sentence, with the cure and without secrets."""

from typing import Any

import pytest
from botocore import exceptions as boto
from urllib3.exceptions import ProtocolError

from abr.errors import (
    StoreConflict,
    StoreDenied,
    StoreError,
    StoreMisconfigured,
    StoreMissing,
    StoreUnavailable,
)
from abr.storage.answer import check_deleted, is_closed, is_refused_batch, store_error

PLACE = "s3://live at https://s3.example"


def answered(code: str, status: int, message: str | None = "said so", **headers: str) -> boto.ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {
            "HTTPStatusCode": status,
            "HTTPHeaders": {name.replace("_", "-"): value for name, value in headers.items()},
        },
    }
    return boto.ClientError(response, "PutObject")


def ours(error: Exception) -> StoreError:
    return store_error(error, place=PLACE, doing="put ch/1.m4s")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("NoSuchKey", 404, StoreMissing),
        ("404", 404, StoreMissing),
        ("NoSuchBucket", 404, StoreMisconfigured),
        ("InvalidBucketName", 400, StoreMisconfigured),
        ("PermanentRedirect", 301, StoreMisconfigured),
        ("AuthorizationHeaderMalformed", 400, StoreMisconfigured),
        ("MissingContentLength", 411, StoreMisconfigured),
        ("NotImplemented", 501, StoreMisconfigured),
        ("501", 501, StoreMisconfigured),
        ("MethodNotAllowed", 405, StoreMisconfigured),
        ("AccessDenied", 403, StoreDenied),
        ("403", 403, StoreDenied),
        ("InvalidAccessKeyId", 403, StoreDenied),
        ("SignatureDoesNotMatch", 403, StoreDenied),
        ("ExpiredToken", 400, StoreDenied),
        ("401", 401, StoreDenied),
        ("PreconditionFailed", 412, StoreConflict),
        ("SlowDown", 503, StoreUnavailable),
        ("InternalError", 500, StoreUnavailable),
        ("502", 502, StoreUnavailable),
        ("", 504, StoreUnavailable),
        ("429", 429, StoreUnavailable),
        ("RequestTimeout", 400, StoreUnavailable),
        ("RequestTimeTooSkewed", 403, StoreUnavailable),
        ("BadDigest", 400, StoreUnavailable),
        ("XAmzContentSHA256Mismatch", 400, StoreUnavailable),
        ("QuotaExceeded", 403, StoreUnavailable),
        ("ConditionalRequestConflict", 409, StoreUnavailable),
        ("EntityTooLarge", 400, StoreError),
    ],
)
def test_an_answer_tells_whether_to_repeat(code: str, status: int, kind: type[StoreError]) -> None:
    error = ours(answered(code, status))
    assert type(error) is kind
    assert error.retry is (kind is StoreUnavailable)
    assert error.message.startswith(f"{PLACE}: cannot put ch/1.m4s: ")
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (boto.EndpointConnectionError(endpoint_url="https://s3.example"), StoreUnavailable),
        (boto.ConnectTimeoutError(endpoint_url="https://s3.example"), StoreUnavailable),
        (boto.ReadTimeoutError(endpoint_url="https://s3.example"), StoreUnavailable),
        (boto.ConnectionClosedError(endpoint_url="https://s3.example"), StoreUnavailable),
        (boto.HTTPClientError(error="Broken pipe"), StoreUnavailable),
        (boto.ProxyConnectionError(proxy_url="http://proxy:3128"), StoreUnavailable),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), StoreUnavailable),
        (boto.ResponseStreamingError(error="cut"), StoreUnavailable),
        (boto.CredentialRetrievalError(provider="iam", error_msg="no answer"), StoreUnavailable),
        (boto.SSLError(endpoint_url="https://s3.example", error="EOF occurred"), StoreUnavailable),
        (
            boto.SSLError(endpoint_url="https://s3.example", error="CERTIFICATE_VERIFY_FAILED"),
            StoreMisconfigured,
        ),
        (boto.ParamValidationError(report="Invalid bucket name"), StoreMisconfigured),
        (boto.InvalidRegionError(region_name="a b"), StoreMisconfigured),
        (boto.NoCredentialsError(), StoreDenied),
        (boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), StoreDenied),
        (boto.ProfileNotFound(profile="media"), StoreDenied),
        (ProtocolError("IncompleteRead(10 bytes read, 90 more expected)"), StoreUnavailable),
        (boto.BotoCoreError(), StoreUnavailable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_no_answer_tells_whether_to_repeat(error: Exception, kind: type[StoreError]) -> None:
    made = ours(error)
    assert type(made) is kind
    assert made.message.startswith(f"{PLACE}: cannot put ch/1.m4s: ")
    assert "\n" not in str(made)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry_after": "3"}, 3.0),
        ({"x_amz_retry_after": "1500", "retry_after": "9"}, 1.5),
        ({"retry_after": "Sat, 29 Aug 2026 18:15:30 GMT", "date": "Sat, 29 Aug 2026 18:15:00 GMT"}, 30.0),
        ({"retry_after": "Sat, 29 Aug 2026 18:14:00 GMT", "date": "Sat, 29 Aug 2026 18:15:00 GMT"}, 0.0),
        ({"retry_after": "Sat, 29 Aug 2026 18:15:30 GMT"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "²"}, None),
    ],
)
def test_the_pause_that_was_asked_for(headers: dict[str, str], after: float | None) -> None:
    """RFC 9110 10.2.3: seconds, or a date by the server's own clock."""
    error = ours(answered("SlowDown", 503, **headers))
    assert isinstance(error, StoreUnavailable)
    assert error.after == after


@pytest.mark.parametrize(
    ("error", "slow", "lost"),
    [
        (answered("SlowDown", 503), True, False),
        (answered("", 503), True, False),
        (answered("429", 429), True, False),
        (answered("Throttling", 400), True, False),
        (answered("InternalError", 500), False, True),
        (answered("502", 502), False, True),
        (answered("", 504), False, True),
        (answered("RequestTimeout", 400), False, False),
        (answered("BadDigest", 400), False, False),
        (boto.ReadTimeoutError(endpoint_url="https://s3.example"), False, True),
        (boto.ConnectionClosedError(endpoint_url="https://s3.example"), False, True),
        (boto.SSLError(endpoint_url="https://s3.example", error="EOF occurred"), False, True),
        (boto.ResponseStreamingError(error="cut"), False, True),
        (boto.EndpointConnectionError(endpoint_url="https://s3.example"), False, False),
        (boto.ConnectTimeoutError(endpoint_url="https://s3.example"), False, False),
        (boto.ProxyConnectionError(proxy_url="http://proxy:3128"), False, False),
    ],
    ids=str,
)
def test_whether_the_store_is_busy_and_whether_it_may_be_done(
    error: Exception, slow: bool, lost: bool
) -> None:
    """Lost is an answer to a request that may have reached the store; slow is one that asks for fewer."""
    made = ours(error)
    assert isinstance(made, StoreUnavailable)
    assert (made.slow, made.lost) == (slow, lost)


def test_a_connection_that_was_closed_without_a_word() -> None:
    assert is_closed(boto.ConnectionClosedError(endpoint_url="https://s3.example"))
    assert is_closed(boto.SSLError(endpoint_url="https://s3.example", error="EOF occurred in violation"))
    assert not is_closed(boto.SSLError(endpoint_url="https://s3.example", error="CERTIFICATE_VERIFY_FAILED"))
    assert not is_closed(boto.ReadTimeoutError(endpoint_url="https://s3.example"))
    assert not is_closed(None)


def test_an_answer_without_words_is_still_a_sentence() -> None:
    """Ceph sends an empty message, a proxy sends no XML at all, botocore leaves out what it did not see."""
    assert ours(answered("AccessDenied", 403, None)).message.endswith(": AccessDenied (403)")
    assert ours(boto.ClientError({}, "PutObject")).message.endswith(": no reason given")
    assert ours(answered("404", 404, "Not Found")).message.endswith(": 404: Not Found")


def test_a_cure_is_named() -> None:
    assert "clock" in ours(answered("RequestTimeTooSkewed", 403)).hint
    assert "make the bucket" in ours(answered("NoSuchBucket", 404)).hint
    assert "ca=" in ours(boto.SSLError(endpoint_url="", error="CERTIFICATE_VERIFY_FAILED")).hint


def test_no_secret_is_told() -> None:
    error = ours(
        answered("AccessDenied", 403, "GET https://me:hunter2@host/x?X-Amz-Signature=abcdef is forbidden")
    )
    assert "hunter2" not in str(error)
    assert "abcdef" not in str(error)


def test_a_batch_that_a_server_does_not_know() -> None:
    """Swift wants Content-MD5, others have no multi-delete; a missing right is no reason to go one by one."""
    assert is_refused_batch(answered("InvalidRequest", 400, "Missing required header: Content-MD5"))
    assert is_refused_batch(answered("NotImplemented", 501))
    assert is_refused_batch(answered("MethodNotAllowed", 405))
    assert not is_refused_batch(answered("AccessDenied", 403))
    assert not is_refused_batch(answered("SlowDown", 503))
    assert not is_refused_batch(boto.NoCredentialsError())


def test_a_batch_of_which_some_stayed() -> None:
    check_deleted({}, PLACE)
    check_deleted({"Errors": [{"Key": "a", "Code": "NoSuchKey"}]}, PLACE)
    with pytest.raises(StoreDenied, match="cannot delete b: AccessDenied: no"):
        check_deleted(
            {
                "Errors": [
                    {"Key": "a", "Code": "NoSuchKey"},
                    {"Key": "b", "Code": "AccessDenied", "Message": "no"},
                ]
            },
            PLACE,
        )
    with pytest.raises(StoreUnavailable):
        check_deleted({"Errors": [{"Key": "a", "Code": "InternalError"}]}, PLACE)

"""What botocore raises, as one sentence of ours: who said what about which key, and the cure."""

from email.utils import parsedate_to_datetime
from typing import Any

from botocore import exceptions as boto
from urllib3.exceptions import HTTPError

from abr.errors import (
    StoreConflict,
    StoreDenied,
    StoreError,
    StoreMisconfigured,
    StoreMissing,
    StoreUnavailable,
)
from abr.log import redact

_MISSING = {"NoSuchKey"}
_CONFLICT = {"PreconditionFailed"}
_LATER = {  # codes with a status below 500 that pass when they are repeated
    "SlowDown",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "OperationAborted",
    "ConditionalRequestConflict",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequests",
    "BadDigest",
    "IncompleteBody",
    "XAmzContentSHA256Mismatch",
    "QuotaExceeded",
}
_SLOW = {  # the server answers, and wants fewer requests
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequests",
}
_DENIED = {
    "AccessDenied",
    "AllAccessDisabled",
    "AccountProblem",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
    "Forbidden",
    "Unauthorized",
}
_MISCONFIGURED = {
    "NoSuchBucket": "make the bucket, or name another",
    "InvalidBucketName": "name another bucket",
    "PermanentRedirect": "name the bucket's own region and endpoint",
    "AuthorizationHeaderMalformed": "name the bucket's own region",
    "IllegalLocationConstraintException": "name the bucket's own region",
    "MissingContentLength": "the server takes no body in pieces; put no proxy before it that makes such, or use another server",
    "NotImplemented": "this server lacks what is asked of it",
    "MethodNotAllowed": "see that the endpoint is that of S3, without a path",
}
_NO_BATCH = {"NotImplemented", "MethodNotAllowed", "InvalidRequest", "InvalidArgument", "MalformedXML"}
_CURES = {
    "RequestTimeTooSkewed": "set this machine's clock",
    "SignatureDoesNotMatch": "see the secret key, and that no proxy changes the Host header",
    "InvalidAccessKeyId": "see the access key",
    "ExpiredToken": "get a new session token",
    "QuotaExceeded": "raise the quota of the bucket or remove recordings",
}
_NOT_SENT = (  # the request never reached the server
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
    boto.MetadataRetrievalError,
    boto.CredentialRetrievalError,
)
_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.ProfileNotFound,
    boto.NoAuthTokenError,
    boto.UnauthorizedSSOTokenError,
    boto.SSOTokenLoadError,
)
_SETTINGS = (
    boto.ParamValidationError,
    boto.NoRegionError,
    boto.InvalidRegionError,
    boto.UnknownEndpointError,
    boto.UnknownSignatureVersionError,
    boto.InvalidS3AddressingStyleError,
    boto.ConfigParseError,
    boto.ConfigNotFound,
    boto.InvalidConfigError,
    boto.InvalidProxiesConfigError,
    boto.UnsupportedSignatureVersionError,
)


ERRORS = (boto.BotoCoreError, boto.ClientError, HTTPError)
"""What a call of botocore raises; the last leaks from bodies that break off."""


def store_error(error: Exception, *, place: str, doing: str) -> StoreError:
    """Botocore's error as ours. `place` names bucket and endpoint, `doing` the call and the key."""
    if isinstance(error, boto.ClientError):
        return _answered(error, f"{place}: cannot {doing}: ")
    return _unanswered(error, redact(f"{place}: cannot {doing}: {_first_line(error)}"))


def is_closed(error: Exception | None) -> bool:
    """Whether the peer closed the connection before it answered anything."""
    if isinstance(error, boto.SSLError):
        return "EOF occurred" in str(error)
    return isinstance(error, boto.ConnectionClosedError)


def is_refused_batch(error: Exception) -> bool:
    """Whether the server does not know the deletion of many keys at once, or not as botocore asks for it."""
    if not isinstance(error, boto.ClientError):
        return False
    code, status, _ = _said(error)
    return code in _NO_BATCH or status in (405, 501)


def check_deleted(answer: Any, place: str) -> None:
    """Raise what a deletion of many keys says of the first that could not be deleted."""
    for item in answer.get("Errors", ()):
        code = str(item.get("Code") or "")
        if code not in _MISSING:
            said = _text(code, item.get("Message"))
            raise _refused(code, 0, redact(f"{place}: cannot delete {item.get('Key')}: {said}"))


def _answered(error: boto.ClientError, lead: str) -> StoreError:
    code, status, message = _said(error)
    sentence = redact(lead + _text(code, message, status))
    if code in _LATER or (code not in _MISCONFIGURED and _is_passing(status)):
        # With 503 and below nothing was done; other failures may have come after the object was stored.
        return StoreUnavailable(
            sentence,
            hint=_CURES.get(code, ""),
            after=_after(_headers(error)),
            slow=code in _SLOW or status in (429, 503),
            lost=code not in _LATER and status >= 500 and status != 503,
        )
    return _refused(code, status, sentence)


def _is_passing(status: int) -> bool:
    return status in (408, 425, 429) or (status >= 500 and status != 501)


def _refused(code: str, status: int, sentence: str) -> StoreError:
    """The error of an answer that a repetition does not change, or of a key's code in a batch (`status` 0)."""
    if code in _LATER or code in ("InternalError", "ServiceUnavailable"):
        return StoreUnavailable(sentence, slow=code in _SLOW)
    if code in _MISCONFIGURED or status in (301, 307, 308, 405, 411, 501):
        return StoreMisconfigured(sentence, hint=_MISCONFIGURED.get(code, "see endpoint and region"))
    if code in _DENIED or status in (401, 403):
        return StoreDenied(sentence, hint=_CURES.get(code, "see the credentials and the bucket's policy"))
    if code in _MISSING or status == 404:
        return StoreMissing(sentence)
    if code in _CONFLICT or status in (409, 412):
        return StoreConflict(sentence)
    return StoreError(sentence)


def _unanswered(error: Exception, sentence: str) -> StoreError:
    if isinstance(error, _CREDENTIALS):
        return StoreDenied(sentence, hint="give credentials in the environment, ~/.aws or a profile")
    if isinstance(error, boto.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return StoreMisconfigured(sentence, hint="name the authority of a private certificate with ca=")
    if isinstance(error, _SETTINGS):
        return StoreMisconfigured(sentence, hint="see bucket, endpoint and region")
    # Everything else never reached the server or its answer never reached us: connections, time-outs,
    # bodies cut short, an answer that is not S3's.
    return StoreUnavailable(sentence, lost=not isinstance(error, _NOT_SENT))


def _said(error: boto.ClientError) -> tuple[str, int, str]:
    """Code, status and message; each may be missing, and RGW's message may be null."""
    said: Any = error.response.get("Error") or {}
    meta: Any = error.response.get("ResponseMetadata") or {}
    code, status = str(said.get("Code") or ""), int(meta.get("HTTPStatusCode") or 0)
    if not status and code.isdigit():
        status = int(code)  # answers to HEAD have no body: the code is the status
    return code, status, str(said.get("Message") or "")


def _headers(error: boto.ClientError) -> dict[str, str]:
    meta: Any = error.response.get("ResponseMetadata") or {}
    return {str(name).lower(): str(value) for name, value in (meta.get("HTTPHeaders") or {}).items()}


def _after(headers: dict[str, str]) -> float | None:
    """Seconds that the server asks to wait: x-amz-retry-after (ms), Retry-After as seconds or as a date."""
    if headers.get("x-amz-retry-after", "").isdecimal():
        return int(headers["x-amz-retry-after"]) / 1000
    asked = headers.get("retry-after", "")
    if asked.isdecimal():
        return float(asked)
    try:  # RFC 9110 10.2.3: a date counts by the server's clock, which its answer tells
        pause = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, pause.total_seconds())


def _text(code: str, message: object, status: int = 0) -> str:
    said = " ".join(str(message or "").split())[:200]
    name = code if not status or code == str(status) else f"{code} ({status})"
    return f"{name}: {said}" if said and said != code else name or "no reason given"


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:300]

"""What the registry tells when it refuses a call, read from the `google.rpc` details of the status."""

from dataclasses import dataclass, field

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True)
class FieldViolation:
    """A field of the request that breaks a rule."""

    field: str
    """Its path, such as `country.region_code`."""
    description: str
    """The rule, as a phrase that follows the field's name."""


@dataclass(frozen=True)
class PreconditionViolation:
    """Something in the registry that stands in the way."""

    type: str
    """What it is, such as `REFERRED_TO`."""
    subject: str
    """The resource or field that it is about."""
    description: str
    """What is so."""


@dataclass(frozen=True)
class Refusal:
    """Why a call failed."""

    code: grpc.StatusCode
    message: str
    """For people."""
    reason: str = ""
    """For programs, such as `INVALID_FIELDS`. Empty if the error is not the registry's, as when no server answers."""
    metadata: dict[str, str] = field(default_factory=dict)
    """Every part of the message that changes from call to call."""
    fields: list[FieldViolation] = field(default_factory=list)
    preconditions: list[PreconditionViolation] = field(default_factory=list)
    retry_after: float | None = None
    """In how many seconds the same call may succeed. None: not said."""


def refusal(error: grpc.RpcError) -> Refusal:
    """Reads all that an error tells."""
    told = {}
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = _unpack(detail, error_details_pb2.ErrorInfo())
            told["reason"], told["metadata"] = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = _unpack(detail, error_details_pb2.BadRequest())
            told["fields"] = [FieldViolation(one.field, one.description) for one in bad.field_violations]
        elif detail.Is(error_details_pb2.PreconditionFailure.DESCRIPTOR):
            failure = _unpack(detail, error_details_pb2.PreconditionFailure())
            told["preconditions"] = [
                PreconditionViolation(one.type, one.subject, one.description) for one in failure.violations
            ]
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            delay = _unpack(detail, error_details_pb2.RetryInfo()).retry_delay
            told["retry_after"] = delay.ToTimedelta().total_seconds()
    return Refusal(code=error.code(), message=error.details() or "", **told)


def _unpack(detail, message):
    detail.Unpack(message)
    return message

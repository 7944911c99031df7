"""What every call to the Partnership Registry needs besides its stubs, which are in `partnership.registry.v1`.

`connect` opens a channel, `caller` says who calls and why, `new_request_id` makes a write safe to repeat, and `refusal`
reads all that an error tells.
"""

import uuid

import grpc

from partnership_registry.refusal import FieldViolation, PreconditionViolation, Refusal, refusal

__all__ = [
    "FieldViolation",
    "PreconditionViolation",
    "Refusal",
    "caller",
    "connect",
    "new_request_id",
    "refusal",
]

# The largest answer of the server: a commit that is watched or listed. gRPC itself reads at most 4 MiB.
ANSWER_BYTES_MAX = 16 * 1024 * 1024

CHANNEL_OPTIONS = [("grpc.max_receive_message_length", ANSWER_BYTES_MAX)]


def connect(address: str) -> grpc.Channel:
    """Opens a channel to a server, such as `localhost:50051`. It connects with the first call; close it, or use `with`."""
    return grpc.insecure_channel(address, options=CHANNEL_OPTIONS)


def caller(actor: str = "", reason: str = "") -> list[tuple[str, bytes]]:
    """Who calls, and why, as the `metadata` of a call: kept with what the call writes.

    The `-bin` keys hold UTF-8, so the texts may be in any script.
    """
    texts = {"partnership-actor-bin": actor, "partnership-reason-bin": reason}
    return [(key, text.encode()) for key, text in texts.items() if text]


def new_request_id() -> str:
    """Makes the `request_id` of a write: sent again with the same id, the write is done once."""
    return str(uuid.uuid4())

/**
 * What every call to the Partnership Registry needs besides its services, which are in `partnership-registry/v1/…`.
 *
 * `connect` makes a transport, `caller` says who calls and why, `newRequestId` makes a write safe to repeat, and `refusal`
 * reads all that an error tells.
 */

import { randomUUID } from "node:crypto";

import { encodeBinaryHeader, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

export { refusal, type FieldViolation, type PreconditionViolation, type Refusal } from "./refusal.js";

/** The largest answer of the server: a commit that is watched or listed. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** Makes the transport to a server, such as `http://localhost:50051`. It connects with the first call. */
export function connect(baseUrl: string): Transport {
  return createGrpcTransport({ baseUrl, readMaxBytes: ANSWER_BYTES_MAX });
}

/**
 * Who calls, and why, as the `headers` of a call: kept with what the call writes.
 *
 * The `-bin` keys hold UTF-8, so the texts may be in any script.
 */
export function caller(actor: string, reason = ""): Record<string, string> {
  const headers: Record<string, string> = {};
  if (actor !== "") headers["partnership-actor-bin"] = encodeBinaryHeader(actor);
  if (reason !== "") headers["partnership-reason-bin"] = encodeBinaryHeader(reason);
  return headers;
}

/** Makes the `requestId` of a write: sent again with the same id, the write is done once. */
export function newRequestId(): string {
  return randomUUID();
}

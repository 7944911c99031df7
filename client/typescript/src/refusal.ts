/** What the registry tells when it refuses a call, read from the `google.rpc` details of the error. */

import { durationMs } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError } from "@connectrpc/connect";

import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";

/** A field of the request that breaks a rule. */
export interface FieldViolation {
  /** Its path, such as `country.region_code`. */
  field: string;
  /** The rule, as a phrase that follows the field's name. */
  description: string;
}

/** Something in the registry that stands in the way. */
export interface PreconditionViolation {
  /** What it is, such as `REFERRED_TO`. */
  type: string;
  /** The resource or field that it is about. */
  subject: string;
  /** What is so. */
  description: string;
}

/** Why a call failed. */
export interface Refusal {
  code: Code;
  /** For people. */
  message: string;
  /** For programs, such as `INVALID_FIELDS`. Empty if the error is not the registry's, as when no server answers. */
  reason: string;
  /** Every part of the message that changes from call to call. */
  metadata: Record<string, string>;
  fields: FieldViolation[];
  preconditions: PreconditionViolation[];
  /** In how many milliseconds the same call may succeed. `undefined`: not said. */
  retryAfterMs: number | undefined;
}

/** Reads all that an error tells, whatever was thrown. */
export function refusal(thrown: unknown): Refusal {
  const error = ConnectError.from(thrown);
  const info = error.findDetails(ErrorInfoSchema)[0];
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return {
    code: error.code,
    message: error.rawMessage,
    reason: info?.reason ?? "",
    metadata: info?.metadata ?? {},
    fields: error
      .findDetails(BadRequestSchema)
      .flatMap((bad) => bad.fieldViolations.map(({ field, description }) => ({ field, description }))),
    preconditions: error
      .findDetails(PreconditionFailureSchema)
      .flatMap((failure) =>
        failure.violations.map(({ type, subject, description }) => ({ type, subject, description })),
      ),
    retryAfterMs: delay && durationMs(delay),
  };
}

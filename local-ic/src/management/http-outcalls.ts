import { ErrorCode, UserError } from '../errors.js';
import {
  FEES_13_NODES,
  type Fees,
  type HttpOutcall,
  type ManagementContext,
  type Request,
  type Subnet,
} from '../state/index.js';
import { decodeArgs, type Method } from './call.js';
import { encode } from './candid/index.js';
import { invalidPayload } from './errors.js';
import { httpRequestArgs, httpResponse } from './types.js';

const MAX_RESPONSE_BYTES = 2_000_000n;
const MAX_URL_BYTES = 8192;
const MAX_HEADERS = 64;
const MAX_HEADER_BYTES = 8192;
/** Methods that must not be sent by every node. */
const onlyUnreplicated: ReadonlySet<string> = new Set(['put', 'delete', 'patch']);

/** Answer of an HTTPS outcall, from whoever plays the web server. */
export type HttpAnswer =
  | {
      readonly kind: 'reply';
      readonly status: number;
      readonly headers: readonly { readonly name: string; readonly value: string }[];
      readonly body: Uint8Array;
    }
  | { readonly kind: 'reject'; readonly code: number; readonly message: string };

/** `http_request`: waits until a test answers it. */
export const httpRequest: Method = (context, call) => {
  const args = decodeArgs(httpRequestArgs, call.arg);
  if (call.message.kind === 'ingress') {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      'Only canisters can call ic00 method http_request',
    );
  }
  checkArguments(args);
  if (args.pricing_version === 2) {
    throw invalidPayload(
      'pricing_version 2: the embedded Internet Computer charges outcalls by version 1 only',
    );
  }
  if (onlyUnreplicated.has(Object.keys(args.method)[0]!) && args.is_replicated !== false) {
    throw invalidPayload(
      `HTTP method ${Object.keys(args.method)[0]!.toUpperCase()} is for outcalls that are not replicated: set is_replicated to false`,
    );
  }
  const requestBytes = requestSize(args);
  const responseBytes = args.max_response_bytes ?? MAX_RESPONSE_BYTES;
  const fee = httpRequestFee(context.fees, BigInt(requestBytes), responseBytes);
  if (call.cycles < fee) {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `http_request request sent with ${call.cycles} cycles, but ${fee} cycles are required.`,
    );
  }
  context.subnet.httpOutcalls.set(context.subnet.nextHttpOutcall++, {
    request: call.message,
    url: args.url,
    method: Object.keys(args.method)[0]!.toUpperCase() as HttpOutcall['method'],
    headers: args.headers,
    body: args.body ?? new Uint8Array(),
    maxResponseBytes: args.max_response_bytes,
    fee,
  });
  return { kind: 'pending' };
};

/**
 * Answers a pending outcall of a subnet; the canister has the answer after the next round. Returns
 * whether there was one with this id.
 */
export function answerHttpOutcall(
  context: Pick<ManagementContext, 'answer'>,
  subnet: Subnet,
  id: number,
  answer: HttpAnswer,
): boolean {
  const outcall = subnet.httpOutcalls.get(id);
  if (outcall === undefined) return false;
  subnet.httpOutcalls.delete(id);
  const message: Request = outcall.request;
  const sender = subnet.canister(message.sender);
  if (sender) sender.consumption.http_outcalls += outcall.fee;
  if (answer.kind === 'reject') {
    context.answer(message, {
      kind: 'reject',
      error: rejection(answer.code, answer.message),
      cyclesUsed: outcall.fee,
    });
    return true;
  }
  const limit = outcall.maxResponseBytes ?? MAX_RESPONSE_BYTES;
  if (BigInt(answer.body.length) > limit) {
    const text = `Header size + body size exceeds specified response size limit ${limit}`;
    context.answer(message, {
      kind: 'reject',
      error: new UserError(ErrorCode.SubnetOversubscribed, text),
      cyclesUsed: outcall.fee,
    });
    return true;
  }
  const data = encode(httpResponse, {
    status: BigInt(answer.status),
    headers: [...answer.headers],
    body: answer.body,
  });
  context.answer(message, { kind: 'reply', data, cyclesUsed: outcall.fee });
  return true;
}

/** An error whose reject code is the given one. */
function rejection(code: number, message: string): UserError {
  const byRejectCode: Record<number, ErrorCode> = {
    1: ErrorCode.SubnetOversubscribed,
    2: ErrorCode.IngressHistoryFull,
    3: ErrorCode.CanisterNotFound,
    4: ErrorCode.CanisterRejectedMessage,
    5: ErrorCode.CanisterDidNotReply,
  };
  return new UserError(byRejectCode[code] ?? ErrorCode.CanisterRejectedMessage, message);
}

function checkArguments(args: {
  url: string;
  max_response_bytes: bigint | undefined;
  headers: readonly { name: string; value: string }[];
}): void {
  if (Buffer.byteLength(args.url) > MAX_URL_BYTES) {
    throw invalidPayload(
      `max number of URL characters: ${MAX_URL_BYTES}, given: ${Buffer.byteLength(args.url)}`,
    );
  }
  if (args.max_response_bytes !== undefined && args.max_response_bytes > MAX_RESPONSE_BYTES) {
    throw invalidPayload(
      `max_response_bytes expected to be in the range [0..${MAX_RESPONSE_BYTES}], got ${args.max_response_bytes}`,
    );
  }
  if (args.headers.length > MAX_HEADERS) {
    throw invalidPayload(
      `number of headers expected to be at most ${MAX_HEADERS}, got ${args.headers.length}`,
    );
  }
  for (const { name, value } of args.headers) {
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value);
    if (bytes > MAX_HEADER_BYTES) {
      throw invalidPayload(
        `header ${name}: expected at most ${MAX_HEADER_BYTES} bytes, got ${bytes}`,
      );
    }
  }
}

function httpRequestFee(fees: Fees, requestBytes: bigint, responseBytes: bigint): bigint {
  if (fees.free) return 0n;
  const nodes = BigInt(fees.nodes);
  const { httpRequestBase, httpRequestPerNode, httpRequestByte, httpResponseByte } = FEES_13_NODES;
  const perNode =
    httpRequestBase +
    httpRequestPerNode * nodes +
    httpRequestByte * requestBytes +
    httpResponseByte * responseBytes;
  return perNode * nodes;
}

function requestSize(args: {
  url: string;
  headers: readonly { name: string; value: string }[];
  body: Uint8Array | undefined;
}): number {
  let bytes = Buffer.byteLength(args.url) + (args.body?.length ?? 0);
  for (const { name, value } of args.headers) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

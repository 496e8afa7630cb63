import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { errorCodeName, rejectCodeName, type UserError } from '../errors.js';
import { decodeGeneric } from '../management/candid/index.js';
import type { Aspect, NotCompared, Recorded, RecordedOutcome } from './case.js';
import { toHex, type Names } from './names.js';

/** How a message was answered here. */
export type Outcome =
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  | { readonly kind: 'reject'; readonly error: UserError; readonly phase?: 'submit' }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'pending' }
  | { readonly kind: 'accepted' };

export interface OutcomeDifference {
  readonly aspect: Aspect;
  readonly text: string;
}

/** Differences between a recorded outcome and ours, as golden/README ("How to compare") asks. */
export function compareOutcome(
  expected: RecordedOutcome & { readonly accepted?: boolean },
  actual: Outcome,
  names: Names,
): OutcomeDifference[] {
  const wanted = kindOf(expected);
  if (wanted !== actual.kind) {
    return [outcome(`expected ${describeExpected(expected, names)}, got ${describe(actual)}`)];
  }
  if (actual.kind === 'reply') return compareReply(expected, actual.bytes, names);
  if (actual.kind === 'reject') return compareReject(expected.reject!, actual, names);
  return [];
}

function kindOf(expected: RecordedOutcome & { readonly accepted?: boolean }): Outcome['kind'] {
  if (expected.reject) return 'reject';
  if (expected.server_error !== undefined) return 'refused';
  if (expected.pending) return 'pending';
  if (expected.accepted) return 'accepted';
  return 'reply';
}

function compareReply(
  expected: RecordedOutcome,
  bytes: Uint8Array,
  names: Names,
): OutcomeDifference[] {
  if (expected.reply_sha256 !== undefined) {
    const sha = createHash('sha256').update(bytes).digest('hex');
    if (sha === expected.reply_sha256 && bytes.length === expected.reply_len) return [];
  }
  if (!isRecorded(expected.reply)) return [];
  const wanted = names.hex(expected.reply);
  const got = toHex(bytes);
  if (wanted === got) return [];
  if (expected.reply_decoded !== undefined && sameCandid(names.bytes(expected.reply), bytes))
    return [];
  return [outcome(`reply ${excerpt(got, wanted)}`)];
}

/** Whether two Candid payloads say the same, whatever the order of their type tables. */
function sameCandid(expected: Uint8Array, actual: Uint8Array): boolean {
  try {
    return isDeepStrictEqual(decodeGeneric(expected), decodeGeneric(actual));
  } catch {
    return false;
  }
}

function compareReject(
  expected: NonNullable<RecordedOutcome['reject']>,
  actual: Extract<Outcome, { kind: 'reject' }>,
  names: Names,
): OutcomeDifference[] {
  const { error } = actual;
  const code = rejectCodeName(error.rejectCode);
  const errorCode = errorCodeName(error.code);
  if (
    expected.code !== code ||
    expected.error_code !== errorCode ||
    (expected.phase === 'submit') !== (actual.phase === 'submit')
  ) {
    return [
      outcome(
        `expected ${expected.code}/${expected.error_code}${phase(expected.phase)}, ` +
          `got ${code}/${errorCode}${phase(actual.phase)}: ${error.message.slice(0, 300)}`,
      ),
    ];
  }
  const wanted = comparableText(names.text(expected.message));
  const got = comparableText(error.message);
  return wanted === got ? [] : [{ aspect: 'text', text: `text ${excerpt(got, wanted)}` }];
}

const SERVER_BACKTRACE = '{stack backtrace of the server}';

/** Without the server's own backtrace, and of its wasm validator only what is before "failed with". */
function comparableText(text: string): string {
  const message = text.replace(SERVER_BACKTRACE, '').trimEnd();
  const validator = /Wasmtime failed to validate[^]*?failed with/.exec(message);
  return validator ? message.slice(0, validator.index + validator[0].length) : message;
}

export function isRecorded<T>(value: Recorded<T> | undefined): value is T {
  return (
    value !== undefined && !(typeof value === 'object' && value !== null && isNotCompared(value))
  );
}

function isNotCompared(value: object): value is NotCompared {
  return '$nondeterministic' in value;
}

/** The part around the first difference of two long strings. */
export function excerpt(got: string, wanted: string): string {
  let at = 0;
  while (at < got.length && got[at] === wanted[at]) at++;
  const start = Math.max(0, at - 24);
  const part = (text: string): string =>
    `${start > 0 ? '…' : ''}${text.slice(start, at + 120)}${text.length > at + 120 ? '…' : ''}`;
  return `differs at ${at}: expected "${part(wanted)}" (${wanted.length}), got "${part(got)}" (${got.length})`;
}

const phase = (value: string | undefined): string => (value === 'submit' ? ' at submission' : '');
const outcome = (text: string): OutcomeDifference => ({ aspect: 'outcome', text });

export function describe(actual: Outcome): string {
  switch (actual.kind) {
    case 'reply':
      return `reply ${toHex(actual.bytes).slice(0, 120)}`;
    case 'reject':
      return `${errorCodeName(actual.error.code)}${phase(actual.phase)}: ${actual.error.message.slice(0, 400)}`;
    case 'refused':
      return `refused: ${actual.text.slice(0, 300)}`;
    case 'pending':
      return 'no answer yet';
    case 'accepted':
      return 'accepted';
  }
}

function describeExpected(
  expected: RecordedOutcome & { readonly accepted?: boolean },
  names: Names,
): string {
  if (expected.reject) {
    const { error_code, message } = expected.reject;
    return `${error_code}${phase(expected.reject.phase)}: ${names.text(message).slice(0, 300)}`;
  }
  if (expected.server_error !== undefined) return `refusal: ${expected.server_error.slice(0, 200)}`;
  if (expected.pending) return 'no answer yet';
  if (expected.accepted) return 'acceptance';
  return `reply ${isRecorded(expected.reply) ? expected.reply.slice(0, 120) : '(any)'}`;
}

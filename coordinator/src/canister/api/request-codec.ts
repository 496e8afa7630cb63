/**
 * Candid by hand for the messages that make up a request. The library takes millions of instructions
 * for the smallest reply and copies blobs byte by byte; here they are copied as blocks. What is written
 * and read is ordinary Candid (specification: "Binary format"), and tests compare it with the library.
 */
import type { ByteWriter, CoordinatorErrorRecord, RequestNumber } from '@canopy/protocol';
import { bundleBytes, writeBundle } from '../bytes/bundle-writer.js';
import type { PrincipalLike } from '../ic/ic.js';
import type { FetchOutcome, ReleaseOutcome } from '../pipeline/fetch.js';
import type { InferOutcome, SubmitOutcome } from '../pipeline/infer.js';
import type { StageTotals } from '../pipeline/stages.js';

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder('utf-8', { fatal: true });

/** The hash by which Candid orders and names fields. */
function fieldHash(name: string): number {
  let hash = 0;
  for (let index = 0; index < name.length; index++) {
    hash = (Math.imul(hash, 223) + name.charCodeAt(index)) >>> 0;
  }
  return hash;
}

const byHash = <T extends string>(...names: T[]): T[] =>
  names.sort((one, other) => fieldHash(one) - fieldHash(other));

function leb(out: ByteWriter, value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.u8((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.u8(rest);
}

/** A nat of any size. */
function nat(out: ByteWriter, value: bigint): void {
  let rest = value;
  while (rest > 0xffff_ffffn) {
    out.u8(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  leb(out, Number(rest));
}

function text(out: ByteWriter, value: string): void {
  const bytes = utf8.encode(value);
  leb(out, bytes.length);
  out.bytes(bytes);
}

function blob(out: ByteWriter, value: Uint8Array): void {
  leb(out, value.length);
  out.bytes(value);
}

function principal(out: ByteWriter, value: PrincipalLike): void {
  out.u8(1);
  out.shortBytes(value.toUint8Array());
}

type FieldWriters<T, Name extends string> = Record<Name, (out: ByteWriter, value: T) => void>;

/** A writer of record values with the fields of `writers`. */
function record<T, Name extends string>(
  writers: FieldWriters<T, Name>,
): (out: ByteWriter, value: T) => void {
  const order = byHash(...(Object.keys(writers) as Name[])).map((name) => writers[name]);
  return (out, value) => {
    for (const write of order) write(out, value);
  };
}

const errorValue = record<CoordinatorErrorRecord, 'code' | 'message' | 'retryable'>({
  code: (out, error) => {
    text(out, error.code);
  },
  message: (out, error) => {
    text(out, error.message);
  },
  retryable: (out, error) => out.u8(error.retryable ? 1 : 0),
});

/** Bytes of a stage's record but for its worker. */
const stageBytes = 32;

/**
 * A stage's record. Its fields stand in the order of their hashes: messages, scratch_bytes,
 * instructions, bytes_sent, bytes_received, worker.
 */
function stageValue(out: ByteWriter, stage: StageTotals): void {
  const bytes = new Uint8Array(stageBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, stage.messages, true);
  view.setUint32(4, stage.scratchBytes, true);
  view.setBigUint64(8, stage.instructions, true);
  setCount(view, 16, stage.bytesSent);
  setCount(view, 24, stage.bytesReceived);
  out.bytes(bytes);
  principal(out, stage.worker);
}

/** A nat64 of a number below 2^53, where there are zeros. */
function setCount(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  if (value >= 2 ** 32) view.setUint32(at + 4, value / 2 ** 32, true);
}

type Inference = Extract<InferOutcome, { kind: 'done' }>;

/** An inference; its fields too in the order of their hashes. */
function inferenceValue(out: ByteWriter, inference: Inference): void {
  leb(out, inference.stages.length);
  for (const stage of inference.stages) stageValue(out, stage);
  out.u32(inference.microBatches);
  leb(out, bundleBytes(inference.outputs));
  writeBundle(out, inference.outputs);
}

/** Cases of a variant, numbered in the order of their hashes. */
const doneCases = byHash('ok', 'err');
const inferCases = byHash('ok', 'ticket', 'err');
const fetchCases = byHash('pending', 'part', 'err');
const pendingFields = byHash('done', 'total');
const partFields = byHash('bytes', 'total');

export type OrError<T> = T | { kind: 'err'; error: CoordinatorErrorRecord };

/** Value of `variant { ok : Inference; ticket : nat; err : Error }`. */
export function writeInferReply(out: ByteWriter, outcome: OrError<InferOutcome>): void {
  switch (outcome.kind) {
    case 'done':
      out.u8(inferCases.indexOf('ok'));
      inferenceValue(out, outcome);
      return;
    case 'ticket':
      out.u8(inferCases.indexOf('ticket'));
      nat(out, outcome.ticket);
      return;
    case 'err':
      out.u8(inferCases.indexOf('err'));
      errorValue(out, outcome.error);
  }
}

/** Value of `variant { ok : nat; err : Error }`. */
export function writeSubmitReply(out: ByteWriter, outcome: OrError<SubmitOutcome>): void {
  out.u8(doneCases.indexOf(outcome.kind));
  if (outcome.kind === 'ok') nat(out, outcome.ticket);
  else errorValue(out, outcome.error);
}

/** Value of `variant { ok; err : Error }`. */
export function writeDoneReply(out: ByteWriter, outcome: OrError<ReleaseOutcome>): void {
  out.u8(doneCases.indexOf(outcome.kind));
  if (outcome.kind === 'err') errorValue(out, outcome.error);
}

/** Value of the reply of `fetch` and `fetch_update`. */
export function writeFetchReply(out: ByteWriter, outcome: OrError<FetchOutcome>): void {
  switch (outcome.kind) {
    case 'pending':
      out.u8(fetchCases.indexOf('pending'));
      for (const field of pendingFields) out.u32(outcome[field]);
      return;
    case 'part':
      out.u8(fetchCases.indexOf('part'));
      for (const field of partFields) {
        if (field === 'bytes') blob(out, outcome.bytes);
        else out.u32(outcome.total);
      }
      return;
    case 'err':
      out.u8(fetchCases.indexOf('err'));
      errorValue(out, outcome.error);
  }
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  for (let index = 0; index < start.length; index++) {
    if (bytes[index] !== start[index]) return false;
  }
  return true;
}

/** `(nat64)`, `(nat)` and `(nat, nat32)`: no types of their own, the arguments' types, then the values. */
const nat64Header = [0x44, 0x49, 0x44, 0x4c, 0, 1, 0x78];
const natHeader = [0x44, 0x49, 0x44, 0x4c, 0, 1, 0x7d];
const natAndNat32Header = [0x44, 0x49, 0x44, 0x4c, 0, 2, 0x7d, 0x79];
/** Bytes of the longest ticket; longer numbers are left to the library. */
const mostNatBytes = 28;

/** Reads arguments `(nat64)`; undefined as for {@link readRequest}. */
export function readNat64(bytes: Uint8Array): [bigint] | undefined {
  if (bytes.length !== nat64Header.length + 8 || !startsWith(bytes, nat64Header)) return undefined;
  const values = new DataView(bytes.buffer, bytes.byteOffset + nat64Header.length, 8);
  return [values.getBigUint64(0, true)];
}

/** A nat from `at` on, and where it ends. */
function readNatAt(bytes: Uint8Array, at: number): { value: bigint; end: number } | undefined {
  let end = at;
  while (bytes[end]! >= 0x80) end++;
  if (end >= bytes.length || end - at >= mostNatBytes) return undefined;
  let value = 0n;
  // Five bytes, 35 bits, at a time: arithmetic with large numbers is dear.
  for (let high = end; high >= at; high -= 5) {
    let part = 0;
    const low = Math.max(at, high - 4);
    for (let index = high; index >= low; index--) part = part * 128 + (bytes[index]! & 0x7f);
    value = value * (1n << BigInt(7 * (high - low + 1))) + BigInt(part);
  }
  return { value, end: end + 1 };
}

/** Reads arguments `(nat)`; undefined as for {@link readRequest}. */
export function readNat(bytes: Uint8Array): [bigint] | undefined {
  if (!startsWith(bytes, natHeader)) return undefined;
  const read = readNatAt(bytes, natHeader.length);
  return read?.end === bytes.length ? [read.value] : undefined;
}

/** Reads arguments `(nat, nat32)`; undefined as for {@link readRequest}. */
export function readNatAndNat32(bytes: Uint8Array): [bigint, number] | undefined {
  if (!startsWith(bytes, natAndNat32Header)) return undefined;
  const read = readNatAt(bytes, natAndNat32Header.length);
  if (read === undefined || read.end + 4 !== bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + read.end, 4);
  return [read.value, view.getUint32(0, true)];
}

/** `(text, blob)` as Candid encoders write it: one type, vec nat8, at index 0. */
const textAndBlobHeader = [0x44, 0x49, 0x44, 0x4c, 1, 0x6d, 0x7b, 2, 0x71, 0];

type NumberField = 'id' | 'digest' | 'deadline_seconds';

/** A form of the arguments with a number: the header, and the record's fields in their order. */
interface NumberedForm {
  header: readonly number[];
  fields: readonly NumberField[];
}

/** @param types those before the record: vec nat8, and opt nat32 where there is a deadline */
function numberedForm(types: readonly number[][], fields: readonly NumberField[]): NumberedForm {
  const record = types.length;
  const fieldTypes = fields.flatMap((name) => [
    ...lebOf(fieldHash(name)),
    name === 'deadline_seconds' ? 1 : 0x78,
  ]);
  const header = [0x44, 0x49, 0x44, 0x4c, record + 2]
    .concat(types.flat())
    .concat(0x6c, fields.length, fieldTypes)
    .concat(0x6e, record, 3, 0x71, 0, record + 1);
  return { header, fields };
}

const vecNat8 = [0x6d, 0x7b];
const optNat32 = [0x6e, 0x79];
/**
 * `(text, blob, opt record { id : nat64; digest : nat64; deadline_seconds : opt nat32 })` as the JavaScript
 * library writes it, and the same of callers that know of no deadline.
 */
const numberedForms = [
  numberedForm([vecNat8, optNat32], byHash('id', 'digest', 'deadline_seconds')),
  numberedForm([vecNat8], byHash('id', 'digest')),
];

function lebOf(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...lebOf(value >>> 7)];
}

/**
 * Reads the arguments of `infer` and `submit`, with a number or without; the blob is a view. Undefined
 * where the message has another, perhaps also valid, form, or is malformed: then the library must read it.
 */
export function readRequest(bytes: Uint8Array): [string, Uint8Array, RequestNumbers] | undefined {
  const form = numberedForms.find(({ header }) => startsWith(bytes, header));
  if (!form && !startsWith(bytes, textAndBlobHeader)) return undefined;
  let at = (form?.header ?? textAndBlobHeader).length;
  const part = (): Uint8Array | undefined => {
    let length = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        const start = at;
        at += length;
        return at > bytes.length ? undefined : bytes.subarray(start, at);
      }
    }
    return undefined;
  };
  const name = part();
  const content = name && part();
  const number = content && (form ? readNumber(bytes.subarray(at), form) : noNumber);
  if (!name || !number || (!form && at !== bytes.length)) return undefined;
  try {
    return [fromUtf8.decode(name), content, number];
  } catch {
    return undefined;
  }
}

/** An optional number, as the library gives it. */
type RequestNumbers = [] | [RequestNumber];
const noNumber: RequestNumbers = [];

/** The value of an `opt` number, to the end of the message. */
function readNumber(bytes: Uint8Array, { fields }: NumberedForm): RequestNumbers | undefined {
  if (bytes.length === 1 && bytes[0] === 0) return noNumber;
  if (bytes[0] !== 1) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number: Required<RequestNumber> = { id: 0n, digest: 0n, deadline_seconds: [] };
  let at = 1;
  for (const field of fields) {
    if (field !== 'deadline_seconds') {
      if (at + 8 > bytes.length) return undefined;
      number[field] = view.getBigUint64(at, true);
      at += 8;
    } else if (bytes[at] === 0) at++;
    else {
      if (bytes[at] !== 1 || at + 5 > bytes.length) return undefined;
      number.deadline_seconds = [view.getUint32(at + 1, true)];
      at += 5;
    }
  }
  return at === bytes.length ? [number] : undefined;
}

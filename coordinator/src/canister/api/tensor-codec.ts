/**
 * Candid by hand for the three messages that carry tensors. The Candid library copies blobs byte by
 * byte in QuickJS, at hundreds of instructions each; here they are copied as blocks. What is written
 * and read is ordinary Candid (specification: "Binary format"), and tests compare it with the library.
 */
import { ByteWriter, type CoordinatorErrorRecord } from '@canopy/protocol';
import type { PrincipalLike } from '../ic/ic.js';
import type { FetchOutcome } from '../pipeline/fetch.js';
import type { InferOutcome } from '../pipeline/infer.js';
import type { StageTotals } from '../pipeline/stages.js';

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

function text(out: ByteWriter, value: string): void {
  const bytes = new TextEncoder().encode(value);
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

const stageValue = record<
  StageTotals,
  'worker' | 'instructions' | 'messages' | 'bytes_received' | 'bytes_sent' | 'scratch_bytes'
>({
  worker: (out, stage) => {
    principal(out, stage.worker);
  },
  instructions: (out, stage) => out.u64(stage.instructions),
  messages: (out, stage) => out.u32(stage.messages),
  bytes_received: (out, stage) => out.u64(BigInt(stage.bytesReceived)),
  bytes_sent: (out, stage) => out.u64(BigInt(stage.bytesSent)),
  scratch_bytes: (out, stage) => out.u32(stage.scratchBytes),
});

type Inference = Extract<InferOutcome, { kind: 'done' }>;

const inferenceValue = record<Inference, 'outputs' | 'micro_batches' | 'stages'>({
  outputs: (out, inference) => {
    blob(out, inference.outputs);
  },
  micro_batches: (out, inference) => out.u32(inference.microBatches),
  stages: (out, inference) => {
    leb(out, inference.stages.length);
    for (const stage of inference.stages) stageValue(out, stage);
  },
});

const inferCases = byHash('ok', 'ticket', 'err');
const fetchCases = byHash('pending', 'part', 'err');
const pendingFields = byHash('done', 'total');
const partFields = byHash('bytes', 'total');

export type OrError<T> = T | { kind: 'err'; error: CoordinatorErrorRecord };

/** Value of `variant { ok : Inference; ticket : nat64; err : Error }`. */
export function writeInferReply(out: ByteWriter, outcome: OrError<InferOutcome>): void {
  switch (outcome.kind) {
    case 'done':
      out.u8(inferCases.indexOf('ok'));
      inferenceValue(out, outcome);
      return;
    case 'ticket':
      out.u8(inferCases.indexOf('ticket')).u64(outcome.ticket);
      return;
    case 'err':
      out.u8(inferCases.indexOf('err'));
      errorValue(out, outcome.error);
  }
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

/** `(text, blob)` as Candid encoders write it: one type, vec nat8, at index 0. */
const textAndBlobHeader = [0x44, 0x49, 0x44, 0x4c, 1, 0x6d, 0x7b, 2, 0x71, 0];

/**
 * Reads arguments `(text, blob)`; the blob is a view. Undefined where the message has another, perhaps
 * also valid, form, or is malformed: then the library must read it.
 */
export function readTextAndBlob(bytes: Uint8Array): [string, Uint8Array] | undefined {
  if (!textAndBlobHeader.every((byte, index) => bytes[index] === byte)) return undefined;
  let at = textAndBlobHeader.length;
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
  if (!name || !content || at !== bytes.length) return undefined;
  try {
    return [new TextDecoder('utf-8', { fatal: true }).decode(name), content];
  } catch {
    return undefined;
  }
}

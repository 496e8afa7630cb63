import { BYTE_OUT } from './costs.js';
import { copyToHeap, readHeap, type Address, type ApiContext, type ApiGroup } from './function.js';
import { toolchainViolation, userViolation } from './hypervisor-error.js';
import { MODES } from './modes.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY = new Uint8Array(0);

/** Instructions for copying: the last argument is the number of bytes. */
function perByteIn(_context: ApiContext, _dst: Address, _offset: Address, size: Address): Address {
  return size;
}

function perByteOut(_context: ApiContext, _src: Address, size: Address): Address {
  return typeof size === 'number' ? BYTE_OUT * size : BigInt(BYTE_OUT) * size;
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

const encoder = new TextEncoder();

/** Attributes of the caller, which only callers with canister signatures have: always empty here. */
function callerInfo(what: 'data' | 'signer'): ApiGroup {
  const name = `msg_caller_info_${what}_copy`;
  return {
    [`msg_caller_info_${what}_size`]: {
      params: [],
      result: 'I',
      allowed: MODES.callerInfo,
      run: () => 0,
    },
    [name]: {
      params: ['I', 'I', 'I'],
      allowed: MODES.callerInfo,
      bytes: perByteIn,
      run: (context, dst: Address, offset: Address, size: Address) => {
        copyToHeap(context, name, what, EMPTY, dst, offset, size);
      },
    },
  };
}

/** The message under way: argument, caller, method, reply and reject. */
export const message: ApiGroup = {
  msg_arg_data_size: {
    params: [],
    result: 'I',
    allowed: MODES.argument,
    run: ({ execution }) => execution.input.arg?.length ?? 0,
  },
  msg_arg_data_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.argument,
    bytes: perByteIn,
    run: (context, dst: Address, offset: Address, size: Address) => {
      copyToHeap(
        context,
        'msg_arg_data_copy',
        'payload',
        context.execution.input.arg ?? EMPTY,
        dst,
        offset,
        size,
      );
    },
  },
  msg_caller_size: {
    params: [],
    result: 'I',
    allowed: MODES.notStart,
    run: ({ execution }) => execution.input.caller?.length ?? 0,
  },
  msg_caller_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.notStart,
    bytes: perByteIn,
    run: (context, dst: Address, offset: Address, size: Address) => {
      copyToHeap(
        context,
        'msg_caller_copy',
        'id',
        context.execution.input.caller ?? EMPTY,
        dst,
        offset,
        size,
      );
    },
  },
  ...callerInfo('data'),
  ...callerInfo('signer'),
  msg_method_name_size: {
    params: [],
    result: 'I',
    allowed: MODES.inspecting,
    run: ({ execution }) => Buffer.byteLength(execution.input.methodName ?? ''),
  },
  msg_method_name_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.inspecting,
    bytes: perByteIn,
    run: (context, dst: Address, offset: Address, size: Address) => {
      const name = encoder.encode(context.execution.input.methodName ?? '');
      copyToHeap(context, 'msg_method_name_copy', 'payload', name, dst, offset, size);
    },
  },
  accept_message: {
    params: [],
    allowed: MODES.inspecting,
    run: ({ execution }) => {
      if (execution.accepted)
        throw toolchainViolation('ic0.accept_message: the function was already called.');
      execution.accepted = true;
    },
  },
  msg_reply_data_append: {
    params: ['I', 'I'],
    allowed: MODES.answering,
    bytes: perByteOut,
    run: (context, src: Address, size: Address) => {
      const { execution } = context;
      if (execution.answered !== 'not yet') {
        throw toolchainViolation('ic0.msg_reply_data_append: the call is already replied.');
      }
      const limit = execution.input.maxReplyBytes;
      const total =
        typeof size === 'number'
          ? execution.replyBytes + size
          : BigInt(execution.replyBytes) + size;
      if (total > limit) {
        throw userViolation(
          `ic0.msg_reply_data_append: application payload size (${total}) cannot be larger than ${limit}.`,
          'Consider checking the response size and returning an error if it is too long.',
          'msg_reply_data_append-payload-too-large',
        );
      }
      execution.replyChunks.push(readHeap(context, 'msg.reply', src, size));
      execution.replyBytes += size as number;
    },
  },
  msg_reply: {
    params: [],
    allowed: MODES.answering,
    run: ({ execution }) => {
      if (execution.answered !== 'not yet')
        throw toolchainViolation('ic0.msg_reply: the call is already replied');
      execution.answered = 'now';
      execution.answer = {
        kind: 'reply',
        data: concatenate(execution.replyChunks, execution.replyBytes),
      };
    },
  },
  msg_reject: {
    params: ['I', 'I'],
    allowed: MODES.answering,
    bytes: perByteOut,
    run: (context, src: Address, size: Address) => {
      const { execution } = context;
      if (execution.answered !== 'not yet')
        throw toolchainViolation('ic0.msg_reject: the call is already replied');
      const limit = execution.input.maxReplyBytes;
      if (size > limit) {
        throw userViolation(
          `ic0.msg_reject: application payload size (${size}) cannot be larger than ${limit}.`,
          'Try truncating the error messages that are too long.',
          'msg_reject-payload-too-large',
        );
      }
      const bytes = readHeap(context, 'ic0.msg_reject', src, size);
      let text: string;
      try {
        text = decoder.decode(bytes);
      } catch {
        throw toolchainViolation('ic0.msg_reject: invalid UTF-8 string provided');
      }
      execution.answered = 'now';
      execution.answer = { kind: 'reject', message: text };
    },
  },
  msg_reject_code: {
    params: [],
    result: 'i',
    allowed: MODES.rejectCode,
    run: ({ execution }) => execution.input.rejectCode ?? 0,
  },
  msg_reject_msg_size: {
    params: [],
    result: 'I',
    allowed: MODES.rejectMessage,
    run: ({ execution }) => Buffer.byteLength(execution.input.rejectMessage ?? ''),
  },
  msg_reject_msg_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.rejectMessage,
    bytes: perByteIn,
    run: (context, dst: Address, offset: Address, size: Address) => {
      const text = encoder.encode(context.execution.input.rejectMessage ?? '');
      copyToHeap(context, 'msg_reject_msg_copy', 'msg', text, dst, offset, size);
    },
  },
  msg_deadline: {
    params: [],
    result: 'l',
    allowed: MODES.answering,
    run: ({ execution }) => {
      const origin = execution.input.callContext?.origin;
      return origin?.kind === 'canister' ? origin.deadline : 0n;
    },
  },
};

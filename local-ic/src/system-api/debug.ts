import { BYTE_OUT } from './costs.js';
import type { Execution } from './execution.js';
import { heapBytes, type Address, type ApiContext, type ApiGroup } from './function.js';
import { calledTrap, userViolation } from './hypervisor-error.js';
import { MODES } from './modes.js';

const MAX_TRAP_MESSAGE_BYTES = 32_768;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Instructions for keeping `size` bytes in the log and sending what fits. */
function loggingCost({ log }: Execution, size: Address): number {
  const length = Number(size);
  const kept = Math.min(length, log.maxBytes);
  const sent = Math.min(length, Math.max(0, log.remainingBytes));
  return 2 * kept + BYTE_OUT * sent;
}

/** Bytes of the heap, or undefined when the range lies outside: printing never fails. */
function readIfInside(context: ApiContext, src: Address, size: Address): Uint8Array | undefined {
  if (typeof src === 'bigint' || typeof size === 'bigint' || src + size > heapBytes(context))
    return undefined;
  return context.code.instance.readBytes(src, size);
}

/** Printing, trapping, counting. */
export const debug: ApiGroup = {
  debug_print: {
    params: ['I', 'I'],
    allowed: MODES.all,
    bytes: ({ execution }, _src: Address, size: Address) =>
      Number(size) + loggingCost(execution, size),
    run: (context, src: Address, size: Address) => {
      const bytes =
        readIfInside(context, src, size) ??
        encoder.encode('(debug_print message out of memory bounds)');
      context.execution.log.add(context.execution.input.timeNs, bytes);
    },
  },
  trap: {
    params: ['I', 'I'],
    allowed: MODES.all,
    bytes: ({ execution }, _src: Address, size: Address) =>
      Number(size) + loggingCost(execution, size),
    run: (context, src: Address, size: Address) => {
      const limited = size > MAX_TRAP_MESSAGE_BYTES ? MAX_TRAP_MESSAGE_BYTES : size;
      const bytes = readIfInside(context, src, limited);
      throw calledTrap(bytes ? decoder.decode(bytes) : '(trap message out of memory bounds)');
    },
  },
  performance_counter: {
    params: ['i'],
    result: 'l',
    allowed: MODES.all,
    run: ({ code, execution }, type: number) => {
      if (type > 1) throw userViolation(`Error getting performance counter type ${type}`);
      const executed = execution.input.instructionLimit - code.instance.instructionsLeft;
      return BigInt(type === 0 ? executed : executed + (execution.input.instructionsBefore ?? 0));
    },
  },
};

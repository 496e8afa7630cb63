import { describeFrame, type Trap } from '../wasm/index.js';
import {
  functionNotFound,
  HypervisorError,
  instructionLimitExceeded,
  sliceOverrun,
  toolchainViolation,
  trapped,
} from './hypervisor-error.js';

/** Text of a backtrace, empty when no function of it has a name. */
export function backtraceText(trap: Trap, innermost?: string): string {
  const named = innermost !== undefined || trap.backtrace.some(({ name }) => name !== undefined);
  if (!named) return '';
  const lines = trap.backtrace.map(describeFrame);
  if (innermost !== undefined) lines.unshift(innermost);
  return `Canister Backtrace:\n${lines.join('\n')}\n`;
}

/** Limits that appear in error texts. */
export interface ReportedLimits {
  readonly message: number;
  readonly slice: number;
  /** Table index of the callback that was run, if one was. */
  readonly tableIndex?: number;
}

/** The error of a run that trapped. */
export function errorOfTrap(trap: Trap, limits: ReportedLimits): HypervisorError {
  switch (trap.kind) {
    case 'host':
      if (trap.error instanceof HypervisorError) return withBacktrace(trap.error, trap);
      throw trap.error;
    case 'instruction limit':
      return instructionLimitExceeded(limits.message);
    case 'slice overrun':
      return sliceOverrun(trap.instructions ?? 0, limits.slice);
    case 'signature mismatch':
      return toolchainViolation('function invocation does not match its signature');
    case 'no such function':
      return functionNotFound(limits.tableIndex ?? 0);
    case 'null entry':
      return toolchainViolation('unexpected null function reference');
    case 'no table':
      return toolchainViolation('table not found');
    case 'integer overflow':
    case 'bad conversion to integer':
    case 'null function':
      return trapped('unknown', backtraceText(trap));
    case 'unreachable':
    case 'heap out of bounds':
    case 'table out of bounds':
    case 'integer division by 0':
    case 'stack overflow':
      return trapped(trap.kind, backtraceText(trap));
  }
}

function withBacktrace(error: HypervisorError, trap: Trap): HypervisorError {
  if (error.logText === undefined) return error;
  const backtrace = backtraceText(trap, error.innermost);
  if (backtrace === '') return error;
  return new HypervisorError(
    error.code,
    `${error.message}\n${backtrace}`,
    error.help,
    `${error.logText}\n${backtrace}`,
  );
}

import { ErrorCode, UserError } from '../errors.js';
import { displayBytes, grouped } from '../state/index.js';

const DOCUMENTATION = 'https://internetcomputer.org/docs/current/references/execution-errors#';

/** An error with advice and a link on a second line, as the replica writes them. */
export function documented(
  code: ErrorCode,
  text: string,
  suggestion: string,
  anchor: string,
): UserError {
  return new UserError(code, `${text}\n${suggestion} See documentation: ${DOCUMENTATION}${anchor}`);
}

/** A subnet has less memory left than a canister wants. */
export function memoryOversubscribed(requested: bigint, available: bigint): UserError {
  return documented(
    ErrorCode.SubnetOversubscribed,
    `Canister requested ${displayBytes(requested)} of memory but only ${displayBytes(available)} are available in the subnet.`,
    'Try moving to another subnet.',
    'subnet-memory-capacity-oversubscribed',
  );
}

/** A canister has too few cycles to hold more memory. */
export function cyclesForMemoryMissing(growth: bigint, missing: bigint): UserError {
  return documented(
    ErrorCode.InsufficientCyclesInMemoryGrow,
    `Canister cannot grow memory by ${growth} bytes due to insufficient cycles. At least ${grouped(missing)} additional cycles are required.`,
    'Try topping up the canister.',
    'insufficient-cycles-in-memory-grow',
  );
}

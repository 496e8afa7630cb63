import { ErrorCode, UserError } from '../errors.js';
import { decodeArgs, reply, type Method } from './call.js';
import {
  blob,
  CandidError,
  decodeGeneric,
  nat64,
  principal,
  record,
  text,
  vec,
} from './candid/index.js';
import { invalidPayload } from './errors.js';

/** `raw_rand`: 32 bytes, the same for the same history of calls. */
export const rawRand: Method = (context, call) => {
  try {
    decodeGeneric(call.arg);
  } catch (error) {
    if (!(error instanceof CandidError)) throw error;
    throw invalidPayload(`Error decoding candid: ${error.message}`);
  }
  return reply(blob, context.randomBytes());
};

export const subnetArgs = record({ subnet_id: principal });

/** `subnet_info` */
export const subnetInfo: Method = (_context, call) => {
  decodeArgs(subnetArgs, call.arg);
  return reply(record({ replica_version: text, registry_version: nat64 }), {
    replica_version: 'canopy-local-ic',
    registry_version: 1n,
  });
};

const nodeMetrics = record({
  timestamp_nanos: nat64,
  node_metrics: vec(
    record({
      node_id: principal,
      num_blocks_proposed_total: nat64,
      num_block_failures_total: nat64,
    }),
  ),
});

/** `node_metrics_history`: always empty, there are no nodes that propose blocks. */
export const nodeMetricsHistory: Method = (_context, call) => {
  decodeArgs(subnetArgs, call.arg);
  return reply(vec(nodeMetrics), []);
};

/** A method of the interface that the embedded IC does not have. */
export const unsupported =
  (reason: string): Method =>
  (_context, call) => {
    throw new UserError(
      ErrorCode.CanisterRejectedMessage,
      `${call.method} is not available: ${reason}. Test it against a network that offers it.`,
    );
  };

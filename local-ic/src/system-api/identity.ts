import { BYTE_IN } from './costs.js';
import { copyToHeap, readHeap, type Address, type ApiContext, type ApiGroup } from './function.js';
import { invalidPrincipal } from './hypervisor-error.js';
import { MODES } from './modes.js';

function perByteIn(_context: ApiContext, _dst: Address, _offset: Address, size: Address): Address {
  return size;
}

const STATUS = { running: 1, stopping: 2, stopped: 3 } as const;

/** Who and where the canister is. */
export const identity: ApiGroup = {
  canister_self_size: {
    params: [],
    result: 'I',
    allowed: MODES.notStart,
    run: ({ execution }) => execution.canister.id.length,
  },
  canister_self_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.notStart,
    bytes: perByteIn,
    run: (context, dst: Address, offset: Address, size: Address) => {
      copyToHeap(
        context,
        'canister_self_copy',
        'id',
        context.execution.canister.id,
        dst,
        offset,
        size,
      );
    },
  },
  subnet_self_size: {
    params: [],
    result: 'I',
    allowed: MODES.notStart,
    run: ({ execution }) => execution.input.subnetId.length,
  },
  subnet_self_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.notStart,
    errorName: 'ic0.subnet_self_copy',
    bytes: perByteIn,
    run: (context, dst: Address, offset: Address, size: Address) => {
      copyToHeap(
        context,
        'subnet_self_copy',
        'id',
        context.execution.input.subnetId,
        dst,
        offset,
        size,
      );
    },
  },
  subnet_self_node_count: {
    params: [],
    result: 'i',
    allowed: MODES.notStart,
    run: ({ execution }) => execution.input.fees.nodes,
  },
  root_key_size: {
    params: [],
    result: 'I',
    allowed: MODES.rootKey,
    run: ({ execution }) => execution.input.rootKey.length,
  },
  root_key_copy: {
    params: ['I', 'I', 'I'],
    allowed: MODES.rootKey,
    errorName: 'ic0.root_key_copy',
    bytes: perByteIn,
    run: (context, dst: Address, offset: Address, size: Address) => {
      copyToHeap(
        context,
        'root_key_copy',
        'bytes',
        context.execution.input.rootKey,
        dst,
        offset,
        size,
      );
    },
  },
  canister_status: {
    params: [],
    result: 'i',
    allowed: MODES.notStart,
    run: ({ execution }) => STATUS[execution.canister.status.kind],
  },
  canister_version: {
    params: [],
    result: 'l',
    allowed: MODES.notStart,
    // The new code of an installation already sees the version that the installation makes.
    run: ({ execution }) => execution.canister.version + (execution.mode === 'init' ? 1n : 0n),
  },
  is_controller: {
    params: ['I', 'I'],
    result: 'i',
    allowed: MODES.all,
    bytes: (_context, _src: Address, size: Address) =>
      typeof size === 'number' ? BYTE_IN * size : BigInt(BYTE_IN) * size,
    run: (context, src: Address, size: Address) => {
      const id = readHeap(context, 'ic0.is_controller', src, size);
      if (id.length > 29) throw invalidPrincipal();
      return context.execution.canister.isController(id) ? 1 : 0;
    },
  },
  in_replicated_execution: {
    params: [],
    result: 'i',
    allowed: MODES.all,
    run: ({ execution }) => (execution.replicated ? 1 : 0),
  },
};

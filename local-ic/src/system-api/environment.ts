import { ErrorCode } from '../errors.js';
import { copyToHeap, readHeap, type Address, type ApiContext, type ApiGroup } from './function.js';
import { HypervisorError, userViolation } from './hypervisor-error.js';
import { MODES } from './modes.js';

const MAX_NAME_BYTES = 128;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function variableAt({ execution }: ApiContext, index: Address) {
  const variables = execution.canister.settings.environmentVariables;
  const variable = typeof index === 'number' ? variables[index] : undefined;
  if (variable) return variable;
  throw new HypervisorError(
    ErrorCode.CanisterContractViolation,
    `Environment variable index ${index} is out of bounds. The number of environment variables is ${variables.length}.`,
  );
}

function readName(
  context: ApiContext,
  api: string,
  what: string,
  src: Address,
  size: Address,
): string {
  if (size > MAX_NAME_BYTES) throw userViolation(`ic0.${api}: Variable name is too large.`);
  const bytes = readHeap(context, `ic0.${api} ${what}`, src, size);
  try {
    return decoder.decode(bytes);
  } catch {
    throw userViolation(
      `ic0.${api}: Variable name is not a valid UTF-8 string.`,
      'Provide a valid UTF-8 string for the environment variable name.',
    );
  }
}

function find({ execution }: ApiContext, name: string): string | undefined {
  return execution.canister.settings.environmentVariables.find((variable) => variable.name === name)
    ?.value;
}

function valueOf(context: ApiContext, name: string): Uint8Array {
  const value = find(context, name);
  if (value !== undefined) return encoder.encode(value);
  throw new HypervisorError(
    ErrorCode.CanisterContractViolation,
    `Environment variable ${name} not found.`,
  );
}

/** Environment variables of the canister's settings, sorted by name. */
export const environment: ApiGroup = {
  env_var_count: {
    params: [],
    result: 'I',
    allowed: MODES.notStart,
    run: ({ execution }) => execution.canister.settings.environmentVariables.length,
  },
  env_var_name_size: {
    params: ['I'],
    result: 'I',
    allowed: MODES.notStart,
    run: (context, index: Address) => Buffer.byteLength(variableAt(context, index).name),
  },
  env_var_name_copy: {
    params: ['I', 'I', 'I', 'I'],
    allowed: MODES.notStart,
    bytes: (_context, _index: Address, _dst: Address, _offset: Address, size: Address) => size,
    run: (context, index: Address, dst: Address, offset: Address, size: Address) => {
      const name = encoder.encode(variableAt(context, index).name);
      copyToHeap(context, 'env_var_name_copy', 'name', name, dst, offset, size);
    },
  },
  env_var_name_exists: {
    params: ['I', 'I'],
    result: 'i',
    allowed: MODES.notStart,
    run: (context, src: Address, size: Address) =>
      find(context, readName(context, 'env_var_name_exists', 'heap', src, size)) === undefined
        ? 0
        : 1,
  },
  env_var_value_size: {
    params: ['I', 'I'],
    result: 'I',
    allowed: MODES.notStart,
    run: (context, src: Address, size: Address) =>
      valueOf(context, readName(context, 'env_var_value_size', 'heap', src, size)).length,
  },
  env_var_value_copy: {
    params: ['I', 'I', 'I', 'I', 'I'],
    allowed: MODES.notStart,
    bytes: (
      _context,
      _src: Address,
      _nameSize: Address,
      _dst: Address,
      _offset: Address,
      size: Address,
    ) => size,
    run: (
      context,
      src: Address,
      nameSize: Address,
      dst: Address,
      offset: Address,
      size: Address,
    ) => {
      const value = valueOf(
        context,
        readName(context, 'env_var_value_copy', 'name', src, nameSize),
      );
      copyToHeap(context, 'env_var_value_copy', 'value', value, dst, offset, size);
    },
  },
};

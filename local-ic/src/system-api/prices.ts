import { FEES_13_NODES } from '../state/index.js';
import { readHeap, writeCycles, type Address, type ApiContext, type ApiGroup } from './function.js';
import { toolchainViolation } from './hypervisor-error.js';
import { MODES } from './modes.js';

/** Results of the functions that price a signature. */
const SUCCESS = 0;
const UNKNOWN_CURVE = 1;
const UNKNOWN_KEY = 2;
/** Nodes of the subnet that holds the threshold keys. */
const KEY_SUBNET_NODES = 34n;
const KEY_NAMES: ReadonlySet<string> = new Set(['key_1', 'test_key_1', 'dfx_test_key']);

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder('utf-8', { ignoreBOM: true });

/** A signature's price: known where the network has a fiduciary subnet, which holds the keys. */
function signaturePrice(api: string, curves: number, fee: bigint) {
  return (
    context: ApiContext,
    src: Address,
    size: Address,
    curve: number,
    dst: Address,
  ): number => {
    const bytes = readHeap(context, `ic0.${api} heap`, src, size);
    let name: string;
    try {
      name = strict.decode(bytes);
    } catch {
      throw toolchainViolation(`Failed to decode key name ${lossy.decode(bytes)}`);
    }
    if (curve >= curves) return UNKNOWN_CURVE;
    if (!context.execution.input.hasThresholdKeys || !KEY_NAMES.has(name)) return UNKNOWN_KEY;
    writeCycles(context, `ic0_${api}`, (fee * KEY_SUBNET_NODES) / 13n, dst);
    return SUCCESS;
  };
}

function saturating(value: bigint): bigint {
  const max = (1n << 64n) - 1n;
  return value > max ? max : value;
}

function perByte(_context: ApiContext, _src: Address, size: Address): Address {
  return size;
}

/** What things would cost on this subnet. */
export const prices: ApiGroup = {
  cost_call: {
    params: ['l', 'l', 'I'],
    allowed: MODES.all,
    run: (context, nameBytes: bigint, payloadBytes: bigint, dst: Address) => {
      const { fees, memory64 } = context.execution.input;
      const bytes = saturating(nameBytes + payloadBytes);
      const total =
        fees.requestOf(bytes) +
        fees.responsePrepayment +
        fees.callbackPrepayment(memory64 === true);
      writeCycles(context, 'ic0_cost_call', total, dst);
    },
  },
  cost_create_canister: {
    params: ['I'],
    allowed: MODES.all,
    run: (context, dst: Address) => {
      writeCycles(
        context,
        'ic0_cost_create_canister',
        context.execution.input.fees.canisterCreation,
        dst,
      );
    },
  },
  cost_http_request: {
    params: ['l', 'l', 'I'],
    allowed: MODES.all,
    run: (context, requestBytes: bigint, maxResponseBytes: bigint, dst: Address) => {
      const { fees } = context.execution.input;
      const { httpRequestBase, httpRequestPerNode, httpRequestByte, httpResponseByte } =
        FEES_13_NODES;
      const nodes = BigInt(fees.nodes);
      const perNode =
        httpRequestBase +
        httpRequestPerNode * nodes +
        httpRequestByte * requestBytes +
        httpResponseByte * maxResponseBytes;
      writeCycles(context, 'ic0_cost_http_request', fees.free ? 0n : perNode * nodes, dst);
    },
  },
  cost_sign_with_ecdsa: {
    params: ['I', 'I', 'i', 'I'],
    result: 'i',
    allowed: MODES.all,
    bytes: perByte,
    run: signaturePrice('cost_sign_with_ecdsa', 1, FEES_13_NODES.ecdsaSignature),
  },
  cost_sign_with_schnorr: {
    params: ['I', 'I', 'i', 'I'],
    result: 'i',
    allowed: MODES.all,
    bytes: perByte,
    run: signaturePrice('cost_sign_with_schnorr', 2, FEES_13_NODES.schnorrSignature),
  },
  cost_vetkd_derive_key: {
    params: ['I', 'I', 'i', 'I'],
    result: 'i',
    allowed: MODES.all,
    bytes: perByte,
    run: signaturePrice('cost_vetkd_derive_key', 1, FEES_13_NODES.vetkdKey),
  },
};

import { principalToText } from '../principal.js';
import { writeCycles, type Address, type ApiContext, type ApiGroup } from './function.js';
import { toolchainViolation, trapped } from './hypervisor-error.js';
import { withdrawForTransfer } from './calls.js';
import { MODES } from './modes.js';

const TOO_BIG = 'cycles amount exceeds 64-bit representation';
const LIMIT64 = 1n << 64n;
const CYCLES_MINTING_CANISTER = 'rkp4c-7iaaa-aaaaa-aaaca-cai';

function as64(amount: bigint): bigint {
  if (amount >= LIMIT64) throw trapped(TOO_BIG);
  return amount;
}

function join(high: bigint, low: bigint): bigint {
  return (high << 64n) | low;
}

function smaller(left: bigint, right: bigint): bigint {
  return left < right ? left : right;
}

/** Takes at most `limit` of the caller's cycles. */
function accept({ execution }: ApiContext, limit: bigint): bigint {
  const amount = smaller(execution.availableCycles, limit);
  execution.availableCycles -= amount;
  execution.acceptedCycles += amount;
  execution.balance += amount;
  return amount;
}

function attach(context: ApiContext, name: string, amount: bigint): void {
  const { execution } = context;
  if (!execution.call)
    throw toolchainViolation(`${name} called when no call is under construction.`);
  withdrawForTransfer(execution, amount);
  execution.call.cycles += amount;
}

function liquid({ execution }: ApiContext): bigint {
  const left = execution.balance - execution.freezingThreshold();
  return left > 0n ? left : 0n;
}

/** Cycles: balances, accepting, attaching, burning. */
export const cycles: ApiGroup = {
  canister_cycle_balance: {
    params: [],
    result: 'l',
    allowed: MODES.notStart,
    run: ({ execution }) => as64(execution.balance),
  },
  canister_cycle_balance128: {
    params: ['I'],
    allowed: MODES.notStart,
    run: (context, dst: Address) => {
      writeCycles(context, 'ic0_canister_cycle_balance128', context.execution.balance, dst);
    },
  },
  canister_liquid_cycle_balance128: {
    params: ['I'],
    allowed: MODES.notStart,
    run: (context, dst: Address) => {
      writeCycles(context, 'ic0_canister_liquid_cycle_balance128', liquid(context), dst);
    },
  },
  msg_cycles_available: {
    params: [],
    result: 'l',
    allowed: MODES.acceptingCycles,
    run: ({ execution }) => as64(execution.availableCycles),
  },
  msg_cycles_available128: {
    params: ['I'],
    allowed: MODES.acceptingCycles,
    run: (context, dst: Address) => {
      writeCycles(context, 'ic0_msg_cycles_available128', context.execution.availableCycles, dst);
    },
  },
  msg_cycles_refunded: {
    params: [],
    result: 'l',
    allowed: MODES.refunded,
    run: ({ execution }) => as64(execution.input.refundedCycles ?? 0n),
  },
  msg_cycles_refunded128: {
    params: ['I'],
    allowed: MODES.refunded,
    run: (context, dst: Address) => {
      writeCycles(
        context,
        'ic0_msg_cycles_refunded128',
        context.execution.input.refundedCycles ?? 0n,
        dst,
      );
    },
  },
  msg_cycles_accept: {
    params: ['l'],
    result: 'l',
    allowed: MODES.acceptingCycles,
    run: (context, limit: bigint) => accept(context, limit),
  },
  msg_cycles_accept128: {
    params: ['l', 'l', 'I'],
    allowed: MODES.acceptingCycles,
    run: (context, high: bigint, low: bigint, dst: Address) => {
      writeCycles(context, 'ic0_msg_cycles_accept128', accept(context, join(high, low)), dst);
    },
  },
  call_cycles_add: {
    params: ['l'],
    allowed: MODES.attachingCycles,
    run: (context, amount: bigint) => {
      attach(context, 'ic0_call_cycles_add', amount);
    },
  },
  call_cycles_add128: {
    params: ['l', 'l'],
    allowed: MODES.attachingCycles,
    run: (context, high: bigint, low: bigint) => {
      attach(context, 'ic0_call_cycles_add128', join(high, low));
    },
  },
  mint_cycles128: {
    params: ['l', 'l', 'I'],
    allowed: MODES.attachingCycles,
    cost: 0,
    run: ({ execution }) => {
      throw toolchainViolation(
        `ic0.mint_cycles128 cannot be executed on non Cycles Minting Canister: ${principalToText(execution.canister.id)} != ${CYCLES_MINTING_CANISTER}`,
      );
    },
  },
  cycles_burn128: {
    params: ['l', 'l', 'I'],
    allowed: MODES.burning,
    run: (context, high: bigint, low: bigint, dst: Address) => {
      const burned = smaller(liquid(context), join(high, low));
      context.execution.balance -= burned;
      context.execution.burnedCycles += burned;
      writeCycles(context, 'ic0_cycles_burn128', burned, dst);
    },
  },
};

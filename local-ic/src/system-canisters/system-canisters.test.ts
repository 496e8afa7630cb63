import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ic } from '../ic.js';
import { decode, encode, nat, principal, vec, type Type } from '../management/candid/index.js';
import { canisterIdFromNumber } from '../principal.js';
import { accountType, subaccountOfPrincipal } from './accounts.js';
import * as types from './cycles-ledger-types.js';
import { notifyMintArgs, notifyMintReply } from './cycles-minting.js';
import {
  allowanceArgs,
  allowanceReply,
  approveArgs,
  resultOf,
  transferArgs,
  approveError,
  transferError,
} from './icrc-types.js';
import { cyclesLedgerId, cyclesMintingId, icpLedgerId } from './ids.js';
import { CYCLES_ENDOWMENT, installSystemCanisters, SYSTEM_SUBNETS } from './index.js';

const FEE = 100_000_000n;
const T = 1_000_000_000_000n;
const person = (number: number): Uint8Array =>
  Uint8Array.from([...new Uint8Array(28).fill(number), 2]);
const [alice, bob] = [person(1), person(2)];

/** A network with system canisters, and its ledger's methods. */
class Network {
  readonly ic = new Ic({ subnets: [...SYSTEM_SUBNETS, { kind: 'application' }] });
  readonly system = installSystemCanisters(this.ic);

  call<A, R>(caller: Uint8Array, method: string, args: Type<A>, reply: Type<R>, value: A): R {
    return this.callOf(cyclesLedgerId, caller, method, args, reply, value);
  }

  callOf<A, R>(
    canisterId: Uint8Array,
    sender: Uint8Array,
    method: string,
    args: Type<A>,
    reply: Type<R>,
    value: A,
  ): R {
    const { messageId } = this.ic.submitIngress({
      sender,
      canisterId,
      method,
      arg: encode(args, value),
    });
    this.ic.tick();
    const status = this.ic.ingressStatus(messageId);
    if (status.status === 'rejected') throw status.error;
    if (status.status !== 'replied') throw new Error(`${method} is ${status.status}`);
    return decode(reply, status.reply);
  }

  balance(owner: Uint8Array, subaccount?: Uint8Array): bigint {
    const arg = encode(accountType, { owner, subaccount });
    const query = { sender: alice, canisterId: cyclesLedgerId, method: 'icrc1_balance_of', arg };
    return decode(nat, this.ic.query(query));
  }

  create(caller: Uint8Array, amount: bigint, createdAt?: bigint) {
    return this.call(caller, 'create_canister', types.createArgs, types.createReply, {
      from_subaccount: undefined,
      created_at_time: createdAt,
      amount,
      creation_args: undefined,
    });
  }

  withdraw(caller: Uint8Array, to: Uint8Array, amount: bigint) {
    return this.call(caller, 'withdraw', types.withdrawArgs, types.withdrawReply, {
      amount,
      from_subaccount: undefined,
      to,
      created_at_time: undefined,
    });
  }

  transfer(caller: Uint8Array, owner: Uint8Array, amount: bigint) {
    return this.call(caller, 'icrc1_transfer', transferArgs, resultOf(nat, transferError), {
      from_subaccount: undefined,
      to: { owner, subaccount: undefined },
      amount,
      fee: undefined,
      memo: undefined,
      created_at_time: undefined,
    });
  }

  approve(caller: Uint8Array, spender: Uint8Array, amount: bigint) {
    return this.call(caller, 'icrc2_approve', approveArgs, resultOf(nat, approveError), {
      from_subaccount: undefined,
      spender: { owner: spender, subaccount: undefined },
      amount,
      expected_allowance: undefined,
      expires_at: undefined,
      fee: undefined,
      memo: undefined,
      created_at_time: undefined,
    });
  }

  withdrawFrom(caller: Uint8Array, from: Uint8Array, to: Uint8Array, amount: bigint) {
    return this.call(caller, 'withdraw_from', types.withdrawFromArgs, types.withdrawFromReply, {
      spender_subaccount: undefined,
      from: { owner: from, subaccount: undefined },
      to,
      amount,
      created_at_time: undefined,
    });
  }
}

const noCanister = canisterIdFromNumber(0xfffffffffff000f0n);

type Kind = 'create' | 'withdraw' | 'nowhere' | 'transfer' | 'approve' | 'spend';

function run(
  net: Network,
  kind: Kind,
  {
    caller,
    other,
    id,
    cycles,
  }: { caller: Uint8Array; other: Uint8Array; id: Uint8Array; cycles: bigint },
): { Ok: unknown } | { Err: object } {
  switch (kind) {
    case 'create':
      return net.create(caller, cycles);
    case 'withdraw':
      return net.withdraw(caller, id, cycles);
    case 'nowhere':
      return net.withdraw(caller, noCanister, cycles);
    case 'transfer':
      return net.transfer(caller, other, cycles);
    case 'approve':
      return net.approve(caller, other, cycles);
    case 'spend':
      return net.withdrawFrom(caller, other, id, cycles);
  }
}

describe('the cycles ledger', () => {
  it('creates canisters that the caller controls, from the caller’s account', () => {
    const net = new Network();
    const made = net.create(alice, 2n * T);
    expect(made).toMatchObject({ Ok: { block_id: 0n } });
    const id = ('Ok' in made && made.Ok.canister_id) as Uint8Array;
    expect(net.ic.canister(id)!.isController(alice)).toBe(true);
    expect(net.ic.subnetOf(id)!.kind).toBe('application');
    expect(net.ic.cyclesBalance(id)).toBe(2n * T - 500_000_000_000n);
    expect(net.balance(alice)).toBe(CYCLES_ENDOWMENT - 2n * T - FEE);
  });

  it('creates no canister twice', () => {
    const net = new Network();
    const at = net.ic.timeNs;
    const made = net.create(alice, 2n * T, at);
    const id = ('Ok' in made && made.Ok.canister_id) as Uint8Array;
    expect(net.create(alice, 2n * T, at)).toEqual({
      Err: { Duplicate: { duplicate_of: 0n, canister_id: id } },
    });
    expect(net.balance(alice)).toBe(CYCLES_ENDOWMENT - 2n * T - FEE);
  });

  it('says why it creates none, and gives the cycles back less two fees', () => {
    const net = new Network();
    expect(net.create(alice, T / 10n)).toMatchObject({
      Err: { FailedToCreate: { error: 'Insufficient cycles attached.' } },
    });
    expect(net.balance(alice)).toBe(CYCLES_ENDOWMENT - 2n * FEE);
    expect(net.create(alice, CYCLES_ENDOWMENT)).toEqual({
      Err: { InsufficientFunds: { balance: CYCLES_ENDOWMENT - 2n * FEE } },
    });
  });

  it('refuses to send cycles to what is no canister', () => {
    const net = new Network();
    expect(net.withdraw(alice, bob, T)).toEqual({ Err: { InvalidReceiver: { receiver: bob } } });
    expect(net.withdraw(alice, noCanister, T)).toMatchObject({
      Err: { FailedToWithdraw: { rejection_code: { DestinationInvalid: null } } },
    });
    expect(net.balance(alice)).toBe(CYCLES_ENDOWMENT - 2n * FEE);
  });

  it('lets others spend what was approved, no more', () => {
    const net = new Network();
    const made = net.create(alice, 2n * T);
    const id = ('Ok' in made && made.Ok.canister_id) as Uint8Array;
    expect(net.approve(alice, bob, T + FEE)).toMatchObject({ Ok: 1n });
    expect(net.withdrawFrom(bob, alice, id, T + 1n)).toEqual({
      Err: { InsufficientAllowance: { allowance: T + FEE } },
    });
    expect(net.withdrawFrom(bob, alice, id, T)).toMatchObject({ Ok: 2n });
    const pair = {
      account: { owner: alice, subaccount: undefined },
      spender: { owner: bob, subaccount: undefined },
    };
    const left = net.ic.query({
      sender: alice,
      canisterId: cyclesLedgerId,
      method: 'icrc2_allowance',
      arg: encode(allowanceArgs, pair),
    });
    expect(decode(allowanceReply, left)).toEqual({ allowance: 0n, expires_at: undefined });
  });

  it('keeps its books to the cycle, whatever is asked of it', () => {
    const people = [alice, bob, person(3)];
    const amount = fc.oneof(
      fc.bigInt(0n, 3n * T),
      fc.constantFrom(0n, FEE, CYCLES_ENDOWMENT, CYCLES_ENDOWMENT - FEE, 1n << 90n),
    );
    const who = fc.constantFrom(...people);
    const step = fc.record({
      kind: fc.constantFrom<Kind>('create', 'withdraw', 'nowhere', 'transfer', 'approve', 'spend'),
      who,
      other: who,
      amount,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const net = new Network();
        const made = net.create(alice, 2n * T);
        const id = ('Ok' in made && made.Ok.canister_id) as Uint8Array;
        const expected = new Map(people.map((owner) => [owner, CYCLES_ENDOWMENT]));
        const pay = (owner: Uint8Array, cycles: bigint) =>
          expected.set(owner, expected.get(owner)! - cycles);
        pay(alice, 2n * T + FEE);
        let fees = FEE;
        let onCanister = net.ic.cyclesBalance(id);
        for (const { kind, who: caller, other, amount: cycles } of steps) {
          const result = run(net, kind, { caller, other, id, cycles });
          const payer = kind === 'spend' ? other : caller;
          if ('Ok' in result) {
            fees += FEE;
            pay(payer, kind === 'approve' ? FEE : cycles + FEE);
            if (kind === 'transfer') pay(other, -cycles);
            if (kind === 'withdraw' || kind === 'spend') onCanister += cycles;
          } else if ('FailedToCreate' in result.Err || 'FailedToWithdraw' in result.Err) {
            const lost = FEE + (cycles < FEE ? cycles : FEE);
            fees += lost;
            pay(payer, lost);
          }
          for (const owner of people) expect(net.balance(owner)).toBe(expected.get(owner));
          const { supply } = net.system.cyclesLedger.token.book;
          expect(net.ic.cyclesBalance(cyclesLedgerId)).toBe(supply + fees);
          expect(net.ic.cyclesBalance(id)).toBe(onCanister);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the cycles minting canister', () => {
  it('names the subnets that anybody may use', () => {
    const net = new Network();
    const query = {
      sender: alice,
      canisterId: cyclesMintingId,
      method: 'get_default_subnets',
      arg: new Uint8Array(0),
    };
    expect(decode(vec(principal), net.ic.query(query))).toEqual([net.ic.subnets[2]!.id]);
  });

  it('makes cycles of ICP, once', () => {
    const net = new Network();
    const to = { owner: cyclesMintingId, subaccount: subaccountOfPrincipal(alice) };
    const memo = new Uint8Array(8);
    new DataView(memo.buffer).setBigUint64(0, 0x544e494dn, true);
    const paid = net.callOf(
      icpLedgerId,
      alice,
      'icrc1_transfer',
      transferArgs,
      resultOf(nat, transferError),
      {
        from_subaccount: undefined,
        to,
        amount: 100_000_000n,
        fee: undefined,
        memo,
        created_at_time: undefined,
      },
    );
    expect(paid).toEqual({ Ok: 0n });
    const notify = () =>
      net.callOf(cyclesMintingId, alice, 'notify_mint_cycles', notifyMintArgs, notifyMintReply, {
        block_index: 0n,
        to_subaccount: undefined,
        deposit_memo: undefined,
      });
    const minted = 3_520_000_000_000n;
    const balance = CYCLES_ENDOWMENT + minted - FEE;
    expect(notify()).toEqual({ Ok: { block_index: 0n, minted, balance } });
    expect(notify()).toEqual({ Ok: { block_index: 0n, minted, balance } });
    expect(net.balance(alice)).toBe(balance);
    const strange = net.callOf(
      cyclesMintingId,
      bob,
      'notify_mint_cycles',
      notifyMintArgs,
      notifyMintReply,
      {
        block_index: 7n,
        to_subaccount: undefined,
        deposit_memo: undefined,
      },
    );
    expect(strange).toMatchObject({
      Err: { InvalidTransaction: 'Block 7 of the ICP ledger is no transfer.' },
    });
  });
});

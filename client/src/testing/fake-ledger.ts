import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { cyclesLedgerId } from '../cycles/ledger.js';
import * as types from '../cycles/ledger-types.js';
import type { Transport } from '../transport/transport.js';
import type { FakeNetwork } from './fake-network.js';

/** What was asked for. */
export interface Order {
  createdAt: bigint;
  amount: bigint;
  subnet: string | undefined;
}

/** A cycles ledger before a fake network, which answers a creation as a test wants it. */
export class FakeLedger {
  balance = 100_000_000_000_000n;
  readonly orders: Order[] = [];
  readonly subnet = Principal.fromUint8Array(Uint8Array.of(9, 2)).toText();
  /** In place of the answer to a creation; nothing is created then. */
  answer: (order: Order) => object | undefined = () => undefined;

  constructor(readonly network: FakeNetwork) {}

  get transport(): Transport {
    const { network } = this;
    const call: Transport['update'] = (canister, method, arg) => {
      if (canister === cyclesLedgerId) return this.ledger(method, arg);
      // Ids of the fake network's canisters may be that of the minting canister.
      if (method !== 'get_default_subnets') return network.update(canister, method, arg);
      return Promise.resolve(IDL.encode(types.subnetsReply, [[Principal.fromText(this.subnet)]]));
    };
    return {
      principal: () => network.principal(),
      isLocal: () => network.isLocal(),
      wait: (time) => network.wait(Math.min(time, 1)),
      createCanister: (options) => network.createCanister(options),
      installCode: (options) => network.installCode(options),
      manage: (method, arg, canister) => network.manage(method, arg, canister),
      query: call,
      update: call,
    };
  }

  private async ledger(method: string, arg: Uint8Array): Promise<Uint8Array> {
    switch (method) {
      case 'icrc1_fee':
        return IDL.encode(types.natReply, [100_000_000n]);
      case 'icrc1_balance_of':
        return IDL.encode(types.natReply, [this.balance]);
      case 'create_canister':
        return IDL.encode(types.createReply, [await this.create(arg)]);
      default:
        throw new Error(`no method ${method}`);
    }
  }

  private async create(arg: Uint8Array): Promise<object> {
    const [args] = IDL.decode(types.createArgs, arg) as unknown as [
      {
        created_at_time: [bigint];
        amount: bigint;
        creation_args: [{ subnet_selection: [] | [{ Subnet: { subnet: Principal } }] }];
      },
    ];
    const [selection] = args.creation_args[0].subnet_selection;
    const order = {
      createdAt: args.created_at_time[0],
      amount: args.amount,
      subnet: selection?.Subnet.subnet.toText(),
    };
    this.orders.push(order);
    const answer = this.answer(order);
    if (answer) return answer;
    const id = await this.network.createCanister({ cycles: order.amount });
    return { Ok: { block_id: 1n, canister_id: Principal.fromText(id) } };
  }
}

/** Contract with release 6 of the package `@icp-sdk/core`: its endpoints, and what it verifies. */
import { Actor, Certificate, HttpAgent, lookupResultToBuffer } from 'icp-sdk-core-6/agent';
import { IDL } from 'icp-sdk-core-6/candid';
import { DelegationChain, DelegationIdentity, Ed25519KeyIdentity } from 'icp-sdk-core-6/identity';
import { Principal } from 'icp-sdk-core-6/principal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startLive, type LiveNetwork } from '../http/index.js';
import { CYCLES_ENDOWMENT, CYCLES_LEDGER } from '../system-canisters/index.js';

const account = IDL.Record({ owner: IDL.Principal, subaccount: IDL.Opt(IDL.Vec(IDL.Nat8)) });
const approveArgs = IDL.Record({ spender: account, amount: IDL.Nat });
const approveReply = IDL.Variant({ Ok: IDL.Nat, Err: IDL.Reserved });
interface Ledger {
  icrc1_balance_of: (of: { owner: Principal; subaccount: [] }) => Promise<bigint>;
  icrc2_approve: (args: object) => Promise<{ Ok: bigint }>;
}
const ledgerInterface: IDL.InterfaceFactory = ({ IDL: idl }) =>
  idl.Service({
    icrc1_balance_of: idl.Func([account], [idl.Nat], ['query']),
    icrc2_approve: idl.Func([approveArgs], [approveReply], []),
  });

const ledgerId = Principal.fromText(CYCLES_LEDGER);
const identity = Ed25519KeyIdentity.generate(new Uint8Array(32).fill(3));
const owner = identity.getPrincipal();
let network: LiveNetwork;
let agent: HttpAgent;

const ledgerOf = (by: HttpAgent): Ledger =>
  Actor.createActor<Ledger>(ledgerInterface, { agent: by, canisterId: ledgerId });
const approval = {
  spender: { owner: Principal.anonymous(), subaccount: [] },
  amount: 1n,
};

beforeAll(async () => {
  network = await startLive({ systemCanisters: true });
  agent = await HttpAgent.create({ host: network.url, identity, shouldFetchRootKey: true });
});
afterAll(() => network.stop());

it('verifies signatures of queries and certificates of calls, on a subnet that is not the root', async () => {
  const ledger = ledgerOf(agent);
  expect(await ledger.icrc1_balance_of({ owner, subaccount: [] })).toBe(CYCLES_ENDOWMENT);
  expect(await ledger.icrc2_approve(approval)).toEqual({ Ok: 0n });
});

const label = (text: string): Uint8Array => new TextEncoder().encode(text);

it('finds the subnet of a canister, its ranges, keys and type', async () => {
  const subnetId = await agent.getSubnetIdFromCanister(ledgerId);
  const subnet = subnetId.toUint8Array();
  const { certificate } = await agent.readState(
    { subnetId },
    {
      paths: [
        [label('canister_ranges'), subnet],
        [label('subnet'), subnet],
      ],
    },
  );
  const state = await Certificate.create({
    certificate,
    rootKey: agent.rootKey!,
    principal: { subnetId },
  });
  const found = (...path: Uint8Array[]) => lookupResultToBuffer(state.lookup_path(path));
  expect(new TextDecoder().decode(found(label('subnet'), subnet, label('type')))).toBe('system');
  expect(found(label('subnet'), subnet, label('public_key'))).toHaveLength(133);
  expect((await agent.fetchSubnetKeys({ canisterId: ledgerId })).size).toBe(13);
});

it('reads when a canister was made', async () => {
  const path = [label('canister'), ledgerId.toUint8Array(), label('canister_creation_timestamp')];
  const { certificate } = await agent.readState({ canisterId: ledgerId }, { paths: [path] });
  const state = await Certificate.create({
    certificate,
    rootKey: agent.rootKey!,
    principal: { canisterId: ledgerId },
  });
  const created = lookupResultToBuffer(state.lookup_path(path))!;
  const ms = Number(decodeLeb128(created) / 1_000_000n);
  expect(Math.abs(ms - Date.now())).toBeLessThan(600_000);
});

function decodeLeb128(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 7n) | BigInt(byte & 127), 0n);
}

it('lets a delegation for queries query, and nothing else', async () => {
  const session = Ed25519KeyIdentity.generate(new Uint8Array(32).fill(4));
  const until = new Date(Date.now() + 600_000);
  const as = async (permissions: string): Promise<Ledger> => {
    const chain = await DelegationChain.create(identity, session.getPublicKey(), until, {
      permissions,
    });
    const delegated = DelegationIdentity.fromDelegation(session, chain);
    return ledgerOf(
      await HttpAgent.create({ host: network.url, identity: delegated, shouldFetchRootKey: true }),
    );
  };
  const reader = await as('queries');
  expect(await reader.icrc1_balance_of({ owner, subaccount: [] })).toBeGreaterThan(0n);
  await expect(reader.icrc2_approve(approval)).rejects.toThrow('permits queries only');
  expect(await (await as('all')).icrc2_approve(approval)).toMatchObject({ Ok: 1n });
  await expect((await as('some')).icrc1_balance_of({ owner, subaccount: [] })).rejects.toThrow(
    'not "queries" or "all"',
  );
});

/** Contract with the package `@icp-sdk/canisters`: what it sends is taken, what it expects is answered. */
import { readFileSync } from 'node:fs';
import { HttpAgent } from '@icp-sdk/core/agent';
import { Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { Principal } from '@icp-sdk/core/principal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLive, type LiveNetwork } from '../http/index.js';
import {
  CYCLES_ENDOWMENT,
  CYCLES_LEDGER,
  CYCLES_MINTING,
  ICP_ENDOWMENT,
  ICP_LEDGER,
} from '../system-canisters/index.js';
import {
  AccountIdentifier,
  CmcCanister,
  CyclesLedgerCanister,
  IcManagementCanister,
  IcpLedgerCanister,
  IcrcLedgerCanister,
  PUBLIC,
  SubAccount,
  type Management,
} from './testing/icp-sdk-canisters.js';

const greeter = new Uint8Array(
  readFileSync(new URL('../../fixtures/golden/modules/greeter.wasm', import.meta.url)),
);
const T = 1_000_000_000_000n;
const FEE = 100_000_000n;
const identity = Ed25519KeyIdentity.generate(new Uint8Array(32).fill(7));
const alice = identity.getPrincipal();
let network: LiveNetwork;
let agent: HttpAgent;
let canisterId: Principal;

beforeAll(async () => {
  network = await startLive({ systemCanisters: true });
  agent = await HttpAgent.create({ host: network.url, identity, shouldFetchRootKey: true });
});
afterAll(() => network.stop());

describe('the management canister', () => {
  let management: Management;
  beforeAll(() => {
    management = IcManagementCanister.create({ agent });
  });

  it('creates a canister with settings, and tells its status by update and by query', async () => {
    canisterId = await management.provisionalCreateCanisterWithCycles({
      canisterId: Principal.fromText(network.effectiveCanisterId),
      amount: 10n * T,
      settings: {
        controllers: [alice.toText()],
        freezingThreshold: 1_000_000n,
        logVisibility: PUBLIC,
        snapshotVisibility: { type: PUBLIC },
      },
    });
    for (const certified of [true, false]) {
      const status = await management.canisterStatus({ canisterId, certified });
      expect(status.settings.freezing_threshold).toBe(1_000_000n);
      expect(status.settings.snapshot_visibility).toEqual({ public: null });
      expect(status.settings.log_visibility).toEqual({ public: null });
    }
  });

  it('installs code whole and in chunks', async () => {
    await management.installCode({
      mode: { install: null },
      canisterId,
      wasmModule: greeter,
      arg: new Uint8Array(0),
    });
    const chunk = await management.uploadChunk({ canisterId, chunk: greeter });
    expect(await management.storedChunks({ canisterId })).toEqual([chunk]);
    await management.installChunkedCode({
      mode: { upgrade: [] },
      arg: new Uint8Array(0),
      chunkHashesList: [chunk],
      targetCanisterId: canisterId,
      wasmModuleHash: Buffer.from(chunk.hash).toString('hex'),
    });
    await management.clearChunkStore({ canisterId });
  });

  it('takes snapshots, which all may read when the settings let them', async () => {
    await management.stopCanister(canisterId);
    const { id } = await management.takeCanisterSnapshot({ canisterId });
    const anyone = IcManagementCanister.create({
      agent: await HttpAgent.create({ host: network.url, shouldFetchRootKey: true }),
    });
    const metadata = await anyone.readCanisterSnapshotMetadata({ canisterId, snapshotId: id });
    expect(metadata.wasmModuleSize).toBe(BigInt(greeter.length));
    await management.loadCanisterSnapshot({ canisterId, snapshotId: id });
    expect(await anyone.listCanisterSnapshots({ canisterId })).toHaveLength(1);
    await expect(anyone.deleteCanisterSnapshot({ canisterId, snapshotId: id })).rejects.toThrow();
    await management.deleteCanisterSnapshot({ canisterId, snapshotId: id });
    await management.startCanister(canisterId);
  });

  it('shows logs', async () => {
    expect(await management.fetchCanisterLogs(canisterId)).toEqual({ canister_log_records: [] });
  });
});

describe('the ledgers', () => {
  it('cycles ledger: balances, transfers, withdrawals', async () => {
    const id = Principal.fromText(CYCLES_LEDGER);
    const token = IcrcLedgerCanister.create({ agent, canisterId: id });
    expect(await token.transactionFee({})).toBe(FEE);
    expect(await token.balance({ owner: alice })).toBe(CYCLES_ENDOWMENT);
    const to = { owner: Principal.anonymous(), subaccount: [] as [] };
    await token.transfer({ to, amount: T, created_at_time: BigInt(Date.now()) * 1_000_000n });
    expect(await token.balance({ owner: alice })).toBe(CYCLES_ENDOWMENT - T - FEE);
    const ledger = CyclesLedgerCanister.create({ agent, canisterId: id });
    await ledger.withdraw({ to: canisterId, amount: T });
    expect(await token.balance({ owner: alice })).toBe(CYCLES_ENDOWMENT - 2n * (T + FEE));
  });

  it('ICP ledger: by account identifiers and by accounts', async () => {
    const ledger = IcpLedgerCanister.create({ agent, canisterId: Principal.fromText(ICP_LEDGER) });
    const bob = AccountIdentifier.fromPrincipal({ principal: Principal.anonymous() });
    expect(await ledger.transactionFee()).toBe(10_000n);
    await ledger.transfer({ to: bob, amount: 100_000_000n });
    const own = AccountIdentifier.fromPrincipal({ principal: alice });
    expect(await ledger.accountBalance({ accountIdentifier: own })).toBe(
      ICP_ENDOWMENT - 100_010_000n,
    );
    await ledger.icrc1Transfer({ to: { owner: canisterId, subaccount: [] }, amount: 5n });
    const given = AccountIdentifier.fromPrincipal({ principal: canisterId });
    expect(await ledger.accountBalance({ accountIdentifier: given })).toBe(5n);
  });

  it('cycles minting canister: rate, subnets, top-up', async () => {
    const minting = CmcCanister.create({ agent, canisterId: Principal.fromText(CYCLES_MINTING) });
    expect(await minting.getIcpToCyclesConversionRate()).toBe(35_200n);
    expect(await minting.getDefaultSubnets()).toHaveLength(1);
    const ledger = IcpLedgerCanister.create({ agent, canisterId: Principal.fromText(ICP_LEDGER) });
    const block_index = await ledger.transfer({
      to: AccountIdentifier.fromPrincipal({
        principal: Principal.fromText(CYCLES_MINTING),
        subAccount: SubAccount.fromPrincipal(canisterId),
      }),
      amount: 100_000_000n,
      memo: 0x50555054n,
    });
    const cycles = await minting.notifyTopUp({ canister_id: canisterId, block_index });
    expect(cycles).toBe(3_520_000_000_000n);
  });
});

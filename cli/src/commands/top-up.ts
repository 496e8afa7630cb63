import type { Deployment } from '@canopy/client';
import type { ConnectFlags } from '../connect.js';
import { CommandError, UsageError } from '../errors.js';
import { findManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';

export interface TopUpFlags extends ConnectFlags {
  /** Cycles that each canister gets. */
  cycles?: bigint;
  /** Days without a request that each canister is to last for. */
  days?: number;
  /** Only this canister. */
  canister?: string;
}

/** `canopy top-up DEPLOYMENT`: sends its canisters cycles from the caller's account at the cycles ledger. */
export async function topUpCommand(name: string, flags: TopUpFlags, output: Output): Promise<void> {
  if ((flags.cycles === undefined) === (flags.days === undefined)) {
    throw new UsageError('say how much: either --cycles AMOUNT for each canister, or --days COUNT');
  }
  const deployment = await findManifest(name);
  const ids = canistersOf(deployment, flags.canister);
  const { connectToDeployment } = await import('../connect.js');
  const { CyclesLedgerClient, canisterHealth, hasCyclesLedger, trillions } =
    await import('@canopy/client');
  const { transport, host } = await connectToDeployment(deployment, flags);
  if (!(await hasCyclesLedger(transport))) {
    throw new CommandError(`${host} has no cycles ledger: start it with its system canisters`);
  }
  const ledger = new CyclesLedgerClient(transport);
  const wanted = await Promise.all(
    ids.map(async (canister) => {
      if (flags.cycles !== undefined) return { canister, amount: flags.cycles };
      const { cycles, idlePerDay, freezingCycles } = await canisterHealth(transport, canister);
      const lacking = freezingCycles + idlePerDay * BigInt(flags.days!) - cycles;
      return { canister, amount: lacking > 0n ? lacking : 0n };
    }),
  );
  const sent = wanted.filter(({ amount }) => amount > 0n);
  const fee = await ledger.fee();
  const total = sent.reduce((sum, { amount }) => sum + amount + fee, 0n);
  await ledger.requireBalance(total, `topping up ${sent.length} canisters`);
  // A call that is repeated after its answer was lost is known by its time.
  const now = BigInt(Date.now()) * 1_000_000n;
  for (const [index, { canister, amount }] of sent.entries()) {
    output.signal.throwIfAborted();
    await ledger.topUp(canister, amount, now + BigInt(index));
  }
  if (output.json) {
    output.print(toJson({ model: deployment.model, sent, total }));
    return;
  }
  if (sent.length === 0) {
    output.print('Nothing was sent: all canisters have enough.');
    return;
  }
  const rows = sent.map(({ canister, amount }) => [canister, trillions(amount)]);
  output.print(table(['canister', 'cycles'], rows));
  output.print(`${trillions(total)} cycles left the account at the cycles ledger.`);
}

function canistersOf({ coordinator, workers, model }: Deployment, only?: string): string[] {
  const all = [...(coordinator === undefined ? [] : [coordinator]), ...workers];
  if (only === undefined) return all;
  if (all.includes(only)) return [only];
  throw new UsageError(`${only} is no canister of "${model}": they are ${all.join(', ')}`);
}

import type { Deployment } from '@canopy/client';
import { askYes } from '../ask.js';
import type { ConnectFlags, Connection } from '../connect.js';
import { toJson, type Output } from '../output.js';
import type { Destination } from './describe.js';
import type { Preview } from './preview.js';

/** Flags that say where canisters come from, and whether the user was asked. */
export interface OfferFlags extends ConnectFlags {
  /** Cycles each canister is created with. */
  cycles?: bigint;
  subnet?: string;
  /** Do not ask. */
  yes?: boolean;
}

/** Where a deployment goes on: what is there, what is created and who pays for it. */
export async function destinationOf(
  preview: Preview,
  resume: Deployment | undefined,
  { cycles, subnet }: OfferFlags,
  canisters: readonly string[],
  { transport, host }: Connection,
): Promise<Destination & { paid: boolean }> {
  const { CyclesLedgerClient, hasCyclesLedger } = await import('@canopy/client');
  const paid = await hasCyclesLedger(transport);
  const spare = canisters.filter(
    (id) => id !== resume?.coordinator && resume?.workers.includes(id) !== true,
  );
  const there = [resume?.coordinator, ...(resume?.workers ?? [])];
  const ids = preview.canisters.map((_, index) => there[index] ?? spare.shift());
  const amounts = preview.canisters.map(({ recommended }) => cycles ?? recommended);
  const base = { network: host, canisters: ids, amounts, paid };
  const chosen = subnet ?? resume?.subnet;
  const place = chosen === undefined ? 'all canisters on one subnet' : `subnet ${chosen}`;
  if (!paid) return { ...base, subnet: `${place}, which gives cycles away` };
  const ledger = new CyclesLedgerClient(transport);
  const [balance, fee] = await Promise.all([ledger.balance(), ledger.fee()]);
  return {
    ...base,
    subnet: place,
    account: { principal: await transport.principal(), balance, fee },
  };
}

/** Prints a preview, of a place where there is one. */
export async function showPreview(
  preview: Preview,
  destination: Destination | undefined,
  flags: OfferFlags,
  output: Output,
): Promise<void> {
  if (output.json) {
    if (!destination) output.print(toJson(preview));
    return;
  }
  const { describePreview } = await import('../preview/describe.js');
  output.print(
    describePreview(
      preview,
      destination ?? {
        network: flags.network ?? flags.replica ?? 'local',
        subnet: `subnet ${flags.subnet ?? 'of 13 nodes'}`,
        canisters: [],
        amounts: preview.canisters.map(({ recommended }) => flags.cycles ?? recommended),
      },
    ),
  );
  if (destination) output.print('');
}

/** Whether the user wants it; asks only where real cycles are spent. */
export async function isWanted(
  destination: Destination,
  resume: Deployment | undefined,
  flags: OfferFlags,
  { transport, host }: Connection,
  output: Output,
): Promise<boolean> {
  if (flags.yes === true || resume?.ready === true || (await transport.isLocal())) return true;
  const { cyclesToPay } = await import('../preview/describe.js');
  const { trillions } = await import('@canopy/client');
  const question = `Deploy to ${host} for ${trillions(cyclesToPay(destination))} cycles?`;
  return askYes(question, output);
}

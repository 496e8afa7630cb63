import { trillions } from '@canopy/client';
import { table } from '../output.js';
import type { Preview } from './preview.js';

/** Where a deployment goes, and who pays. */
export interface Destination {
  /** The network's name or address. */
  network: string;
  /** Subnet of new canisters, for people. */
  subnet: string;
  /** Canisters that are there already, by their places in the preview; undefined where one is created. */
  canisters: readonly (string | undefined)[];
  /** Cycles that each new canister is created with. */
  amounts: readonly bigint[];
  /** Who pays from the account at the cycles ledger, what it holds, and its fee for each canister. */
  account?: { principal: string; balance: bigint; fee: bigint };
}

function mebibytes(bytes: number): number {
  return Number((bytes / 1024 ** 2).toFixed(1));
}

/** `1.234 T`, or `12.3 B` of less. */
export function cyclesText(cycles: number): string {
  return cycles >= 1e11 ? `${(cycles / 1e12).toFixed(3)} T` : `${(cycles / 1e9).toFixed(2)} B`;
}

function money(usDollars: number): string {
  return `US$ ${usDollars.toFixed(usDollars < 1 ? 3 : 2)}`;
}

/** Cycles that leave the account at the cycles ledger for the canisters that are not there yet. */
export function cyclesToPay({ canisters, amounts, account }: Destination): bigint {
  return amounts.reduce(
    (sum, amount, index) =>
      canisters[index] === undefined ? sum + amount + (account?.fee ?? 0n) : sum,
    0n,
  );
}

/** The preview as text for people. */
export function describePreview(preview: Preview, destination: Destination): string {
  const { rates, cycles, inference, per1000, per30Days, underLoad } = preview;
  const { canisters, amounts, account } = destination;
  const created = canisters.filter((id) => id === undefined).length;
  const rows = preview.canisters.map((one, index) => [
    one.place,
    canisters[index] ?? 'new',
    mebibytes(one.heapBytes),
    mebibytes(one.storedBytes),
    mebibytes(one.upload.bytes),
    one.upload.messages,
    canisters[index] === undefined ? trillions(amounts[index]!) : '',
    cyclesText(one.cycles.storage),
  ]);
  const titles = [
    '',
    'canister',
    'memory MiB',
    'stored MiB',
    'upload MiB',
    'messages',
    'created with',
    '30 days',
  ];
  const dollars = (amount: number): string => money((amount / 1e12) * rates.usDollarsPerTrillion);
  const millions = (instructions: number): string => (instructions / 1e6).toFixed(1);
  const rounds = `${inference.rounds} ${inference.rounds === 1 ? 'round' : 'rounds'}`;
  return [
    `"${preview.model}" on ${destination.network}, ${destination.subnet}; prices of ${rates.profile}:`,
    '',
    table(titles, rows),
    '',
    `create ${cyclesText(cycles.create)}, install ${cyclesText(cycles.install + cycles.configure)}, ` +
      `upload ${cyclesText(cycles.upload)} (${mebibytes(preview.upload.bytes)} MiB in ${preview.upload.messages} messages): ` +
      `${cyclesText(cycles.total)} cycles, ${dollars(cycles.total)}`,
    `an inference alone: ${millions(inference.instructions.total)} M instructions, ${rounds}; ` +
      `1,000 take ${cyclesText(per1000.cycles)} cycles, ${money(per1000.usDollars)} ` +
      `(with many under way ${cyclesText(underLoad.cyclesPer1000)})`,
    `30 days: storage ${cyclesText(per30Days.storage)}, ${rates.inferencesADay} inferences a day ` +
      `${cyclesText(per30Days.inferences)}: ${cyclesText(per30Days.cycles)} cycles, ${money(per30Days.usDollars)}`,
    `at US$ ${rates.usDollarsPerTrillion} a trillion cycles (--usd, --rate and --profile say otherwise)`,
    ...(account === undefined || created === 0
      ? []
      : [
          `${trillions(cyclesToPay(destination))} cycles for ${created} canisters leave the account of ` +
            `${account.principal} at the cycles ledger, which holds ${trillions(account.balance)}`,
        ]),
  ].join('\n');
}

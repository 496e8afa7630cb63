import type { AgentTransport } from '@canopy/client';
import type { CostSchedule } from '../results/schema.js';
import { EmbeddedIc } from './embedded.js';
import { PocketIc } from './pocket-ic.js';
import { Replica } from './replica.js';
import type { BenchIc } from './round-ic.js';

/** Which Internet Computer to measure on. */
export type IcChoice =
  | { kind: 'embedded' }
  | {
      kind: 'pocket-ic';
      /** Address of a server that runs. */
      url: string;
      /** What it says of itself, for the result. */
      version?: string;
    }
  | {
      kind: 'replica';
      url: string;
      /** A connection to it; `httpTransport` of the client makes one. */
      transport: AgentTransport;
    };

/**
 * Opens the IC of a choice, without canisters. The cost schedule is that of the embedded IC; others
 * have their own. Throws `BenchIcError` where it does not answer.
 */
export async function openIc(
  choice: IcChoice,
  costSchedule: CostSchedule,
  canopyVersion: string,
): Promise<BenchIc> {
  switch (choice.kind) {
    case 'embedded':
      return new EmbeddedIc(costSchedule, canopyVersion);
    case 'pocket-ic':
      return PocketIc.create(choice.url, choice.version ?? null);
    case 'replica':
      return new Replica(choice.transport, choice.url);
  }
}

/**
 * The figures of the Internet Computer as data (an application subnet of 13 nodes, replica source
 * of 2025-10-31 and, for touching pages, the schedule in force since the end of July 2026).
 */
import instructionCostsJson from './instruction-costs.json' with { type: 'json' };
import limitsJson from './limits.json' with { type: 'json' };
import pageCostsJson from './page-costs.json' with { type: 'json' };
import systemApiCostsJson from './system-api-costs.json' with { type: 'json' };

export * from './profile.js';

/** Limits of instructions, scheduler, memory, messages and modules, and the fees. */
export const limits = limitsJson;

/** What touching memory costs, in both schedules. */
export const pageCosts = pageCostsJson.schedules;

/** Cost of each WebAssembly instruction by name; loads and stores depend on the memory's width. */
export const instructionCosts: Readonly<
  Record<string, number | { wasm32: number; wasm64: number }>
> = instructionCostsJson;

/** Instructions that an `ic0` call costs besides the call instruction, by name without `ic0.`. */
export const systemApiCosts: ReadonlyMap<string, number> = new Map(
  Object.entries(systemApiCostsJson.fixed).map(([name, cost]) => [name.replace('ic0.', ''), cost]),
);

import table from '../costs/system-api-costs.json' with { type: 'json' };

/** Instructions per byte that leaves a canister (reply, reject, call argument, log). */
export const BYTE_OUT = 50;
/** Instructions per byte that enters it. */
export const BYTE_IN = 1;

const fixed: Readonly<Record<string, number>> = table.fixed;

/** Names that the table has shortened. */
const ALIASES: Readonly<Record<string, string>> = {
  cost_sign_with_ecdsa: 'cost_ecdsa',
  cost_sign_with_schnorr: 'cost_schnorr',
  cost_vetkd_derive_key: 'cost_vetkd',
};

/** Fixed instructions of an `ic0` function, on top of the call instruction. */
export function fixedCost(name: string): number {
  const cost = fixed[`ic0.${ALIASES[name] ?? name}`];
  if (cost === undefined)
    throw new Error(`costs/system-api-costs.json has no entry for ic0.${name}`);
  return cost;
}

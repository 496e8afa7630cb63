/** What canisters spend cycles on, by the names of `canister_metrics`. */
export const USE_CASES = [
  'memory',
  'compute_allocation',
  'ingress_induction',
  'instructions',
  'request_and_response_transmission',
  'uninstall',
  'canister_creation',
  'http_outcalls',
  'burned_cycles',
] as const;
export type UseCase = (typeof USE_CASES)[number];

/** Cycles that a canister consumed since it was made, by what for. */
export type Consumption = Record<UseCase, bigint>;

export function noConsumption(): Consumption {
  return Object.fromEntries(USE_CASES.map((useCase) => [useCase, 0n])) as Consumption;
}

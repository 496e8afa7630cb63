import { ErrorCode, UserError } from '../errors.js';
import { canisterSettings, type SettingsRecord } from '../management/types.js';
import { opt, principal, record, text, variant, type ValueOf } from '../management/candid/index.js';
import { principalToText, sameId } from '../principal.js';
import type { Subnet, SubnetKind } from '../state/index.js';
import type { SystemHost, Vault } from './host.js';

/** Kept of the cycles of a creation that fails. */
const PENALTY = 100_000_000n;

export const subnetSelection = variant({
  Subnet: record({ subnet: principal }),
  Filter: record({ subnet_type: opt(text) }),
});
export type SubnetSelection = ValueOf<typeof subnetSelection>;

/** How a canister is to be created, as clients say it. */
export const creationArgs = record({
  subnet_selection: opt(subnetSelection),
  settings: opt(canisterSettings),
});
export type CreationArgs = ValueOf<typeof creationArgs>;

const DEFAULT_KINDS: ReadonlySet<SubnetKind> = new Set(['application', 'verified_application']);
const TYPED_KINDS: readonly SubnetKind[] = ['fiduciary', 'sns'];

/** Subnets on which anybody may create canisters, in order of creation. */
export function defaultSubnets({ subnets }: SystemHost): Subnet[] {
  return subnets.filter(({ kind }) => DEFAULT_KINDS.has(kind));
}

/** Subnets that must be asked for by a type. */
export function typedSubnets({ subnets }: SystemHost): { type: string; subnets: Subnet[] }[] {
  return TYPED_KINDS.map((type) => ({
    type,
    subnets: subnets.filter(({ kind }) => kind === type),
  })).filter((entry) => entry.subnets.length > 0);
}

/** Creates canisters for whoever brings cycles. */
export class CanisterCreator {
  #turn = 0;

  constructor(
    private readonly host: SystemHost,
    private readonly vault: Vault,
    private readonly creator: Uint8Array,
  ) {}

  /**
   * Creates a canister; `owner` controls it unless the settings say otherwise. Where it fails, gives
   * why and what is left of the cycles.
   */
  create(
    owner: Uint8Array,
    cycles: bigint,
    { subnet_selection: selection, settings }: CreationArgs,
  ): { readonly canisterId: Uint8Array } | { readonly error: string; readonly refund: bigint } {
    const subnet = this.#select(selection);
    if (typeof subnet === 'string') return { error: subnet, refund: cycles };
    const given = settings ?? ({} as SettingsRecord);
    const created = this.host.createCanister({
      subnet,
      creator: this.creator,
      settings: { ...given, controllers: given.controllers ?? [owner] },
      cycles,
    });
    if (!(created instanceof UserError)) return { canisterId: created };
    if (created.code === ErrorCode.InsufficientCyclesForCreateCanister) {
      return { error: 'Insufficient cycles attached.', refund: cycles };
    }
    const kept = cycles < PENALTY ? cycles : PENALTY;
    this.vault.balance += kept;
    return {
      error: `Creating canister in subnet ${principalToText(subnet.id)} failed with code ${created.rejectCode}: ${created.message}`,
      refund: cycles - kept,
    };
  }

  /** The chosen subnet; those of a choice among several take turns. A text where there is none. */
  #select(selection: SubnetSelection | undefined): Subnet | string {
    if (selection !== undefined && 'Subnet' in selection) {
      const { subnet: id } = selection.Subnet;
      const open = [
        ...defaultSubnets(this.host),
        ...typedSubnets(this.host).flatMap(({ subnets }) => subnets),
      ];
      return (
        open.find((subnet) => sameId(subnet.id, id)) ??
        `Subnet ${principalToText(id)} does not exist or takes no canisters of yours.`
      );
    }
    const type = selection?.Filter.subnet_type;
    const candidates =
      type === undefined
        ? defaultSubnets(this.host)
        : (typedSubnets(this.host).find((entry) => entry.type === type)?.subnets ?? []);
    if (candidates.length > 0) return candidates[this.#turn++ % candidates.length]!;
    return type === undefined
      ? 'No subnets in which to create a canister.'
      : `Provided subnet type ${type} does not exist.`;
  }
}

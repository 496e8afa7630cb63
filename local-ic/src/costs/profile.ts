import profile202510 from './profiles/2025-10.json' with { type: 'json' };
import profile202607 from './profiles/2026-07.json' with { type: 'json' };
import profile202611 from './profiles/2026-11.json' with { type: 'json' };

/** What a network is like, by the date of the replica. */
export type ProfileName = '2025-10' | '2026-07' | '2026-11';

/** A dated set of what a subnet allows and charges. What it does not name is in the other files. */
export interface Profile {
  readonly date: string;
  /** Which schedule of `page-costs.json` charges for touching memory. */
  readonly pageCharge: '2025-10' | '2026-07';
  /** Of the management canister, the HTTP endpoints and the system API. */
  readonly interface: '2025' | '2026';
  readonly prices: {
    /** Cycles a GiB and second. */
    readonly gibSecond: number;
    /** Cycles a second of each canister that holds anything. */
    readonly canisterSecond: number;
    /** Whether the management canister's work for a canister pays the fee of a message, too. */
    readonly managementWorkIsMessage: boolean;
  };
  readonly limits: {
    readonly roundInstructions: number;
    /** Largest message that is not sliced: as much of a round is left for the last one. */
    readonly messageWithoutSlices: number;
    readonly environmentVariables: number;
  };
  readonly scheduler: {
    /** Who competes in a round: all canisters, or those that have work. */
    readonly kind: 'all' | 'active';
    /** Storage and compute allocation are charged in rounds whose number this divides. */
    readonly roundsBetweenCharges: number;
    /** Instructions that a message costs its thread which is skipped for lack of cycles. */
    readonly overheadOfSkippedMessage: number;
  };
}

const profiles: Readonly<Record<ProfileName, Profile>> = {
  '2025-10': profile202510 as Profile,
  '2026-07': profile202607 as Profile,
  '2026-11': profile202611 as Profile,
};

export const profileNames = Object.keys(profiles) as readonly ProfileName[];

export function profileOf(name: ProfileName): Profile {
  return profiles[name];
}

/** Whether a text names a profile. */
export function isProfileName(text: string): text is ProfileName {
  return Object.hasOwn(profiles, text);
}

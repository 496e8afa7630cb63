import { UserError } from '../errors.js';
import type { Ic } from '../ic.js';
import { decode, encode } from '../management/candid/index.js';
import { canisterIdRecord, createCanisterArgs } from '../management/types.js';
import type { SubnetSpec } from '../state/index.js';
import { CanisterCreator } from './creation.js';
import { CyclesLedger } from './cycles-ledger.js';
import { CyclesMinting } from './cycles-minting.js';
import type { SystemHost } from './host.js';
import { IcpLedger } from './icp-ledger.js';
import { cyclesLedgerId, cyclesMintingId, icpLedgerId } from './ids.js';

export { CYCLES_ENDOWMENT } from './cycles-ledger.js';
export { ICP_ENDOWMENT } from './icp-ledger.js';
export { CYCLES_LEDGER, CYCLES_MINTING, ICP_LEDGER } from './ids.js';

/** The subnets that hold the ids of the system canisters. */
export const SYSTEM_SUBNETS: readonly SubnetSpec[] = [{ kind: 'nns' }, { kind: 'ii' }];

/** What was installed, for those who look at the books. */
export interface SystemCanisters {
  readonly cyclesLedger: CyclesLedger;
  readonly icpLedger: IcpLedger;
}

/**
 * Installs the cycles ledger, the cycles minting canister and the ICP ledger at their ids of mainnet:
 * stand-ins with the methods that clients use. Throws IcError where no subnet holds the ids
 * ({@link SYSTEM_SUBNETS} do).
 */
export function installSystemCanisters(ic: Ic): SystemCanisters {
  const host = hostOf(ic);
  const minting = ic.addNativeCanister(cyclesMintingId);
  const ledger = ic.addNativeCanister(cyclesLedgerId);
  const creator = new CanisterCreator(host, minting, cyclesMintingId);
  const cyclesLedger = new CyclesLedger(host, ledger, creator);
  const icpLedger = new IcpLedger();
  ledger.native = cyclesLedger.methods();
  minting.native = new CyclesMinting(host, creator, icpLedger, cyclesLedger).methods();
  ic.addNativeCanister(icpLedgerId).native = icpLedger.methods();
  return { cyclesLedger, icpLedger };
}

function hostOf(ic: Ic): SystemHost {
  return {
    subnets: ic.subnets,
    createCanister: ({ subnet, creator, settings, cycles }) => {
      const arg = encode(createCanisterArgs, { settings, sender_canister_version: undefined });
      const made = ic.manageFrom(creator, subnet, { method: 'create_canister', arg, cycles });
      return made instanceof UserError ? made : decode(canisterIdRecord, made).canister_id;
    },
    deposit: (canisterId, cycles) => {
      const subnet = ic.subnetOf(canisterId);
      const arg = encode(canisterIdRecord, { canister_id: canisterId });
      const sender = cyclesLedgerId;
      const done = ic.manageFrom(sender, subnet ?? ic.subnets[0]!, {
        method: 'deposit_cycles',
        arg,
        cycles,
      });
      return done instanceof UserError ? done : undefined;
    },
  };
}

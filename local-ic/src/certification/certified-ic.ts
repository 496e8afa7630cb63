import { Ic, type IcOptions } from '../ic.js';
import type { Canister } from '../state/index.js';
import { dataCertificate } from './certifier.js';
import { subnetKeys } from './subnet-keys.js';

/**
 * An Ic whose subnets have keys: ids follow from them, `ic0.root_key_copy` gives the root key, and
 * queries see certificates of the canister's certified data.
 */
export function certifiedIc(options: IcOptions): Ic {
  const nns = options.subnets.findIndex(({ kind }) => kind === 'nns');
  const ic = new Ic({
    ...options,
    subnetId: (number) => subnetKeys(number).id,
    rootKey: subnetKeys(Math.max(nns, 0)).publicKey,
  });
  ic.dataCertificate = (canister: Canister) => {
    const subnet = ic.subnetOf(canister.id);
    return subnet && dataCertificate(ic, subnet, canister);
  };
  return ic;
}

import { DestinationError } from '../management/index.js';
import type { Subnet } from '../state/index.js';
import type { Network } from './network.js';

/** The subnet that a canister's call of `aaaaa-aa` goes to, or why none takes it. */
export function managementSubnet(
  network: Network,
  own: Subnet,
  method: string,
  arg: Uint8Array,
): Subnet | DestinationError {
  try {
    const destination = network.management.resolveDestination(
      method,
      arg,
      (id) => network.subnetOf(id) !== undefined,
    );
    switch (destination.kind) {
      case 'own':
        return own;
      case 'canister':
        return network.subnetOf(destination.id) ?? own;
      case 'subnet':
        return network.subnetById(destination.id) ?? own;
    }
  } catch (error) {
    if (error instanceof DestinationError) return error;
    throw error;
  }
}

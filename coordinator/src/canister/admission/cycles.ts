import { CanisterError, reservedGigacycles } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import type { Ic } from '../ic/ic.js';

const reserved = BigInt(reservedGigacycles) * 1_000_000_000n;
/** For so long what was found enough stays so: to look costs a hundredth of a request. */
const holdsNs = 10_000_000_000n;

/** Whether the coordinator has cycles for new requests. */
export class CyclesGuard {
  private enoughUntilNs = 0n;

  constructor(private readonly ic: Ic) {}

  /**
   * Throws {@link CoordinatorError} `low-on-cycles` where the coordinator has left what it needs to finish the
   * requests under way.
   */
  require(): void {
    const now = this.ic.now();
    if (now < this.enoughUntilNs) return;
    const { liquid } = this.ic.cycles();
    if (liquid >= reserved) {
      this.enoughUntilNs = now + holdsNs;
      return;
    }
    throw new CoordinatorError(
      CanisterError.lowOnCycles,
      `the coordinator has ${String(liquid / 1_000_000n)} M cycles above its freezing threshold and takes no ` +
        'new requests with so few: top it up, "canopy top-up" does',
    );
  }
}

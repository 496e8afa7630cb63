import { isLinear } from './linear-operations.js';
import type { RootExpression } from './roots.js';

const SLOTS = 4096;
const PROBES = 8;

/**
 * Numbers the values of a function: a "root" stands for a value that was computed somewhere, and a
 * pure operation on the same operands has the same root wherever it stands.
 */
export class ValueNumbers {
  private next = 1;
  private functionNumber = 0;
  private readonly slotRoot = new Int32Array(SLOTS);
  private readonly slotFunction = new Int32Array(SLOTS);
  private readonly slotKeys = new Float64Array(SLOTS * 4);
  private readonly expressions = new Map<number, RootExpression>();

  beginFunction(): void {
    this.next = 1;
    this.functionNumber++;
    this.expressions.clear();
  }

  /** The number that `fresh` gives next. */
  get upcoming(): number {
    return this.next;
  }

  /** The root of a value that nothing is known of. */
  fresh(): number {
    return this.next++;
  }

  /** The root of a pure operation's result. */
  of(id: number, rootX: number, offX: number, rootY: number, offY: number): number {
    const { slotKeys } = this;
    let hash = Math.imul(id + rootX * 31, 0x9e3779b1) ^ Math.imul((offX | 0) + 1, 0x85ebca6b);
    hash ^= Math.imul(rootY + 7, 0xc2b2ae35) ^ Math.imul((offY | 0) + 3, 0x27d4eb2f);
    hash ^= hash >>> 15;
    const operation = id * 0x100000000 + rootX;
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & (SLOTS - 1);
      if (this.slotFunction[slot] !== this.functionNumber) {
        this.slotFunction[slot] = this.functionNumber;
        this.slotRoot[slot] = this.next;
        slotKeys[4 * slot] = operation;
        slotKeys[4 * slot + 1] = offX;
        slotKeys[4 * slot + 2] = rootY;
        slotKeys[4 * slot + 3] = offY;
        if (isLinear(id)) this.expressions.set(this.next, { id, rootX, offX, rootY, offY });
        return this.next++;
      }
      if (
        slotKeys[4 * slot] === operation &&
        slotKeys[4 * slot + 1] === offX &&
        slotKeys[4 * slot + 2] === rootY &&
        slotKeys[4 * slot + 3] === offY
      ) {
        return this.slotRoot[slot]!;
      }
    }
    return this.next++;
  }

  /** The operation and operands that a root was computed from, where a loop may repeat it. */
  expressionOf(root: number): RootExpression | undefined {
    return this.expressions.get(root);
  }
}

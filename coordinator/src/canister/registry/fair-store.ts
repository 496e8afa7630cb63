/**
 * Values by key, in the order in which they came, of a limited number (or weight). Where there are more,
 * the oldest of the owner who has most goes: nobody pushes out what others hold by asking often.
 */
export class FairStore<Key, Value> {
  private readonly entries = new Map<Key, Value>();
  private readonly held = new Map<string, number>();
  private total = 0;

  /**
   * @param limit of all weights together
   * @param ownerOf whose a value is; stays the same while it is here
   * @param weightOf what a value takes; 1 where it is left out
   */
  constructor(
    private readonly limit: number,
    private readonly ownerOf: (value: Value) => string,
    private readonly weightOf: (value: Value) => number = () => 1,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** Adds a value under a new key. One that is heavier than the limit is not kept. */
  add(key: Key, value: Value): void {
    this.entries.set(key, value);
    this.count(value, 1);
    while (this.total > this.limit) this.remove(this.oldestOfMost());
  }
  find(key: Key): Value | undefined {
    return this.entries.get(key);
  }
  /** Puts another value of the same owner and weight in the place of the one that is there. */
  replace(key: Key, value: Value): void {
    this.entries.set(key, value);
  }
  remove(key: Key): void {
    const value = this.entries.get(key);
    if (value === undefined) return;
    this.entries.delete(key);
    this.count(value, -1);
  }
  /** The oldest first. */
  keys(): Key[] {
    return [...this.entries.keys()];
  }
  values(): Value[] {
    return [...this.entries.values()];
  }

  private count(value: Value, sign: 1 | -1): void {
    const weight = sign * this.weightOf(value);
    const owner = this.ownerOf(value);
    const held = (this.held.get(owner) ?? 0) + weight;
    this.total += weight;
    if (held === 0) this.held.delete(owner);
    else this.held.set(owner, held);
  }

  private oldestOfMost(): Key {
    let most = 0;
    for (const held of this.held.values()) if (held > most) most = held;
    for (const [key, value] of this.entries) {
      if (this.held.get(this.ownerOf(value)) === most) return key;
    }
    throw new Error('a store that holds too much is empty');
  }
}

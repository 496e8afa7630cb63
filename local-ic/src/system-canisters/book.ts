import type { Holder } from './accounts.js';

/**
 * Who holds how many tokens. People's default accounts start with an endowment, which comes into being
 * when the account is first used; all other tokens are credited by somebody.
 */
export class Book {
  readonly #balances = new Map<string, bigint>();
  readonly #endowed = new Set<string>();
  #supply = 0n;

  /** `onEndowment` is told of tokens that come into being. */
  constructor(
    private readonly endowment: bigint,
    private readonly onEndowment: (amount: bigint) => void = () => undefined,
  ) {}

  /** All tokens, without endowments of accounts that nobody used yet. */
  get supply(): bigint {
    return this.#supply;
  }

  balanceOf(holder: Holder): bigint {
    const waiting = holder.endowed && !this.#endowed.has(holder.key) ? this.endowment : 0n;
    return (this.#balances.get(holder.key) ?? 0n) + waiting;
  }

  credit(holder: Holder, amount: bigint): void {
    this.#endow(holder);
    this.#add(holder, amount);
  }

  /** Throws RangeError for more than there is: callers look before. */
  debit(holder: Holder, amount: bigint): void {
    this.#endow(holder);
    if (this.balanceOf(holder) < amount) throw new RangeError('more than the account holds');
    this.#add(holder, -amount);
  }

  #endow(holder: Holder): void {
    if (!holder.endowed || this.#endowed.has(holder.key)) return;
    this.#endowed.add(holder.key);
    this.#add(holder, this.endowment);
    this.onEndowment(this.endowment);
  }

  #add(holder: Holder, amount: bigint): void {
    this.#balances.set(holder.key, (this.#balances.get(holder.key) ?? 0n) + amount);
    this.#supply += amount;
  }
}

/** Time between two rounds of a live instance when nobody waits for it. */
const IDLE_MS = 100;

/** Executes rounds on its own while it is on. */
export class AutoProgress {
  #on = false;
  #delayMs = 0;
  #hurried = false;
  /** Only the run that was scheduled last takes place. */
  #latest = 0;

  constructor(private readonly round: () => void) {}

  get enabled(): boolean {
    return this.#on;
  }

  /** Starts; `delayMs` is slept after each round. */
  start(delayMs = 0): void {
    this.#delayMs = delayMs;
    if (this.#on) return;
    this.#on = true;
    this.#schedule(0);
  }

  stop(): void {
    this.#on = false;
    this.#latest++;
  }

  /** Asks for the next round without the pause. */
  hurry(): void {
    if (!this.#on || this.#hurried) return;
    this.#hurried = true;
    this.#schedule(this.#delayMs);
  }

  #schedule(ms: number): void {
    const ticket = ++this.#latest;
    const run = (): void => {
      if (ticket === this.#latest) this.#run();
    };
    if (ms === 0) setImmediate(run);
    else setTimeout(run, ms);
  }

  #run(): void {
    this.#hurried = false;
    const ticket = this.#latest;
    try {
      this.round();
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
    }
    if (ticket === this.#latest) this.#schedule(Math.max(IDLE_MS, this.#delayMs));
  }
}

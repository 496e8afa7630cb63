import { TestCanister } from './canister.js';
import type { Answer, Message, Origin, Principal, Sent } from './messages.js';

/** An update call from outside. */
export interface Call {
  readonly number: number;
  answer: Answer | undefined;
}

/**
 * The part of the Internet Computer that a worker sees, in process: update calls with rollback,
 * calls between canisters, timers, upgrades. A message is executed at a time, so that a test can do
 * something between any two. Instructions are not counted but pretended.
 */
export class TestIc {
  timeNs = 1_620_328_630_000_000_000n;
  /** Time that passes with each message. */
  nsPerMessage = 1_000_000n;
  readonly canisters = new Map<Principal, TestCanister>();
  /** Messages in the order in which they will be executed. */
  private queue: Message[] = [];
  private nextId = 1;
  private calls: Call[] = [];
  messagesExecuted = 0;
  /** Looks at each message before it is executed. */
  onMessage: ((message: Message) => void) | undefined;

  /** Chooses among the canisters that have messages; the one whose message is oldest unless given. */
  pick: ((canisters: number) => number) | undefined;

  constructor(private readonly module: WebAssembly.Module) {}

  create(): TestCanister {
    const id = (this.nextId++).toString(16).padStart(4, '0') + 'aa01';
    const canister = new TestCanister(this, id, this.module);
    this.canisters.set(id, canister);
    canister.init();
    return canister;
  }

  /**
   * Everything as it is now, once more: what happens here later does not happen there, and the other
   * way round. `onMessage` and `pick` stay behind.
   */
  fork(): TestIc {
    const fork = new TestIc(this.module);
    fork.timeNs = this.timeNs;
    fork.nsPerMessage = this.nsPerMessage;
    fork.queue = [...this.queue];
    fork.nextId = this.nextId;
    fork.calls = this.calls.map((call) => ({ ...call }));
    fork.messagesExecuted = this.messagesExecuted;
    for (const [id, canister] of this.canisters) fork.canisters.set(id, canister.fork(fork));
    return fork;
  }

  /** What became here of a call that was made before the fork. */
  callOf({ number }: Call): Call {
    const call = this.calls[number];
    if (call === undefined) throw new Error(`call ${number} was made after the fork`);
    return call;
  }

  upgrade(canister: TestCanister): void {
    canister.upgrade(this.module);
  }
  reinstall(canister: TestCanister): void {
    canister.reinstall(this.module);
  }

  /** Sends an update call; its answer is there once enough messages were executed. */
  call(
    caller: Principal,
    canister: TestCanister,
    name: string,
    arg: Uint8Array = new Uint8Array(0),
  ): Call {
    const call: Call = { number: this.calls.length, answer: undefined };
    this.calls.push(call);
    const origin: Origin = { kind: 'outside', call: call.number };
    this.queue.push({ to: canister.id, method: { name, caller, arg, origin } });
    return call;
  }

  /** Sends an update call and executes messages until it is answered. */
  update(caller: Principal, canister: TestCanister, name: string, arg?: Uint8Array): Answer {
    const call = this.call(caller, canister, name, arg);
    this.runUntil(() => call.answer !== undefined);
    return call.answer!;
  }

  get isIdle(): boolean {
    return this.queue.length === 0;
  }

  /** Takes the next message: the oldest of some canister. */
  private next(): Message | undefined {
    if (this.pick === undefined) return this.queue.shift();
    const canisters = [...new Set(this.queue.map(({ to }) => to))];
    if (canisters.length === 0) return undefined;
    const chosen = canisters[this.pick(canisters.length) % canisters.length];
    const at = this.queue.findIndex(({ to }) => to === chosen);
    return this.queue.splice(at, 1)[0];
  }

  /** Executes the next message; false when there is none. */
  executeOne(): boolean {
    this.queueTimersDue();
    const message = this.next();
    if (message === undefined) return false;
    this.timeNs += this.nsPerMessage;
    this.messagesExecuted++;
    this.onMessage?.(message);
    const canister = this.canisters.get(message.to);
    if (canister === undefined) {
      this.answer(message.method?.origin, {
        reject: { code: 3, text: `No canister ${message.to}` },
      });
      return true;
    }
    for (const sent of canister.execute(message)) this.route(sent);
    return true;
  }

  private route(sent: Sent): void {
    if ('message' in sent) this.queue.push(sent.message);
    else this.answer(sent.origin, sent.answer);
  }

  private answer(origin: Origin | undefined, answer: Answer): void {
    if (origin?.kind === 'outside') this.calls[origin.call]!.answer = answer;
    else if (origin?.kind === 'call') {
      this.queue.push({ to: origin.canister, response: { callId: origin.callId, answer } });
    }
  }

  /** Executes messages, and timers when there are none, until `condition` holds. */
  runUntil(condition: () => boolean, limit = 200_000): void {
    for (let count = 0; !condition(); count++) {
      if (count > limit) throw new Error(`not there after ${limit} messages`);
      if (!this.executeOne() && !this.runTimers()) throw new Error('nothing left to execute');
    }
  }

  /** Executes all there is, but no timers. */
  runToIdle(): void {
    while (this.executeOne());
  }

  private timersSet(): TestCanister[] {
    return [...this.canisters.values()].filter(
      ({ timer, status }) => timer !== 0n && status === 'running',
    );
  }

  private queueTimersDue(): void {
    for (const canister of this.timersSet()) {
      if (canister.timer > this.timeNs) continue;
      canister.timer = 0n;
      this.queue.push({ to: canister.id, timer: true });
    }
  }

  /** Lets time pass to the next timer of a running canister; false when there is none. */
  runTimers(): boolean {
    const next = this.timersSet().sort((a, b) => (a.timer < b.timer ? -1 : 1))[0];
    if (next === undefined) return false;
    if (next.timer > this.timeNs) this.timeNs = next.timer;
    return true;
  }
}

import { Instance, Trap, type Imports } from './instance.js';
import type { Answer, Message, Origin, Principal, Sent } from './messages.js';

export type { Answer, Message, Origin, Principal, Sent } from './messages.js';

/** A call that came in and the calls made for it. */
interface Context {
  origin: Origin;
  answered: boolean;
  outstanding: number;
}

interface OpenCall {
  context: Context;
  replyFunction: number;
  replyEnv: number;
  rejectFunction: number;
  rejectEnv: number;
}

/** Where canisters learn the time. */
export interface Clock {
  readonly timeNs: bigint;
}

interface NewCall extends Omit<OpenCall, 'context'> {
  callee: Principal;
  name: string;
  arg: Uint8Array[];
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Open calls with contexts of their own; those of one context share its copy. */
function copyCalls(calls: ReadonlyMap<number, OpenCall>): Map<number, OpenCall> {
  const contexts = new Map<Context, Context>();
  const copyOf = (context: Context): Context => {
    const copy = contexts.get(context) ?? { ...context };
    contexts.set(context, copy);
    return copy;
  };
  return new Map([...calls].map(([id, call]) => [id, { ...call, context: copyOf(call.context) }]));
}

/** One canister of {@link TestIc}: an instance of the module and what the system keeps for it. */
/** See {@link TestCanister.snapshot}. */
export interface Snapshot {
  instance: Instance;
  stable: Uint8Array<ArrayBuffer>;
  timer: bigint;
}

export class TestCanister {
  stable = new Uint8Array(0);
  /** Somebody else holds the bytes of stable memory too: they are copied before they are changed. */
  private stableIsShared = false;
  timer = 0n;
  status: 'running' | 'stopping' | 'stopped' = 'running';
  /** Calls to this canister are refused, as a system without room does. */
  refuseCallsTo: Principal | undefined;
  /** Messages that trapped. */
  traps = 0;
  /** What each look at the instruction counter adds to it. */
  instructionsPerLook = 1000n;
  /** Stable memory does not grow beyond so many bytes, as where a subnet has no more. */
  mostStableBytes = Infinity;
  /** Damages stable memory between the two hooks of an upgrade, as another release may find it. */
  damageAtUpgrade: ((stable: Uint8Array) => void) | undefined;
  /** Instructions a message may use by the counter before it traps. */
  instructionLimit = 40_000_000_000n;
  /** What it holds, and how much of it is below its freezing threshold. */
  cycles = 10n ** 13n;
  freezingCycles = 10n ** 12n;
  /** False: messages must not trap, and the heap is not copied for it before each, which is slow. */
  mayTrap = true;
  readonly openCalls = new Map<number, OpenCall>();
  controllers: Principal[] = ['00'];
  private instance!: Instance;
  private nextCallId = 1;

  private caller: Principal = '';
  private arg = new Uint8Array(0);
  private rejection: { code: number; text: string } | undefined;
  private replyParts: Uint8Array[] = [];
  private context: Context | undefined;
  private newCall: NewCall | undefined;
  private sent: Sent[] = [];
  private counter = 0n;

  constructor(
    private readonly clock: Clock,
    readonly id: Principal,
    module: WebAssembly.Module,
  ) {
    this.instantiate(module);
  }

  private instantiate(module: WebAssembly.Module): void {
    this.instance = new Instance(module, this.systemInterface());
  }

  /** A canister in the same state, between two messages; what happens to one leaves the other alone. */
  fork(clock: Clock): TestCanister {
    const fork = Object.create(TestCanister.prototype) as TestCanister;
    Object.assign(fork, this, {
      clock,
      instance: this.instance.copy(fork.systemInterface()),
      openCalls: copyCalls(this.openCalls),
      controllers: [...this.controllers],
    });
    this.stableIsShared = fork.stableIsShared = true;
    return fork;
  }

  get heapBytes(): number {
    return this.instance.heap.length;
  }

  private read(address: number, length: number): Uint8Array {
    return this.instance.read(address, length);
  }
  private write(address: number, bytes: Uint8Array, offset: number, length: number): void {
    this.instance.write(address, bytes, offset, length);
  }

  /** 128 bits, none below 0. */
  private writeCycles(address: number, cycles: bigint): void {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setBigUint64(0, cycles > 0n ? cycles : 0n, true);
    this.write(address, bytes, 0, bytes.length);
  }

  private answer(answer: Answer): void {
    const context = this.context;
    if (context === undefined || context.answered) throw new Trap('answered twice');
    context.answered = true;
    this.sent.push({ origin: context.origin, answer });
  }

  private systemInterface(): Imports {
    const caller = (): Uint8Array => fromHex(this.caller);
    const reason = (): Uint8Array => new TextEncoder().encode(this.rejection?.text ?? '');
    return {
      msg_arg_data_size: () => this.arg.length,
      msg_arg_data_copy: (to: number, offset: number, size: number) => {
        this.write(to, this.arg, offset, size);
      },
      // Of messages from outside, of which there are none here.
      msg_method_name_size: () => 0,
      msg_method_name_copy: () => undefined,
      accept_message: () => undefined,
      msg_caller_size: () => caller().length,
      msg_caller_copy: (to: number, offset: number, size: number) => {
        this.write(to, caller(), offset, size);
      },
      msg_reply_data_append: (from: number, size: number) => {
        this.replyParts.push(this.read(from, size));
      },
      msg_reply: () => {
        this.answer({ reply: new Uint8Array(Buffer.concat(this.replyParts)) });
      },
      msg_reject: (from: number, size: number) => {
        this.answer({ reject: { code: 4, text: text(this.read(from, size)) } });
      },
      msg_reject_code: () => this.rejection?.code ?? 0,
      msg_reject_msg_size: () => reason().length,
      msg_reject_msg_copy: (to: number, offset: number, size: number) => {
        this.write(to, reason(), offset, size);
      },
      canister_self_size: () => fromHex(this.id).length,
      canister_self_copy: (to: number, offset: number, size: number) => {
        this.write(to, fromHex(this.id), offset, size);
      },
      canister_cycle_balance128: (to: number) => {
        this.writeCycles(to, this.cycles);
      },
      canister_liquid_cycle_balance128: (to: number) => {
        this.writeCycles(to, this.cycles - this.freezingCycles);
      },
      canister_status: () => ({ running: 1, stopping: 2, stopped: 3 })[this.status],
      is_controller: (from: number, size: number) =>
        this.controllers.includes(toHex(this.read(from, size))) ? 1 : 0,
      call_new: (...args: number[]) => {
        const [callee, calleeSize, name, nameSize, reply, replyEnv, reject, rejectEnv] = args;
        this.newCall = {
          callee: toHex(this.read(callee!, calleeSize!)),
          name: text(this.read(name!, nameSize!)),
          replyFunction: reply!,
          replyEnv: replyEnv!,
          rejectFunction: reject!,
          rejectEnv: rejectEnv!,
          arg: [],
        };
      },
      call_data_append: (from: number, size: number) => {
        this.newCall?.arg.push(this.read(from, size));
      },
      call_perform: () => this.performCall(),
      global_timer_set: (at: bigint) => {
        const before = this.timer;
        this.timer = at;
        return before;
      },
      time: () => this.clock.timeNs,
      performance_counter: () => {
        this.counter += this.instructionsPerLook;
        if (this.counter > this.instructionLimit) throw new Trap('instruction limit exceeded');
        return this.counter;
      },
      trap: (from: number, size: number) => {
        throw new Trap(text(this.read(from, size)));
      },
      stable64_size: () => BigInt(this.stable.length / 65536),
      stable64_grow: (pages: bigint) => {
        const before = BigInt(this.stable.length / 65536);
        const bytes = this.stable.length + Number(pages) * 65536;
        if (bytes > this.mostStableBytes) return -1n;
        const grown = new Uint8Array(bytes);
        grown.set(this.stable);
        this.stable = grown;
        this.stableIsShared = false;
        return before;
      },
      stable64_read: (to: bigint, offset: bigint, size: bigint) => {
        this.write(Number(to), this.stable, Number(offset), Number(size));
      },
      stable64_write: (offset: bigint, from: bigint, size: bigint) => {
        if (Number(offset + size) > this.stable.length) throw new Trap('stable memory too small');
        if (this.stableIsShared) this.stable = this.stable.slice();
        this.stableIsShared = false;
        this.stable.set(this.read(Number(from), Number(size)), Number(offset));
      },
    };
  }

  private performCall(): number {
    const call = this.newCall;
    if (call === undefined || this.context === undefined) throw new Trap('no call to perform');
    this.newCall = undefined;
    if (this.refuseCallsTo === call.callee) return 2;
    const callId = this.nextCallId++;
    this.openCalls.set(callId, { ...call, context: this.context });
    this.context.outstanding++;
    const origin: Origin = { kind: 'call', canister: this.id, callId };
    const method = { name: call.name, caller: this.id, arg: Buffer.concat(call.arg), origin };
    this.sent.push({ message: { to: call.callee, method } });
    return 0;
  }

  /** Runs `body` as a message; on a trap everything is as before and the text is returned. */
  private attempt(body: () => void): string | undefined {
    const putBack = this.mayTrap ? this.instance.save() : undefined;
    const { stable, timer } = this;
    if (this.mayTrap) this.stableIsShared = true;
    const calls = new Map(this.openCalls);
    const answered = this.context?.answered;
    const outstanding = this.context?.outstanding;
    this.counter = 0n;
    this.sent = [];
    this.replyParts = [];
    try {
      body();
      return undefined;
    } catch (error) {
      const trapped = error instanceof Trap || error instanceof WebAssembly.RuntimeError;
      if (!trapped || putBack === undefined) throw error;
      this.traps++;
      putBack();
      this.stable = stable;
      this.timer = timer;
      this.openCalls.clear();
      for (const [id, call] of calls) this.openCalls.set(id, call);
      if (this.context) {
        this.context.answered = answered ?? false;
        this.context.outstanding = outstanding ?? 0;
      }
      this.sent = [];
      return error.message;
    }
  }

  /** Executes one message and returns what it sent. */
  execute(message: Message): Sent[] {
    if (message.method) {
      const { name, caller, arg, origin } = message.method;
      const answer = (code: number, reason: string): Sent[] => [
        { origin, answer: { reject: { code, text: reason } } },
      ];
      if (this.status !== 'running') return answer(5, `Canister ${this.id} is ${this.status}`);
      const method =
        this.instance.exported(`canister_update ${name}`) ??
        this.instance.exported(`canister_query ${name}`);
      if (!method) return answer(5, `Canister has no method ${name}`);
      this.caller = caller;
      this.arg = new Uint8Array(arg);
      this.context = { origin, answered: false, outstanding: 0 };
      const trap = this.attempt(method);
      if (trap !== undefined) return answer(5, `Canister trapped: ${trap}`);
      return this.leaveContext();
    }
    if (message.response) {
      const call = this.openCalls.get(message.response.callId);
      if (!call) return [];
      this.openCalls.delete(message.response.callId);
      this.context = call.context;
      this.context.outstanding--;
      const { answer } = message.response;
      this.rejection = 'reject' in answer ? answer.reject : undefined;
      this.arg = 'reply' in answer ? new Uint8Array(answer.reply) : new Uint8Array(0);
      const [index, env] =
        'reply' in answer
          ? [call.replyFunction, call.replyEnv]
          : [call.rejectFunction, call.rejectEnv];
      const callback = this.instance.callback(index);
      this.attempt(() => {
        callback(env);
      });
      return this.leaveContext();
    }
    this.context = { origin: { kind: 'none' }, answered: true, outstanding: 0 };
    this.attempt(this.instance.exported('canister_global_timer')!);
    return this.leaveContext();
  }

  /** A context with nothing to wait for that was not answered is answered by the system. */
  private leaveContext(): Sent[] {
    const context = this.context;
    if (context && !context.answered && context.outstanding === 0) {
      this.answer({ reject: { code: 5, text: 'Canister did not answer' } });
    }
    return this.sent;
  }

  query(name: string, caller: Principal, arg: Uint8Array): Answer {
    this.caller = caller;
    this.arg = new Uint8Array(arg);
    this.context = { origin: { kind: 'none' }, answered: false, outstanding: 0 };
    const trap = this.attempt(this.instance.exported(`canister_query ${name}`)!);
    if (trap !== undefined) return { reject: { code: 5, text: `Canister trapped: ${trap}` } };
    for (const sent of this.sent) if ('answer' in sent) return sent.answer;
    return { reject: { code: 5, text: 'no answer' } };
  }

  private hook(name: string): void {
    this.context = { origin: { kind: 'none' }, answered: true, outstanding: 0 };
    const trap = this.attempt(this.instance.exported(name)!);
    if (trap !== undefined) throw new Error(`${name} trapped: ${trap}`);
  }
  init(): void {
    this.hook('canister_init');
  }
  /**
   * Saves, replaces the module, restores; calls under way stay open. Where a hook traps, all is as before
   * and its text is thrown.
   */
  upgrade(module: WebAssembly.Module): void {
    const { instance, stable, stableIsShared, timer } = this;
    this.stableIsShared = true;
    try {
      this.hook('canister_pre_upgrade');
      this.damageAtUpgrade?.((this.stable = this.stable.slice()));
      this.timer = 0n;
      this.instance = new Instance(module, this.systemInterface());
      this.hook('canister_post_upgrade');
    } catch (error) {
      Object.assign(this, { instance, stable, stableIsShared, timer });
      throw error;
    }
  }
  /** What a snapshot of the canister holds: heap, stable memory and timer, but no calls. */
  snapshot(): Snapshot {
    this.stableIsShared = true;
    return {
      instance: this.instance.copy(this.systemInterface()),
      stable: this.stable,
      timer: this.timer,
    };
  }
  /** Puts the canister back to a snapshot; calls made since are still answered. */
  load({ instance, stable, timer }: Snapshot): void {
    this.instance = instance.copy(this.systemInterface());
    this.stable = stable;
    this.stableIsShared = true;
    this.timer = timer;
  }
  reinstall(module: WebAssembly.Module): void {
    this.stable = new Uint8Array(0);
    this.timer = 0n;
    this.openCalls.clear();
    this.instantiate(module);
    this.init();
  }
}

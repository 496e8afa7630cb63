/** One canister of {@link TestIc}: an instance of the module and what the system keeps for it. */
import type { TestIc } from './test-ic.js';

export type Principal = string;
export type Answer = { reply: Uint8Array } | { reject: { code: number; text: string } };

/** Who is to be answered: a caller outside, or a call of a canister. */
export type Origin =
  | { kind: 'outside'; answer: (answer: Answer) => void }
  | { kind: 'call'; canister: Principal; callId: number }
  | { kind: 'none' };

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

export interface Message {
  to: Principal;
  method?: { name: string; caller: Principal; arg: Uint8Array; origin: Origin };
  response?: { callId: number; answer: Answer };
  timer?: true;
}

/** What executing a message gave: messages to others, answers to callers. */
export type Sent = { message: Message } | { origin: Origin; answer: Answer };

/** A trap of the module or of the system interface. */
class Trap extends Error {}

interface NewCall extends Omit<OpenCall, 'context'> {
  callee: Principal;
  name: string;
  arg: Uint8Array[];
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export class TestCanister {
  stable = new Uint8Array(0);
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
  /** False: messages must not trap, and the heap is not copied for it before each, which is slow. */
  mayTrap = true;
  readonly openCalls = new Map<number, OpenCall>();
  controllers: Principal[] = ['00'];
  private instance!: WebAssembly.Instance;
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
    private readonly ic: TestIc,
    readonly id: Principal,
    module: WebAssembly.Module,
  ) {
    this.instantiate(module);
  }

  private instantiate(module: WebAssembly.Module): void {
    this.instance = new WebAssembly.Instance(module, { ic0: this.systemInterface() });
  }

  private get memory(): WebAssembly.Memory {
    return this.instance.exports.memory as WebAssembly.Memory;
  }
  get heapBytes(): number {
    return this.memory.buffer.byteLength;
  }

  private read(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address >>> 0, length >>> 0).slice();
  }
  private write(address: number, bytes: Uint8Array, offset: number, length: number): void {
    if (offset + length > bytes.length) throw new Trap('copied past the end');
    new Uint8Array(this.memory.buffer).set(bytes.subarray(offset, offset + length), address >>> 0);
  }

  private answer(answer: Answer): void {
    const context = this.context;
    if (context === undefined || context.answered) throw new Trap('answered twice');
    context.answered = true;
    this.sent.push({ origin: context.origin, answer });
  }

  private systemInterface(): Record<string, WebAssembly.ImportValue> {
    const caller = (): Uint8Array => fromHex(this.caller);
    const reason = (): Uint8Array => new TextEncoder().encode(this.rejection?.text ?? '');
    return {
      msg_arg_data_size: () => this.arg.length,
      msg_arg_data_copy: (to: number, offset: number, size: number) => {
        this.write(to, this.arg, offset, size);
      },
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
      time: () => this.ic.timeNs,
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
        return before;
      },
      stable64_read: (to: bigint, offset: bigint, size: bigint) => {
        this.write(Number(to), this.stable, Number(offset), Number(size));
      },
      stable64_write: (offset: bigint, from: bigint, size: bigint) => {
        if (Number(offset + size) > this.stable.length) throw new Trap('stable memory too small');
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

  private globals(): [WebAssembly.Global, unknown][] {
    return Object.entries(this.instance.exports)
      .filter(([name]) => name.startsWith('mutable '))
      .map(([, global]) => [global as WebAssembly.Global, (global as WebAssembly.Global).value]);
  }

  /** Runs `body` as a message; on a trap everything is as before and the text is returned. */
  private attempt(body: () => void): string | undefined {
    const memory = this.mayTrap ? new Uint8Array(this.memory.buffer).slice() : undefined;
    const globals = this.globals();
    const { stable, timer } = this;
    const stableBytes = stable.slice();
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
      if (!trapped || memory === undefined) throw error;
      this.traps++;
      const now = new Uint8Array(this.memory.buffer);
      now.fill(0);
      now.set(memory);
      for (const [global, value] of globals) global.value = value;
      this.stable = stableBytes;
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

  private exported(name: string): (() => void) | undefined {
    return this.instance.exports[name] as (() => void) | undefined;
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
        this.exported(`canister_update ${name}`) ?? this.exported(`canister_query ${name}`);
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
      const table = this.instance.exports.table as WebAssembly.Table;
      const callback = table.get(index) as (env: number) => void;
      this.attempt(() => {
        callback(env);
      });
      return this.leaveContext();
    }
    this.context = { origin: { kind: 'none' }, answered: true, outstanding: 0 };
    this.attempt(this.exported('canister_global_timer')!);
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
    let result: Answer = { reject: { code: 5, text: 'no answer' } };
    this.caller = caller;
    this.arg = new Uint8Array(arg);
    this.context = {
      origin: { kind: 'outside', answer: (answer) => (result = answer) },
      answered: false,
      outstanding: 0,
    };
    const trap = this.attempt(this.exported(`canister_query ${name}`)!);
    if (trap !== undefined) return { reject: { code: 5, text: `Canister trapped: ${trap}` } };
    for (const sent of this.sent) if ('answer' in sent) result = sent.answer;
    return result;
  }

  private hook(name: string): void {
    this.context = { origin: { kind: 'none' }, answered: true, outstanding: 0 };
    const trap = this.attempt(this.exported(name)!);
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
    const { instance, stable, timer } = this;
    this.stable = stable.slice();
    try {
      this.hook('canister_pre_upgrade');
      this.damageAtUpgrade?.(this.stable);
      this.timer = 0n;
      this.instantiate(module);
      this.hook('canister_post_upgrade');
    } catch (error) {
      Object.assign(this, { instance, stable, timer });
      throw error;
    }
  }
  reinstall(module: WebAssembly.Module): void {
    this.stable = new Uint8Array(0);
    this.timer = 0n;
    this.openCalls.clear();
    this.instantiate(module);
    this.init();
  }
}

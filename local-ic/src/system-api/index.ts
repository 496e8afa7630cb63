import type { Code } from '../state/index.js';
import type { HostFunctions } from '../wasm/index.js';
import { calls } from './calls.js';
import { certifiedData } from './certified-data.js';
import { cycles } from './cycles.js';
import { debug } from './debug.js';
import { environment } from './environment.js';
import type { Execution } from './execution.js';
import { bind, type Address, type ApiContext, type ApiGroup } from './function.js';
import { identity } from './identity.js';
import { message } from './message.js';
import { prices } from './prices.js';
import { sliceOverrun } from './hypervisor-error.js';
import { stable } from './stable.js';
import { time } from './time.js';

/** Every function of `ic0` by name. */
export const API: ApiGroup = {
  ...message,
  ...identity,
  ...cycles,
  ...calls,
  ...stable,
  ...certifiedData,
  ...time,
  ...debug,
  ...environment,
  ...prices,
};

/** The `ic0` functions of one canister; `code` and `execution` are set before code runs. */
export class SystemApi implements ApiContext {
  private currentCode: Code | undefined;
  private currentExecution: Execution | undefined;
  readonly functions: HostFunctions;

  constructor(memory64: boolean) {
    this.functions = Object.fromEntries(
      Object.entries(API).map(([name, api]) => [name, bind(name, api, this, memory64)]),
    );
  }

  get code(): Code {
    if (!this.currentCode) throw new Error('system API used before its code was installed');
    return this.currentCode;
  }

  set code(code: Code) {
    this.currentCode = code;
  }

  get execution(): Execution {
    if (!this.currentExecution) throw new Error('system API used outside of an execution');
    return this.currentExecution;
  }

  /** The run under way; undefined between runs. */
  set execution(execution: Execution | undefined) {
    this.currentExecution = execution;
  }

  charge(instructions: Address): void {
    const { instance } = this.code;
    if (typeof instructions === 'bigint') {
      // The counter takes the charge as a signed number: beyond 2^63 it takes nothing.
      if (instructions >= 1n << 63n) return;
      instance.charge(Number(instructions));
      return;
    }
    const { slice, instructionLimit } = this.execution.input;
    if (instructions < slice) {
      instance.charge(instructions);
      return;
    }
    this.chargeBeyondSlice(instructions, slice, instructionLimit);
  }

  /** One charge that leaves nothing of the next slice either is refused. */
  private chargeBeyondSlice(instructions: number, slice: number, limit: number): void {
    const { instance } = this.code;
    const executed = limit - instance.instructionsLeft;
    const inSlice = (executed % slice) + instructions;
    const lastSlice = limit - (executed - (executed % slice)) <= slice;
    instance.charge(instructions);
    if (lastSlice || inSlice < 2 * slice) return;
    this.execution.lastSliceStart = executed - (executed % slice);
    throw sliceOverrun(inSlice, slice);
  }

  /** Decides about `memory.grow`. */
  readonly mayGrow = (currentPages: number, additionalPages: number, holds: boolean): boolean => {
    const { memory } = this.execution;
    memory.checkHeapLimit(currentPages + additionalPages);
    if (holds) memory.growHeap(additionalPages);
    return holds;
  };
}

export * from './execution.js';
export * from './hypervisor-error.js';
export * from './memory-usage.js';
export * from './modes.js';
export * from './trap-error.js';

import { CanisterInstance, compileModule, type CostSchedule, type RunOutcome } from '../index.js';

const LIMIT = 40_000_000_000;

/** A canister with just enough of `ic0` to take an argument, count and reply. */
export class MessageHost {
  readonly instance: CanisterInstance;
  reply = Buffer.alloc(0);
  private argument: Uint8Array = new Uint8Array();
  private limit = LIMIT;

  constructor(bytes: Uint8Array, schedule: CostSchedule = '2025-10') {
    const charge = (instructions: number): void => {
      this.instance.charge(instructions);
    };
    this.instance = new CanisterInstance(compileModule(bytes, schedule), {
      msg_reply: () => {
        charge(500);
      },
      msg_reply_data_append: (start: number | bigint, length: number | bigint) => {
        charge(500 + 50 * Number(length));
        this.reply = Buffer.concat([this.reply, this.instance.readBytes(start, length)]);
      },
      msg_arg_data_copy: (to: number, from: number, length: number) => {
        charge(500 + length);
        this.instance.writeBytes(to, this.argument.subarray(from, from + length));
      },
      performance_counter: () => {
        charge(200);
        return BigInt(this.limit - this.instance.instructionsLeft);
      },
    });
  }

  /** Runs an export as a message with the given argument. */
  run(name: string, argument: Uint8Array = new Uint8Array(), limit = LIMIT): RunOutcome {
    this.reply = Buffer.alloc(0);
    this.argument = argument;
    this.limit = limit;
    return this.instance.run({ export: name }, limit);
  }

  /** Runs an export; throws unless it returns. */
  runOk(name: string, argument: Uint8Array = new Uint8Array()): number {
    const outcome = this.run(name, argument);
    if (outcome.kind !== 'returned') {
      throw new Error(`${name} trapped: ${outcome.trap.kind}`, { cause: outcome.trap.error });
    }
    return outcome.instructions;
  }
}

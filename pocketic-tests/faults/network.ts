import { Principal } from '@dfinity/principal';
import { PocketIc, SubnetStateType } from '@dfinity/pic';

/** Milliseconds since 1970 when each network begins: the same, so that a seed is too. */
const beginMs = 1_790_000_000_000;
/** After so long without an answer the server is stuck. */
const processingTimeoutMs = 600_000;

/** One call of a method; `effective` is the canister that a call to the management canister is about. */
export interface Call {
  canister: string;
  method: string;
  arg: Uint8Array;
  effective?: string;
}

export type Outcome = { reply: Uint8Array; error?: undefined } | { error: string };

interface Reject {
  reject_message: string;
  reject_code: string;
  error_code: string;
}
type Answer = { Ok: unknown } | { Err: Reject | string };

/** The part of pic's client that is needed where `PocketIc` itself has no method for it. */
interface Client {
  post(path: string, body: unknown): Promise<unknown>;
  setTime(request: { nanosSinceEpoch: bigint }): Promise<void>;
}

const base64 = (id: string): string =>
  Buffer.from(Principal.fromText(id).toUint8Array()).toString('base64');

function textOf(error: Reject | string): string {
  if (typeof error === 'string') return error;
  return `${error.reject_message} (${error.reject_code} ${error.error_code})`;
}

/**
 * An Internet Computer of one subnet whose rounds run only when asked for. Messages are sent and asked for
 * one by one: the methods of `PocketIc` that send one run rounds until it is answered.
 */
export class Network {
  private readonly client: Client;
  private nowNs = BigInt(beginMs) * 1_000_000n;
  /** Rounds executed by {@link round}. */
  rounds = 0;

  private constructor(readonly pic: PocketIc) {
    this.client = (pic as unknown as { client: Client }).client;
  }

  static async create(url: string): Promise<Network> {
    const pic = await PocketIc.create(url, {
      application: [{ state: { type: SubnetStateType.New } }],
      processingTimeoutMs,
    });
    const network = new Network(pic);
    await network.pass(0);
    return network;
  }

  /** Sends an update call; its message id, or why it was not taken. */
  async submit(call: Call, sender: string): Promise<{ id: unknown } | { error: string }> {
    const answer = await this.post('/update/submit_ingress_message', bodyOf(call, sender));
    return 'Ok' in answer ? { id: answer.Ok } : { error: textOf(answer.Err) };
  }

  /** What an update call was answered with; undefined while it is not. */
  async answered(id: unknown): Promise<Outcome | undefined> {
    const answer = await this.client.post('/read/ingress_status', { raw_message_id: id });
    return answer === null ? undefined : outcomeOf(answer as Answer);
  }

  async query(call: Call, sender: string): Promise<Outcome> {
    return outcomeOf(await this.post('/read/query', bodyOf(call, sender)));
  }

  /** Executes a round, so many milliseconds after the one before. */
  async round(ms: number): Promise<void> {
    await this.pass(ms);
    await this.client.post('/update/tick', {});
    this.rounds++;
  }

  /** Lets time pass in which no round is executed. */
  async pass(ms: number): Promise<void> {
    this.nowNs += BigInt(ms) * 1_000_000n;
    await this.client.setTime({ nanosSinceEpoch: this.nowNs });
  }

  private async post(path: string, body: unknown): Promise<Answer> {
    return (await this.client.post(path, body)) as Answer;
  }
}

function bodyOf({ canister, method, arg, effective }: Call, sender: string): unknown {
  return {
    sender: base64(sender),
    canister_id: base64(canister),
    method,
    payload: Buffer.from(arg).toString('base64'),
    effective_principal: effective === undefined ? 'None' : { CanisterId: base64(effective) },
  };
}

function outcomeOf(answer: Answer): Outcome {
  if ('Err' in answer) return { error: textOf(answer.Err) };
  return { reply: Uint8Array.from(Buffer.from(answer.Ok as string, 'base64')) };
}

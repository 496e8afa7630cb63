import {
  CanisterError,
  decodeWorkerStatus,
  encodeChunk,
  encodeWorkerConfig,
  type Chunk,
  type WorkerConfig,
  type WorkerStatus,
} from '@canopy/protocol';
import { CanopyError, isRefusal, toCanopyError } from './errors.js';
import type { Transport } from './transport/transport.js';

const empty = new Uint8Array();

/** The methods of a worker that its controllers use. Errors are `CanopyError`; nothing is retried. */
export class WorkerClient {
  constructor(
    private readonly transport: Transport,
    /** Canister id. */
    readonly canister: string,
  ) {}

  async configure(config: WorkerConfig): Promise<void> {
    await this.call('update', 'configure', encodeWorkerConfig(config));
  }

  /**
   * @param unproven whether the answer may be believed as it is: `load` fails where a chunk is missing
   * or another one, and its answer is proven
   */
  async putChunk(chunk: Chunk, { unproven = false } = {}): Promise<void> {
    const isFaster = unproven && this.transport.updateUnproven !== undefined;
    await this.call(isFaster ? 'updateUnproven' : 'update', 'put_chunk', encodeChunk(chunk));
  }

  /** Starts loading; `status` says when the worker is ready. */
  async load(): Promise<void> {
    await this.call('update', 'load', empty);
  }

  async status(): Promise<WorkerStatus> {
    return decodeWorkerStatus(await this.call('query', 'status', empty));
  }

  /** Which chunks the worker holds, by index. */
  async chunksHeld(chunkCount: number): Promise<boolean[]> {
    const bitmap = await this.call('query', 'chunks', empty);
    return Array.from(
      { length: chunkCount },
      (_, index) => (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1,
    );
  }

  private async call(
    kind: 'query' | 'update' | 'updateUnproven',
    method: string,
    arg: Uint8Array,
  ): Promise<Uint8Array> {
    try {
      return (await this.transport[kind]!(this.canister, method, arg)) ?? empty;
    } catch (error) {
      const what = `worker ${this.canister}, ${method}`;
      if (!isRefusal(error)) throw toCanopyError(error, what);
      throw new CanopyError(
        CanisterError.notAuthorised.code,
        `${what}: the worker takes such a message from its controllers only, and none that is too long`,
        false,
        { cause: error },
      );
    }
  }
}

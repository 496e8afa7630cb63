/** Requests that reach a head together: a call costs as much as many requests. */
import {
  ByteReader,
  CanisterError,
  decodeEndedRuns,
  decodeTaken,
  mostJoinedBytes,
  mostJoinedRequestBytes,
  maxRunsOfCall,
  type CoordinatorLoad,
  type EndedRun,
} from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import { CallFailure, CleanupOnly, type Ic } from '../ic/ic.js';
import type { Model, Pipeline } from '../registry/models.js';
import { callWorker, describeCallFailure } from './call-worker.js';
import { encodeTogether, withDeadline } from './enqueue-message.js';
import { moreHelpful, noteRefusal } from './offer.js';
import { Waiting, isAway, type Together, type Waiter } from './waiting.js';

/** Requests of a round that each pipeline is given as soon as they come. A request alone is so never delayed. */
const aloneForEach = 1;

/** The coordinator's method that it calls itself, when all requests of an iteration have come. */
export const handOverMethod = 'hand_over';

/** One of them, with the pipelines that it is still to be offered to and what others said. */
interface Offered {
  request: Together;
  pipelines: readonly Pipeline[];
  refusal?: CoordinatorError | undefined;
  /** Since when it waits because workers are away. */
  sinceNs?: bigint | undefined;
}

/**
 * The requests of a round that go together: they are gathered while the messages of an iteration come in,
 * and handed over in the next iteration, one call for each pipeline. Each is taken or refused by itself. One
 * that no pipeline takes because workers are stopped or out of means waits, and is offered again.
 */
export class Gathered {
  private waiting: Together[] = [];
  private waitingBytes = 0;
  private roundNs = 0n;
  /** Requests of this round that went alone. */
  private readonly alone = new Map<Model, number>();
  /** Those that no pipeline took. */
  private readonly away: Waiting;

  /** @param onEnded is told of runs that ended unasked, by a pipeline's head */
  constructor(
    private readonly ic: Ic,
    private readonly ownLoad: CoordinatorLoad,
    private readonly onEnded: (pipeline: Pipeline, ended: EndedRun) => void,
  ) {
    this.away = new Waiting(ic, (waiters) => {
      this.offerAgain(waiters);
    });
  }

  /** Whether a request of so many bytes goes with others; where it does not, it counts as one that went alone. */
  takes(model: Model, bytes: number): boolean {
    const now = this.ic.now();
    if (now !== this.roundNs) {
      this.roundNs = now;
      this.alone.clear();
      // Those of an earlier round, where the canister was stopped before they went.
      this.handOver();
      this.away.watch();
    }
    const alone = this.alone.get(model) ?? 0;
    if (alone < aloneForEach * model.pipelines.length) {
      this.alone.set(model, alone + 1);
      return false;
    }
    return (
      bytes <= mostJoinedRequestBytes &&
      this.waiting.length < maxRunsOfCall &&
      this.waitingBytes + bytes <= mostJoinedBytes
    );
  }

  /** Takes a request along. */
  add(request: Together): void {
    this.waiting.push(request);
    this.waitingBytes += request.run.length;
    if (this.waiting.length === 1) this.ic.callItself(handOverMethod);
  }

  /**
   * Hands over what waits. The message of the coordinator to itself does, which comes after all that are
   * waiting now; and, should it be refused because the canister stops, the answer to one that went alone.
   */
  handOver(): void {
    if (this.waiting.length === 0) return;
    const now = this.ic.now();
    const offered = this.waiting.map((request) => ({
      request,
      pipelines: request.model.inTurn(now),
    }));
    this.waiting = [];
    this.waitingBytes = 0;
    this.offerAll(offered);
  }

  /** All that wait for a head, for an upgrade. */
  all(): readonly Waiter[] {
    const sinceNs = this.ic.now();
    return [...this.away.all(), ...this.waiting.map((request) => ({ request, sinceNs }))];
  }

  /** Whether one more request of so many bytes may wait for a head. */
  hasRoomToWait(bytes: number): boolean {
    return this.away.hasRoom(bytes);
  }

  /** Has a request wait that went alone, and that no pipeline took. */
  waits(request: Together, refusal: CoordinatorError): void {
    this.away.keep({ request, sinceNs: this.ic.now() }, refusal);
  }

  /** Has a request wait as before an upgrade. */
  waitsAgain(waiter: Waiter): void {
    this.away.restore(waiter);
  }

  private offerAgain(waiters: readonly Waiter[]): void {
    const now = this.ic.now();
    const offered = waiters.map(({ request, sinceNs }) => {
      withDeadline(request, now);
      return { request, sinceNs, pipelines: request.model.inTurn(now) };
    });
    this.offerAll(offered);
  }

  /** Each to the first of its pipelines. */
  private offerAll(offered: readonly Offered[]): void {
    const groups = new Map<Pipeline, Offered[]>();
    for (const one of offered) {
      const group = groups.get(one.pipelines[0]!);
      if (group) group.push(one);
      else groups.set(one.pipelines[0]!, [one]);
    }
    for (const [pipeline, group] of groups) {
      for (const part of inMessages(group)) void this.offerTo(pipeline, part);
    }
  }

  private async offerTo(pipeline: Pipeline, group: readonly Offered[]): Promise<void> {
    const { model } = group[0]!.request;
    try {
      const reply = await this.call(pipeline, group);
      const again: Offered[] = [];
      for (const [index, taken] of reply.taken.entries()) {
        const one = group[index]!;
        if ('requestId' in taken) {
          model.answers(pipeline);
          one.request.taken(pipeline, taken.requestId);
        } else {
          const failure = new CallFailure(canisterReject, taken.refusal);
          const next = this.refuse(one, pipeline, describeCallFailure(failure, pipeline[0]!, 0));
          if (next) again.push(next);
        }
      }
      this.offerAll(again);
      for (const ended of reply.ended) this.onEnded(pipeline, ended);
    } catch (error) {
      this.callFailed(pipeline, group, error);
    }
  }

  private async call(
    pipeline: Pipeline,
    group: readonly Offered[],
  ): Promise<{ taken: ReturnType<typeof decodeTaken>; ended: EndedRun[] }> {
    const { epoch } = group[0]!.request.model;
    const runs = group.map(({ request }) => request.run);
    const message = encodeTogether(runs, { epoch, coordinatorLoad: this.ownLoad.instructions });
    const reply = await callWorker(this.ic, pipeline[0]!, 0, 'enqueue', message);
    const input = new ByteReader(reply, 'reply of enqueue');
    const taken = decodeTaken(input, group.length);
    return { taken, ended: decodeEndedRuns(input) };
  }

  /** Where one request may be to blame for what became of all, each is offered again by itself. */
  private callFailed(pipeline: Pipeline, group: readonly Offered[], error: unknown): void {
    if (!(error instanceof CoordinatorError)) {
      const trapped = error instanceof CleanupOnly;
      for (const { request } of group) request.refused(trapped ? lostAnswer() : error);
      return;
    }
    if (group.length > 1 && mayBeOfOne.has(error.kind.code)) {
      for (const one of group) void this.offerTo(pipeline, [one]);
      return;
    }
    const again = group.map((one) => this.refuse(one, pipeline, error));
    this.offerAll(again.filter((one) => one !== undefined));
  }

  /**
   * The request as it is offered to the next pipeline. Undefined where there is none: then it waits, where one
   * of them may take it later, or is told.
   */
  private refuse(one: Offered, pipeline: Pipeline, error: CoordinatorError): Offered | undefined {
    const { request } = one;
    const now = this.ic.now();
    const mayGoOn = noteRefusal(request.model, pipeline, error, now);
    if (!mayGoOn) {
      request.refused(error);
      return undefined;
    }
    const refusal = moreHelpful(one.refusal, error);
    const sinceNs = one.sinceNs ?? (isAway(error) ? now : undefined);
    const pipelines = one.pipelines.slice(1);
    if (pipelines.length > 0) return { request, pipelines, refusal, sinceNs };
    if (sinceNs === undefined || !refusal.kind.retryable) request.refused(refusal);
    else this.away.keep({ request, sinceNs }, refusal);
    return undefined;
  }
}

/** Cuts a group so that each part fits a message. */
function inMessages(group: readonly Offered[]): Offered[][] {
  const parts: Offered[][] = [];
  let bytes = 0;
  for (const one of group) {
    const { length } = one.request.run;
    const last = parts.at(-1);
    if (last && last.length < maxRunsOfCall && bytes + length <= mostJoinedBytes) {
      last.push(one);
      bytes += length;
    } else {
      parts.push([one]);
      bytes = length;
    }
  }
  return parts;
}

/** Reject code of the interface specification: the canister itself rejected the call. */
const canisterReject = 4;
const mayBeOfOne = new Set<string>([
  CanisterError.trapped.code,
  CanisterError.badMessage.code,
  CanisterError.outOfMemory.code,
]);

function lostAnswer(): CoordinatorError {
  return new CoordinatorError(
    CanisterError.cancelled,
    'the coordinator trapped when the head answered: ask again',
  );
}

import { decodeIds, encodeHeld } from '@canopy/protocol';
import { Alarm } from '../ic/alarm.js';
import type { Ic, PrincipalLike } from '../ic/ic.js';
import type { Model, ModelRegistry, Pipeline } from '../registry/models.js';
import { keeperOf, type Placed, type TicketStore } from '../registry/tickets.js';
import type { Releases } from './releases.js';
import type { Gathered } from './together.js';

/** What the coordinator knows of results. */
interface Knowledge {
  readonly ic: Ic;
  readonly models: ModelRegistry;
  readonly tickets: TicketStore;
  readonly releases: Releases;
  readonly gathered: Gathered;
}

/** Seconds between looks. A result that no ticket stands for in two of them is nobody's. */
const lookSeconds = 600;

/** A result by the head that knows it and its number there. */
const keyOf = (head: PrincipalLike, requestId: bigint): string =>
  `${requestId.toString()} ${head.toText()}`;

/**
 * Results that workers keep and no ticket stands for: the coordinator gave the tickets before a snapshot of it
 * was loaded or it was installed anew, or lost the head's answer. They are looked for from time to time while
 * there are requests or results, and released.
 */
export class Orphans {
  /** Found by the last look. */
  private suspects = new Set<string>();
  private hadRequests = false;
  private readonly alarm: Alarm;

  constructor(private readonly coordinator: Knowledge) {
    this.alarm = new Alarm(coordinator.ic, lookSeconds, () => void this.look());
  }

  /** There may be results later. */
  watch(): void {
    this.hadRequests = true;
    this.alarm.set();
  }

  /**
   * Asks all workers that keep results what they hold. Requests go to a head that were gathered and are still
   * here: the canister's message to itself was refused, and no request came since.
   */
  async look(): Promise<void> {
    this.coordinator.gathered.handOver();
    const { models, releases, ic } = this.coordinator;
    const hadRequests = this.hadRequests;
    this.hadRequests = false;
    const held = (await Promise.all(models.usable().map((model) => this.heldBy(model)))).flat();
    // What came to be known meanwhile counts.
    const known = this.known();
    const unknown = held.filter(({ head, requestId }) => !known.has(keyOf(head, requestId)));
    const orphans = unknown.filter((one) => this.suspects.has(keyOf(one.head, one.requestId)));
    this.suspects = new Set(unknown.map(({ head, requestId }) => keyOf(head, requestId)));
    for (const orphan of orphans) releases.add(orphan);
    if (orphans.length > 0) {
      ic.log(`${orphans.length} results that no ticket stands for are released`);
    }
    if (held.length > 0 || hadRequests) this.alarm.set();
  }

  private known(): Set<string> {
    const { tickets, releases } = this.coordinator;
    const placed = tickets.all().flatMap((ticket) => ticket.placed ?? []);
    return new Set(
      [...placed, ...releases.save()].map(({ head, requestId }) => keyOf(head, requestId)),
    );
  }

  private async heldBy(model: Model): Promise<Placed[]> {
    const lists = model.pipelines.flatMap((pipeline) => {
      const keeper = keeperOf(model.plan, pipeline);
      // Runs that failed are kept by the head in any case.
      const places = keeper.stage === 0 ? [keeper.worker] : [keeper.worker, pipeline[0]!];
      return places.map((worker) => this.idsAt(worker, model, pipeline));
    });
    return (await Promise.all(lists)).flat();
  }

  /** One that does not answer has nothing to be released now. */
  private async idsAt(worker: PrincipalLike, model: Model, pipeline: Pipeline): Promise<Placed[]> {
    const { plan, epoch } = model;
    try {
      const reply = await this.coordinator.ic.call(worker, 'held', encodeHeld(epoch));
      const place = { head: pipeline[0]!, keeper: keeperOf(plan, pipeline), epoch };
      return decodeIds(reply).map((requestId) => ({ ...place, requestId }));
    } catch {
      return [];
    }
  }
}

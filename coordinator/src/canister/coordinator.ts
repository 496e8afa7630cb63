import type { Ic } from './ic/ic.js';
import { OpenCalls } from './ic/open-calls.js';
import { Orphans } from './pipeline/orphans.js';
import { OwnLoad } from './pipeline/own-load.js';
import { Releases } from './pipeline/releases.js';
import { RequestLog } from './metrics/requests.js';
import { ModelRegistry } from './registry/models.js';
import { AnswerStore } from './registry/answers.js';
import { NumberStore } from './registry/numbers.js';
import { TicketStore, type Placed } from './registry/tickets.js';

/** A head answers long before: it lets a call look for its result 1,000 times. */
const longestInFlightNs = 3600n * 1_000_000_000n;

/** All state of the canister, handed to each method. */
export class Coordinator {
  readonly models = new ModelRegistry();
  readonly tickets = new TicketStore();
  readonly numbers = new NumberStore();
  readonly answers = new AnswerStore();
  /** Released requests of which it is still asked what they cost. */
  readonly settling = new Set<Placed>();
  /** Requests on their way to a head, or waiting there; a snapshot may hold some that are not. */
  readonly inFlight: OpenCalls;
  readonly requests: RequestLog;
  readonly releases: Releases;
  readonly ownLoad: OwnLoad;
  readonly orphans: Orphans;
  constructor(readonly ic: Ic) {
    this.inFlight = new OpenCalls(() => ic.now(), undefined, longestInFlightNs);
    this.releases = new Releases(ic);
    this.ownLoad = new OwnLoad(ic);
    this.orphans = new Orphans(this);
    this.requests = new RequestLog(
      (bytes) => ic.principal(bytes),
      () => ic.version(),
    );
  }
}

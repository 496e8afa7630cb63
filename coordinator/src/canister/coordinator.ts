import { CoordinatorLoad } from '@canopy/protocol';
import { Handles } from './access/handles.js';
import { CyclesGuard } from './admission/cycles.js';
import { AccessPolicy } from './access/policy.js';
import { Usage } from './access/usage.js';
import type { Ic } from './ic/ic.js';
import { OpenCalls } from './ic/open-calls.js';
import { logReleased, logUnasked } from './pipeline/log-end.js';
import { Orphans } from './pipeline/orphans.js';
import { Gathered } from './pipeline/together.js';
import { Releases } from './pipeline/releases.js';
import { RequestLog } from './metrics/requests.js';
import { ModelRegistry } from './registry/models.js';
import { AnswerStore } from './registry/answers.js';
import { NumberStore } from './registry/numbers.js';
import { TicketStore } from './registry/tickets.js';

/** A head answers long before: it lets a call look for its result 1,000 times. */
const longestInFlightNs = 3600n * 1_000_000_000n;

/** All state of the canister, handed to each method. */
export class Coordinator {
  readonly models = new ModelRegistry();
  readonly tickets = new TicketStore();
  readonly numbers = new NumberStore();
  readonly answers = new AnswerStore();
  /** Requests on their way to a head, or waiting there; a snapshot may hold some that are not. */
  readonly inFlight: OpenCalls;
  readonly cycles: CyclesGuard;
  readonly policy: AccessPolicy;
  readonly usage: Usage;
  readonly handles: Handles;
  readonly requests: RequestLog;
  readonly releases: Releases;
  /** What requests take of this canister's thread. */
  readonly ownLoad = new CoordinatorLoad();
  readonly gathered: Gathered;
  readonly orphans: Orphans;

  constructor(readonly ic: Ic) {
    this.inFlight = new OpenCalls(() => ic.now(), undefined, longestInFlightNs);
    this.cycles = new CyclesGuard(ic);
    this.policy = new AccessPolicy(ic);
    this.usage = new Usage(ic, this.policy);
    this.handles = new Handles(ic);
    this.releases = new Releases(ic, (released, head, ended) => {
      if (released?.ticket !== undefined) logReleased(this, released.ticket, head, ended);
      else if (ended !== undefined) logUnasked(this, head, ended);
    });
    this.gathered = new Gathered(ic, this.ownLoad, ([head], ended) => {
      logUnasked(this, head!, ended);
    });
    this.orphans = new Orphans(this);
    this.requests = new RequestLog(
      (bytes) => ic.principal(bytes),
      () => ic.version(),
    );
  }
}

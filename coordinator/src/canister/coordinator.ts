import type { Ic } from './ic/ic.js';
import { logReleased, logUnasked } from './pipeline/log-end.js';
import { Gathered } from './pipeline/together.js';
import { OwnLoad } from './pipeline/own-load.js';
import { Releases } from './pipeline/releases.js';
import { RequestLog } from './metrics/requests.js';
import { ModelRegistry } from './registry/models.js';
import { AnswerStore } from './registry/answers.js';
import { NumberStore } from './registry/numbers.js';
import { TicketStore } from './registry/tickets.js';

/** All state of the canister, handed to each method. */
export class Coordinator {
  readonly models = new ModelRegistry();
  readonly tickets = new TicketStore();
  readonly numbers = new NumberStore();
  readonly answers = new AnswerStore();
  readonly requests: RequestLog;
  readonly releases: Releases;
  readonly ownLoad: OwnLoad;
  readonly gathered: Gathered;
  constructor(readonly ic: Ic) {
    this.releases = new Releases(ic, (released, head, ended) => {
      if (released?.ticket !== undefined) logReleased(this, released.ticket, head, ended);
      else if (ended !== undefined) logUnasked(this, head, ended);
    });
    this.ownLoad = new OwnLoad(ic);
    this.gathered = new Gathered(ic, this.ownLoad, ([head], ended) => {
      logUnasked(this, head!, ended);
    });
    this.requests = new RequestLog((bytes) => ic.principal(bytes));
  }
}

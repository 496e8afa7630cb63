/** The coordinator canister's methods; what they do is in the folders beside this file. */
import { StableBTreeMap, postUpgrade, preUpgrade, query, update, type Principal } from 'azle';
import { methods } from './api/candid.js';
import { RequestReply, respond, respondOrErr } from './api/respond.js';
import {
  readNat64,
  readNat64AndNat32,
  readRequest,
  writeDoneReply,
  writeFetchReply,
  writeInferReply,
  writeSubmitReply,
} from './api/request-codec.js';
import { countersView, modelView, requestView } from './api/views.js';
import { Coordinator } from './coordinator.js';
import { azleIc, openCalls } from './ic/azle-ic.js';
import { requestLogLimit } from './metrics/requests.js';
import { cancel, fetchAndLog, fetchPart, release } from './pipeline/fetch.js';
import { infer, submit } from './pipeline/infer.js';
import { registerModel, unregisterModel } from './registry/register.js';
import {
  restoreAnswer,
  restoreModels,
  restoreTraffic,
  saveAnswer,
  saveModels,
  saveTraffic,
  type SavedModel,
  type SavedTraffic,
} from './state.js';

const manual = { manual: true } as const;
const compositeManual = { manual: true, composite: true } as const;
const stateKey = 'state';
/** Stable memory lives through upgrades: models are written when they change, the rest before one. */
const stableModels = new StableBTreeMap<string, SavedModel[]>(0);
const stableTraffic = new StableBTreeMap<string, SavedTraffic>(1);
const asTheyAre = {
  toBytes: (bytes: Uint8Array) => bytes,
  fromBytes: (bytes: Uint8Array) => bytes,
};
const stableAnswers = new StableBTreeMap<bigint, Uint8Array>(2, undefined, asTheyAre);

/** What the log of requests, the tickets and the numbers take once they are full. */
const reservedBytes = 2 * 1024 * 1024;
/** Allocated and let go: the heap then has room for them, and does not grow while requests come. */
new ArrayBuffer(reservedBytes);

const coordinator = new Coordinator(azleIc);
/** Samples of replies: a byte for the variant's case, then a nat64, or two nat32. */
const ticketSample = { value: { ticket: 0n }, bytes: 9 };
const pendingSample = { value: { pending: { done: 0, total: 0 } }, bytes: 9 };

const m = methods;
const inferReply = new RequestReply(
  m.infer,
  readRequest,
  (model, inputs, [number]) => infer(coordinator, model, inputs, number),
  writeInferReply,
  ticketSample,
);
const submitReply = new RequestReply(
  m.submit,
  readRequest,
  (model, inputs, [number]) => submit(coordinator, model, inputs, number),
  writeSubmitReply,
  { value: { ok: 0n }, bytes: 9 },
);
const fetchReply = new RequestReply(
  m.fetch,
  readNat64AndNat32,
  (ticket, offset) => fetchPart(coordinator, ticket, offset),
  writeFetchReply,
  pendingSample,
);
const fetchUpdateReply = new RequestReply(
  m.fetch_update,
  readNat64AndNat32,
  (ticket, offset) => fetchAndLog(coordinator, ticket, offset),
  writeFetchReply,
  pendingSample,
);
const releaseReply = new RequestReply(
  m.release,
  readNat64,
  (ticket) => release(coordinator, ticket),
  writeDoneReply,
  { value: { ok: null }, bytes: 1 },
);

const cancelReply = new RequestReply(
  m.cancel,
  readNat64,
  (number) => cancel(coordinator, number),
  writeDoneReply,
  { value: { ok: null }, bytes: 1 },
);

export default class CoordinatorCanister {
  @update(m.register_model.argTypes, m.register_model.retTypes[0], manual)
  register_model(): Promise<void> {
    return respondOrErr(
      m.register_model,
      async (model: { name: string; plan: string; workers: Principal[] }) => {
        await registerModel(coordinator, model.name, model.plan, model.workers);
        coordinator.orphans.watch();
        stableModels.insert(stateKey, saveModels(coordinator));
      },
    );
  }

  @update(m.unregister_model.argTypes, m.unregister_model.retTypes[0], manual)
  unregister_model(): Promise<void> {
    return respondOrErr(m.unregister_model, (name: string) => {
      unregisterModel(coordinator, name);
      stableModels.insert(stateKey, saveModels(coordinator));
    });
  }

  @query(m.models.argTypes, m.models.retTypes[0], manual)
  models(): Promise<void> {
    return respond(m.models, () => coordinator.models.all().map(modelView));
  }

  @update(m.infer.argTypes, m.infer.retTypes[0], manual)
  infer(): Promise<void> {
    return inferReply.respond();
  }

  @update(m.submit.argTypes, m.submit.retTypes[0], manual)
  submit(): Promise<void> {
    return submitReply.respond();
  }

  @query(m.fetch.argTypes, m.fetch.retTypes[0], compositeManual)
  fetch(): Promise<void> {
    return fetchReply.respond();
  }

  @update(m.fetch_update.argTypes, m.fetch_update.retTypes[0], manual)
  fetch_update(): Promise<void> {
    return fetchUpdateReply.respond();
  }

  @update(m.release.argTypes, m.release.retTypes[0], manual)
  release(): Promise<void> {
    return releaseReply.respond();
  }

  @update(m.cancel.argTypes, m.cancel.retTypes[0], manual)
  cancel(): Promise<void> {
    return cancelReply.respond();
  }

  @query(m.requests.argTypes, m.requests.retTypes[0], manual)
  requests(): Promise<void> {
    return respond(m.requests, (limit: number) => {
      const caller = azleIc.caller();
      const whose = azleIc.isController(caller) ? undefined : caller;
      return coordinator.requests.latest(Math.min(limit, requestLogLimit), whose).map(requestView);
    });
  }

  @query(m.metrics.argTypes, m.metrics.retTypes[0], manual)
  metrics(): Promise<void> {
    return respond(m.metrics, () =>
      countersView(coordinator.requests.counters, coordinator.inFlight.count),
    );
  }

  @preUpgrade
  save(): void {
    openCalls.refuseUpgrade();
    for (const ticket of coordinator.answers.tickets()) {
      stableAnswers.insert(ticket, saveAnswer(coordinator.answers.find(ticket)!));
    }
    stableTraffic.insert(stateKey, saveTraffic(coordinator));
  }

  @postUpgrade([], manual)
  restore(): void {
    restoreModels(coordinator, stableModels.get(stateKey) ?? []);
    const traffic = stableTraffic.get(stateKey);
    for (const ticket of traffic?.answers ?? []) {
      const saved = stableAnswers.remove(ticket);
      if (saved !== undefined) restoreAnswer(coordinator, ticket, saved);
    }
    if (traffic !== undefined) restoreTraffic(coordinator, traffic);
    stableTraffic.remove(stateKey);
    coordinator.orphans.watch();
  }
}

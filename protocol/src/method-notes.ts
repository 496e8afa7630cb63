/** What the methods of {@link coordinatorMethods} and {@link workerMethods} do, for `docs/methods.md`. */
import type { coordinatorMethods, workerMethods } from './methods.js';

export const coordinatorNotes: Record<keyof typeof coordinatorMethods, string> = {
  register_model: 'makes a model known whose workers are ready',
  unregister_model: 'forgets a model',
  plan: 'the whole plan of a model and its workers, in parts',
  models: 'what is needed to call the models, in pages',
  infer: 'runs a model and waits',
  submit: 'begins a request and gives a ticket',
  fetch: "a result, of one's own tickets; owners: of all but anonymous ones",
  fetch_update: 'the same, agreed by consensus',
  release: "forgets a result, of one's own tickets; owners: of all but anonymous ones",
  cancel: "cancels one's own request of a number",
  hand_over: 'hands the requests to their heads that came together',
  requests: "the log, in pages: one's own requests; operators: all; anonymous callers: none",
  metrics: 'sums over all requests',
  access: 'who may do what, and quotas',
  set_access: 'says who may do what, all at once',
  my_access: "one's own role, and what is left of one's quota today",
  why_refused:
    'why the canister does not take a message of the caller, before it is charged for it',
  http_request: 'web pages: figures for Prometheus at `/metrics`, which name no caller',
};

export const workerNotes: Record<keyof typeof workerMethods, string> = {
  configure: 'its place in the pipeline',
  put_chunk: 'a part of its shard',
  load: 'begins to load the shard',
  status: 'state, counters, memory, configuration',
  chunks: 'which parts of the shard are held',
  enqueue: 'first stage: a run',
  fetch: 'part of a result that is kept here',
  held: 'runs of which results are kept here',
  release: 'forgets results, cancels runs',
  run: 'tasks from the stage before',
  done: 'first stage: results of the last',
  fail: 'first stage: why a task came to nothing',
  news: 'first stage: tasks that a stage still has',
  step: 'goes on with the work',
  wake: 'lets a waiting call look',
};

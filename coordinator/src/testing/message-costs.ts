/**
 * What the coordinator's messages cost, one by one, with a head that answers what it is told:
 *
 *     node scripts/build.mjs && node coordinator/dist/testing/message-costs.js
 *
 * A row is a message: an ingress message, or the callback of the call it made to the head. Pages
 * are 64 KiB pages of the heap; each costs 80,000 when touched and 80,000 when written.
 */
import type { Principal } from '@dfinity/principal';
import type { ExecutionObserver } from '@canopy/local-ic';
import { readyStatus } from './worker-status.js';
import { ByteWriter, encodeBundle, parsePlan } from '@canopy/protocol';
import { requestLogLimit } from '../canister/metrics/requests.js';
import { coordinatorWasmGz } from '../index.js';
import { alice, bob, failedResult, samplePlan } from './fake-ic.js';
import { IcNetwork } from './ic-network.js';
import { scriptedWorker } from './scripted-worker.js';

const stageCount = 4;
/** Models, with the bytes of a row in and out. */
const sizes = { small: [256, 40], image: [602_112, 4000], map: [256, 1_060_000] } as const;
type ModelName = keyof typeof sizes;

interface Message {
  instructions: number;
  touchedPages: number;
  writtenPages: number;
}

const network = new IcNetwork();
const coordinator = network.create(alice);
const workers = await installAll();

async function installAll(): Promise<Principal[]> {
  network.install(alice, coordinator, coordinatorWasmGz());
  const module = await scriptedWorker();
  const created = Array.from({ length: stageCount }, () => {
    const worker = network.create(alice);
    network.install(alice, worker, module);
    return worker;
  });
  for (const name of Object.keys(sizes) as ModelName[]) {
    const plan = parsePlan(planText(name));
    created.forEach((worker, stage) => {
      const status = readyStatus(plan, stage, coordinator, created);
      network.update(alice, worker, 'script status', status);
    });
    const reply = network.call(alice, coordinator, 'register_model', [
      { name, plan: planText(name), workers: created },
    ]);
    if (!('ok' in (reply as object))) throw new Error(JSON.stringify(reply));
  }
  return created;
}

function planText(name: ModelName): string {
  const sample = samplePlan();
  const [inBytes, outBytes] = sizes[name];
  const stages = Array.from({ length: stageCount }, (_, index) => ({
    ...sample.stages[0]!,
    index,
    shardHash: (index * 0x11).toString(16).padStart(2, '0').repeat(32),
    inputs: [index === 0 ? 'x' : 'h'],
    outputs: [index === stageCount - 1 ? 'y' : 'h'],
  }));
  return JSON.stringify({
    ...sample,
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', inBytes / 4] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', outBytes / 4] }],
    microBatchRows: 1,
    resultsStay: false,
    stages,
  });
}

function inputs(model: ModelName, rows: number): Uint8Array {
  const [bytes] = sizes[model];
  const data = new Uint8Array(rows * bytes);
  return encodeBundle([{ name: 'x', dtype: 'float32', dims: [rows, bytes / 4], data }]);
}

/** A result as the head sends it: a task for each row, with a trace of each stage. */
function done(model: ModelName, rows: number): Uint8Array {
  const [, bytes] = sizes[model];
  const output = { name: '', dtype: 'float32', dims: [1, bytes / 4] } as const;
  const bundle = encodeBundle([{ ...output, data: new Uint8Array(bytes) }]);
  const out = new ByteWriter().u32(0).u64(7n).u32(rows);
  for (let row = 0; row < rows; row++) {
    out.u32(stageCount);
    for (let stage = 0; stage < stageCount; stage++) {
      out.u64(123_456_789n).u32(1).u32(2000).u32(2000).u32(70_000).u64(0n);
    }
    out.u32(bundle.length).bytes(bundle);
  }
  return out.finish();
}

function script(name: 'enqueue' | 'fetch', bytes: Uint8Array): void {
  network.update(alice, workers[0], `script ${name}`, bytes);
}

const pending = new ByteWriter().u32(3).u64(9n).u32(1).u32(4).finish();
const requestId = new ByteWriter().u64(9n).finish();

function fetchReply(result: Uint8Array): Uint8Array {
  return new ByteWriter().u32(1).u32(result.length).bytes(result).finish();
}

/** Calls a method and gives its reply and the messages the coordinator executed for it. */
function measure(method: string, args: unknown[]): { reply: unknown; messages: Message[] } {
  const messages: Message[] = [];
  let reply: unknown;
  const watch: ExecutionObserver = ({ instructions, finished }) => {
    messages.push({
      instructions,
      touchedPages: finished?.touched?.readWasmPages ?? 0,
      writtenPages: finished?.touched?.writtenWasmPages ?? 0,
    });
  };
  network.observe(coordinator, watch, () => {
    reply = network.call(bob, coordinator, method, args);
  });
  return { reply, messages };
}

function millions(instructions: number): string {
  return `${(instructions / 1e6).toFixed(2).padStart(8)} M`;
}

function print(title: string, messages: readonly Message[]): void {
  const total = messages.reduce((sum, message) => sum + message.instructions, 0);
  console.log(`${title.padEnd(40)}${millions(total)}`);
  messages.forEach(({ instructions, touchedPages, writtenPages }, index) => {
    const name = `  ${index === 0 ? 'ingress' : 'callback'}`.padEnd(40);
    console.log(`${name}${millions(instructions)}, ${touchedPages} pages, ${writtenPages} written`);
  });
}

/** Measures a call a few times, for the canister to be warm, prints its last run; gives its reply. */
function show(title: string, method: string, args: (run: number) => unknown[]): unknown {
  const repeats = 3;
  for (let run = 1; run < repeats; run++) measure(method, args(run));
  const { reply, messages } = measure(method, args(repeats));
  print(title, messages);
  return reply;
}

function submit(): bigint {
  script('enqueue', requestId);
  const reply = network.call(bob, coordinator, 'submit', ['small', inputs('small', 1)]);
  return (reply as { ok: bigint }).ok;
}

function infer(title: string, model: ModelName, rows: number, reply: Uint8Array): void {
  script('enqueue', reply);
  show(title, 'infer', () => [model, inputs(model, rows)]);
}

// The log of requests is full from here on, as in a canister that works.
script('enqueue', done('small', 1));
for (let request = 0; request < requestLogLimit; request++)
  measure('infer', ['small', inputs('small', 1)]);

infer('infer, 1 row', 'small', 1, done('small', 1));
infer('infer, 33 rows', 'small', 33, done('small', 33));
infer('infer, 602 KB in', 'image', 1, done('image', 1));
infer('infer, 1.06 MB out', 'map', 1, done('map', 1));
infer('infer, a stage failed', 'small', 1, failedResult(9n, 1, '[out-of-memory] node "conv"'));
infer('infer, answered with a ticket', 'small', 1, pending);
script('enqueue', requestId);
show('submit', 'submit', () => ['small', inputs('small', 1)]);
script('fetch', new ByteWriter().u32(0).u32(pending.length).bytes(pending).finish());
const waiting = submit();
show('fetch_update, pending', 'fetch_update', () => [waiting, 0]);
script('fetch', fetchReply(done('small', 1)));
show('fetch_update, 1 row', 'fetch_update', () => [submit(), 0]);
script('fetch', fetchReply(done('map', 1)));
show('fetch_update, 1.06 MB', 'fetch_update', () => [submit(), 0]);
show('release', 'release', () => [submit()]);

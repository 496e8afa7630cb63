import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { viewAs } from '@canopy/client';
import { readNpy, writeNpy } from './tensors/npy.js';
import { runCanopy, type Ended } from './testing/command.js';

const localIc = fileURLToPath(new URL('../../local-ic/bin/local-ic.js', import.meta.url));
const model = fileURLToPath(
  new URL('../../pocketic-tests/models/digits-cnn/model.onnx', import.meta.url),
);
let folder = '';

/** Runs the built command in a folder of its own. */
function canopy(...args: string[]): Promise<Ended> {
  return runCanopy(args, { cwd: folder, env: { POCKET_IC_BIN: localIc } });
}

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await canopy('--json', ...args);
  if (code !== 0) throw new Error(`canopy ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

async function manifest(name: string): Promise<{ coordinator: string; workers: string[] }> {
  const text = await readFile(join(folder, '.canopy', 'deployments', `${name}.json`), 'utf8');
  return JSON.parse(text) as { coordinator: string; workers: string[] };
}

/** A page of a canister, of the HTTP gateway at `url`; fetch() lets nobody choose the host. */
async function page(url: string, canister: string, path: string): Promise<[number, string]> {
  const { port } = new URL(url);
  const host = `${canister}.localhost`;
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve([response.statusCode!, Buffer.concat(parts).toString()]);
      });
    }).on('error', reject);
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canopy-cli-'));
  await json('local', 'start');
});
afterAll(async () => {
  await canopy('local', 'stop');
  await rm(folder, { recursive: true });
});

test('deploys a model on the local IC', async () => {
  expect(await json('local', 'status')).toMatchObject({ running: true });
  const deployed = (await json('deploy', model, '--name', 'digits', '--workers', '2')) as {
    coordinator: string;
    workers: string[];
  };
  expect(deployed).toMatchObject({ model: 'digits', ready: true });
  expect(new Set([deployed.coordinator, ...deployed.workers]).size).toBe(3);
});

test('runs it as onnxruntime does', async () => {
  const deployed = await manifest('digits');
  const dims = [3, 1, 8, 8];
  const pixels = Float32Array.from({ length: 3 * 64 }, (_, index) => (index % 17) / 16);
  const data = new Uint8Array(pixels.buffer);
  await writeFile(join(folder, 'image.npy'), writeNpy({ dtype: 'float32', dims, data }));
  const reference = await (
    await InferenceSession.create(model)
  ).run({ image: new Tensor('float32', pixels, dims) });
  const expected = reference['logits']!.data as Float32Array;

  const files = ['--input', 'image=image.npy'];
  const result = (await json('run', 'digits', ...files, '--output', 'results')) as {
    outputs: { logits: { type: string; dims: number[]; file: string } };
    detail: { stages: { worker: string; instructions: number }[] };
  };
  expect(result.outputs.logits).toMatchObject({ type: 'float32', dims: [3, 10] });
  const logits = readNpy(await readFile(join(folder, result.outputs.logits.file)));
  viewAs('float32', logits.data).forEach((value, index) => {
    expect(Math.abs(Number(value) - expected[index]!)).toBeLessThan(1e-3);
  });
  expect(result.detail.stages.map((stage) => stage.worker)).toEqual(deployed.workers);

  const printed = (await json('run', 'digits', ...files, '--output', '-')) as {
    outputs: { logits: { data: number[][] } };
  };
  expect(printed.outputs.logits.data.flat()).toEqual(
    Array.from(expected, (value) => expect.closeTo(value, 3) as unknown),
  );
});

test('deploying it again finds all there', async () => {
  const { workers } = await manifest('digits');
  const again = await json('deploy', model, '--name', 'digits', '--workers', '2');
  expect(again).toMatchObject({ workers });
  expect(await json('status')).toMatchObject([{ name: 'digits', state: 'ready', workers: 2 }]);
  expect(await json('status', 'digits')).toMatchObject({
    metrics: { requests: 2, failed: 0 },
    workers: [{ state: 'ready' }, { state: 'ready' }],
  });
});

test('the HTTP gateway gives the figures of the coordinator to everybody', async () => {
  const { url } = (await json('local', 'status')) as { url: string };
  const { coordinator, workers } = await manifest('digits');
  const [status, text] = await page(url, coordinator, '/metrics');
  expect([status, text]).toEqual([200, expect.any(String)]);
  const lines = text.split('\n');
  expect(lines).toContain('canopy_requests_total{model="digits",outcome="done"} 2');
  expect(lines).toContain('canopy_request_instructions_count{model="digits"} 2');
  expect(lines).toContain('canopy_request_duration_seconds_count{model="digits"} 2');
  workers.forEach((worker, stage) => {
    const labels = `model="digits",canister="${worker}",place="stage ${stage}"`;
    expect(lines).toContain(`canopy_worker_ready{${labels}} 1`);
  });
  const figure = (name: string): number =>
    Number(new RegExp(`^${name}\\{canister="${coordinator}".* (\\d+)$`, 'm').exec(text)?.[1]);
  expect(figure('canopy_canister_memory_bytes')).toBeGreaterThan(1024 ** 2);
  expect(figure('canopy_canister_freezing_cycles')).toBeGreaterThan(0);
  const told = figure('canopy_canister_cycles');
  const { canisters } = (await json('top', 'digits', '--once', '--every', '10ms')) as {
    canisters: { cycles: number | string }[];
  };
  const known = Number(canisters[0]!.cycles);
  expect(Math.abs(told - known) / known).toBeLessThan(0.01);
  expect((await page(url, coordinator, '/'))[0]).toBe(404);
});

test('deploys several pipelines, and shows where each worker stands', async () => {
  const pipelines = ['--workers', '4', '--pipelines', '2'];
  const deployed = (await json('deploy', model, '--name', 'twice', ...pipelines)) as {
    workers: string[];
    stages: unknown[];
  };
  expect(deployed.workers).toHaveLength(4);
  expect(deployed.stages).toHaveLength(2);
  const { stdout } = await canopy('status', 'twice');
  deployed.workers.forEach((worker, index) => {
    const place = `pipeline ${Math.floor(index / 2)}, stage ${index % 2}`;
    expect(stdout).toMatch(new RegExp(`${place} +${worker} +ready`));
  });
});

test('another cut of the same name is refused', async () => {
  const refused = await canopy('deploy', model, '--name', 'twice', '--workers', '2');
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain(
    'the manifest belongs to another cut of the model (2 pipelines of 2 stages',
  );
  expect(refused.stderr).toContain('--fresh deploys anew');
});

test('an input of the wrong shape is refused with what is expected', async () => {
  await writeFile(join(folder, 'flat.json'), '[[0, 1], [2, 3]]');
  const { code, stderr } = await canopy('--quiet', 'run', 'digits', '--input', 'image=flat.json');
  expect(code).toBe(1);
  expect(stderr).toContain(
    'canopy: input "image": expected float32[batch,1,8,8], given float32[2,2]: ' +
      'it must have 4 dimensions, not 2',
  );
});

const load = ['bench', model, '--workers', '1', '--concurrency', '1'];

test('a model is measured on a PocketIC server', async () => {
  const run = { model: 'digits-cnn', way: 'd', sliceFullness: null };
  const pocketIc = await json(...load, '--ic', 'pocket-ic');
  expect(pocketIc).toMatchObject({
    ic: { kind: 'pocket-ic', version: expect.stringMatching(/^canopy local-ic /) as unknown },
    runs: [{ way: 'a' }, { ...run, unit: 'round', rounds: { median: 1 } }],
  });
});

test('a model is measured on a replica', async () => {
  const { url } = (await json('local', 'status')) as { url: string };
  const replica = await canopy('--quiet', ...load, '--replica', url);
  expect(replica).toMatchObject({ code: 0, stderr: '' });
  expect(replica.stdout).toContain(`Measured on a replica at ${url}.`);
  expect(replica.stdout).toContain('inferences a second');
});

/** What becomes of deployments when ICs, commands and users come in each other's way; the built command. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { floatConstant, makeNode, writeOnnx, type Graph } from '@canopy/partitioner';
import { runCanopy, startCanopy, type Ended, type RunningCommand } from './testing/command.js';

const localIc = fileURLToPath(new URL('../../local-ic/bin/local-ic.js', import.meta.url));
let folder = '';
const options = (): { cwd: string; env: Record<string, string> } => ({
  cwd: folder,
  env: { POCKET_IC_BIN: localIc, TMPDIR: folder },
});
const canopy = (...args: string[]): Promise<Ended> => runCanopy(args, options());
const start = (...args: string[]): RunningCommand => startCanopy(args, options());

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await canopy('--json', ...args);
  if (code !== 0) throw new Error(`canopy ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

/** A graph of one float input `[N, width]`. */
function graphOf(input: string, width: number, nodes: Graph['nodes']): Graph {
  const value = (name: string): Graph['inputs'][number] => ({
    name,
    dtype: 'float32',
    dims: ['N', width],
  });
  return {
    name: 'test',
    opsets: new Map([['', 17]]),
    inputs: [value(input)],
    outputs: [value('y')],
    nodes,
    constants: new Map(),
  };
}

const width = 1024;

/** The product with the unit matrix, and of that what is above 0, or its opposite: quickly planned. */
function small(last: 'Relu' | 'Neg'): Graph {
  const graph = graphOf('x=1', width, [
    makeNode('MatMul', 'product', ['x=1', 'w'], ['h']),
    makeNode(last, 'last', ['h'], ['y']),
  ]);
  const unit = Float32Array.from({ length: width * width }, (_, index) =>
    index % (width + 1) === 0 ? 1 : 0,
  );
  graph.constants.set('w', floatConstant([width, width], unit));
  return graph;
}

/** A row that begins with these numbers. */
const row = (...values: number[]): number[] => [
  ...values,
  ...Array<number>(width - values.length).fill(0),
];

/** A matrix product with 9 MiB of weights: its upload takes a while. */
function large(): Graph {
  const size = 1536;
  const graph = graphOf('x', size, [makeNode('MatMul', 'product', ['x', 'w'], ['y'])]);
  graph.constants.set('w', floatConstant([size, size], new Float32Array(size * size).fill(0.5)));
  return graph;
}

/** Four products with weights of 1 GiB in a sparse file beside the model: reading them takes seconds. */
async function writeHuge(): Promise<void> {
  const [layers, size] = [4, 8192];
  const bytes = 4 * size * size;
  const value = (at: number): string => (at === 0 ? 'x' : at === layers ? 'y' : `h${at}`);
  const nodes = Array.from({ length: layers }, (_, at) =>
    makeNode('MatMul', `product${at}`, [value(at), `w${at}`], [value(at + 1)]),
  );
  const graph = graphOf('x', size, nodes);
  for (let at = 0; at < layers; at++) {
    const read = (_: number, length: number): Uint8Array => new Uint8Array(length);
    graph.constants.set(`w${at}`, { dtype: 'float32', dims: [size, size], read });
  }
  const place = (name: string) => ({ location: 'huge.bin', offset: Number(name.slice(1)) * bytes });
  await writeFile(join(folder, 'huge.onnx'), writeOnnx(graph, [], place));
  await writeFile(join(folder, 'huge.bin'), '');
  await truncate(join(folder, 'huge.bin'), layers * bytes);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canopy-deployments-'));
  await writeFile(join(folder, 'small.onnx'), writeOnnx(small('Relu')));
  await writeFile(join(folder, 'large.onnx'), writeOnnx(large()));
  await writeFile(join(folder, 'x.json'), JSON.stringify([row(-1, 0, 2)]));
  await json('local', 'start');
});
afterAll(async () => {
  await canopy('local', 'stop');
  await rm(folder, { recursive: true });
});

async function localIcState(): Promise<{ pid: number; url: string }> {
  const text = await readFile(join(folder, '.canopy', 'local.json'), 'utf8');
  return JSON.parse(text) as { pid: number; url: string };
}

/** Files that a command makes for itself and has to remove. */
async function leftOvers(): Promise<string[]> {
  const deployments = await readdir(join(folder, '.canopy', 'deployments'));
  return [...(await readdir(folder)), ...deployments].filter((name) =>
    /canopy-plan|\.lock|\.next/.test(name),
  );
}

/** Ends the local IC and starts another at the same address. */
async function restartLocalIc(): Promise<void> {
  const { port } = new URL((await localIcState()).url);
  await canopy('local', 'stop');
  await json('local', 'start', '--port', port);
}

test('a model is deployed', async () => {
  expect(await json('deploy', 'small.onnx')).toMatchObject({ model: 'small', ready: true });
});

test('a TensorProto whose data are not aligned, for an input with "=" in its name', async () => {
  const floats = [...new Uint8Array(Float32Array.from(row(-1, 0, 2)).buffer)];
  const head = [0x08, 1, 0x08, 0x80, 0x08, 0x10, 1, 0x42, 1, 0x78];
  const proto = [...head, 0x4a, 0x80, 0x20, ...floats];
  expect((proto.length - floats.length) % 4).not.toBe(0);
  await writeFile(join(folder, 'a=b.pb'), Uint8Array.from(proto));
  const check = ['--check', 'small.onnx'];
  const run = ['run', 'small', '--input', 'x=1=a=b.pb', '--output', '-', ...check];
  expect(await json(...run)).toMatchObject({
    outputs: { y: { dims: [1, width], data: [row(0, 0, 2)] } },
    check: [{ output: 'y', largestDifference: 0, equal: true }],
  });
});

test('a run that differs from onnxruntime is told', async () => {
  await writeFile(join(folder, 'small-other.onnx'), writeOnnx(small('Neg')));
  const run = ['run', 'small', '--input', 'x=1=x.json', '--check', 'small-other.onnx'];
  const differs = await canopy('--quiet', ...run);
  expect(differs).toMatchObject({
    code: 1,
    stderr: 'canopy: "y" is not what onnxruntime gives for small-other.onnx\n',
  });
  expect(differs.stdout).toContain('y: NOT as onnxruntime, largest difference 4.00e+0 (element 2');
});

test('a manifest is not believed after another IC answers at its address', async () => {
  await restartLocalIc();
  for (const args of [
    ['run', 'small', '--input', 'x=1=x.json'],
    ['status', 'small'],
  ]) {
    const { code, stdout, stderr } = await canopy('--quiet', ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^canopy: "small" was deployed on another Internet Computer .*: deploy it again\n$/,
    );
  }
});

test('such a deployment is made anew', async () => {
  const anew = await canopy('deploy', 'small.onnx');
  expect(anew.code).toBe(0);
  expect(anew.stderr).toContain(
    'Deployed anew: the manifest is of an Internet Computer that is not',
  );
  expect(await json('run', 'small', '--input', 'x=1=x.json', '--output', '-')).toMatchObject({
    outputs: { y: { data: [row(0, 0, 2)] } },
  });
});

test('list and remove', async () => {
  expect(await json('list')).toMatchObject([{ name: 'small', state: 'ready', workers: 1 }]);
  expect((await canopy('list')).stdout).toMatch(/^name +state +workers +weights MiB/);
  expect(await canopy('remove', 'small')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('say --yes') as string,
  });
  const removed = await canopy('--quiet', 'remove', 'small', '--yes');
  expect(removed).toMatchObject({ code: 0, stderr: '' });
  expect(removed.stdout).toContain('"small" is removed: 2 canisters deleted');
  expect(await json('list')).toEqual([]);
  const again = await canopy('remove', 'small', '--yes');
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain('there is no deployment small');
});

test('a deployment belongs to the key that it was made with', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(join(folder, 'key.pem'), key);
  const identity = ['--identity', 'key.pem'];
  await json('deploy', 'small.onnx', ...identity);
  for (const args of [
    ['status', 'small'],
    ['remove', 'small', '--yes'],
  ]) {
    const { code, stderr } = await canopy('--quiet', ...args);
    expect(code).toBe(1);
    expect(stderr).toContain('managed by others');
    expect(stderr).toContain('--identity');
  }
});

test('its key may do with it what it wants', async () => {
  expect(await json('status', 'small', '--identity', 'key.pem')).toMatchObject({
    workers: [{ state: 'ready' }],
  });
  const missing = await canopy('--quiet', 'status', 'small', '--identity', 'none.pem');
  expect(missing).toMatchObject({ code: 1 });
  expect(missing.stderr).toContain('none.pem');
});

const deployLarge = ['deploy', 'large.onnx', '--name', 'mine'];

test('a second deployment of the same name is refused; Ctrl-C ends the first with 130', async () => {
  const run = start(...deployLarge);
  await run.says(/Uploading shards: [1-9]/);
  // The first holds its lock while it is stopped, and cannot end before the second has looked.
  run.process.kill('SIGSTOP');
  const second = await canopy('--quiet', 'remove', 'mine', '--yes');
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    new RegExp(
      `^canopy: .canopy/deployments/mine.json is being changed by process ${run.process.pid!} on \\S+, since`,
    ),
  );
  run.process.kill('SIGINT');
  run.process.kill('SIGCONT');
  const ended = await run.ended;
  expect(ended.code).toBe(130);
  expect(ended.stderr).toMatch(
    /\ncanopy: interrupted: the same command goes on where this one stopped\n$/,
  );
  expect(ended.stderr.match(/interrupted/g)).toHaveLength(1);
  expect(await leftOvers()).toEqual([]);
});

test('the same command goes on; an IC that is gone meanwhile is told, not waited for', async () => {
  const run = start(...deployLarge);
  await run.says(/some chunks are there already/);
  const { pid, url } = await localIcState();
  process.kill(pid, 'SIGKILL');
  const ended = await run.ended;
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain(`canopy: ${url} is gone: nothing listens there; the same command`);
  expect(ended.stderr.match(/is gone/g)).toHaveLength(1);
});

test('what was there is forgotten', async () => {
  const { url } = await localIcState();
  const after = await canopy('deploy', 'small.onnx', '--replica', url);
  expect(after.stderr).toContain(`${url} does not answer (nothing listens there)`);
  expect(await canopy('--quiet', 'remove', 'mine', '--yes')).toMatchObject({ code: 0 });
});

test('SIGTERM ends planning with 143, and leaves no intermediate files', async () => {
  await writeHuge();
  const run = start('plan', 'huge.onnx');
  await run.says(/Planning/);
  run.process.kill('SIGTERM');
  expect(await run.ended).toMatchObject({ code: 143, stdout: '' });
  expect(await leftOvers()).toEqual([]);
});

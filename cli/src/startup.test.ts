/** A command loads what it needs, when it needs it: which packages each loads, of the built command. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCanopy } from './testing/command.js';

let folder = '';
/** Notes the address of each module that is loaded. */
const hooks = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    appendFileSync(process.env.LOADED, url + '\\n');
    return next(url, context);
  }`;
const dataUrl = (script: string): string => `data:text/javascript,${encodeURIComponent(script)}`;
const register = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))});`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canopy-startup-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Folders of the repository and packages that a command loads, without those of Node itself. */
async function packagesLoaded(args: readonly string[]): Promise<Set<string>> {
  const LOADED = join(folder, 'loaded');
  await writeFile(LOADED, '');
  const nodeArgs = ['--import', dataUrl(register)];
  await runCanopy(args, { cwd: folder, env: { LOADED }, nodeArgs });
  const addresses = (await readFile(LOADED, 'utf8')).split('\n');
  const names = addresses.map((address) => {
    const installed = /node_modules\/((?:@[\w-]+\/)?[\w.-]+)\/(?!.*node_modules)/.exec(address);
    const own = /\/([\w-]+)\/(?:dist|bin|build)\//.exec(address);
    return installed?.[1] ?? own?.[1];
  });
  return new Set(names.filter((name) => name !== undefined));
}

const light = ['cli', 'commander'];
const manifests = [...light, 'client', 'protocol'];

test.each([
  [['--help'], light],
  [['--version'], light],
  [['deploy', '--help'], light],
  [['bench', '--help'], light],
  [['dance'], light],
  [['plan'], light],
  [['plan', 'model.onnx', '--max-weights', 'much'], light],
  [['bench', 'm.onnx', '--replica', 'http://127.0.0.1:1', '--ic', 'embedded'], light],
  [['operators'], [...light, 'partitioner', 'protocol']],
  [['list'], manifests],
  [['status'], manifests],
  [['remove', 'nothing'], manifests],
  [['upgrade', 'nothing'], manifests],
  [['run', 'nothing'], manifests],
])('canopy %s loads %j', async (args, packages) => {
  expect([...(await packagesLoaded(args))].sort()).toEqual([...packages].sort());
});

test('only planning loads onnxruntime, only talking to an IC the agent', async () => {
  const planning = await packagesLoaded(['plan', 'model.onnx']);
  expect(planning).toContain('onnxruntime-node');
  expect(planning).not.toContain('@dfinity/agent');
  const asking = await packagesLoaded(['local', 'status']);
  for (const heavy of ['@dfinity/agent', 'onnxruntime-node', 'listr2']) {
    expect(asking).not.toContain(heavy);
  }
});

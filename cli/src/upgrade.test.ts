/** `canopy upgrade` while requests are under way; the built command, on a local IC. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CanopySession,
  canisterStatus,
  deploy,
  httpTransport,
  type AgentTransport,
  type ReadyDeployment,
} from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { runCanopy, type Ended } from './testing/command.js';

const localIc = fileURLToPath(new URL('../../local-ic/bin/local-ic.js', import.meta.url));
const model = fileURLToPath(
  new URL('../../pocketic-tests/models/digits-cnn/model.onnx', import.meta.url),
);
let folder = '';
let deployment: ReadyDeployment;
let transport: AgentTransport;

const canopy = (...args: string[]): Promise<Ended> =>
  runCanopy(args, { cwd: folder, env: { POCKET_IC_BIN: localIc } });

async function json(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await canopy('--json', ...args);
  if (code !== 0) throw new Error(`canopy ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

/** The same module with another hash, as of another release: with a section that says nothing. */
function earlier(module: Uint8Array): Uint8Array {
  const name = Buffer.from('earlier');
  const section = Buffer.from([0, name.length + 1, name.length, ...name]);
  return gzipSync(Buffer.concat([gunzipSync(module), section]));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canopy-upgrade-'));
  await json('local', 'start');
  const local = JSON.parse(await readFile(join(folder, '.canopy', 'local.json'), 'utf8')) as {
    url: string;
    effectiveCanisterId: string;
  };
  const { url: host, effectiveCanisterId } = local;
  transport = await httpTransport({ host, effectiveCanisterId });
  const planned = await planModel(model, { name: 'digits', workers: 3 });
  try {
    deployment = await deploy(planned, {
      transport,
      host,
      modules: { coordinator: earlier(coordinatorWasmGz()), worker: earlier(workerWasmGz()) },
    });
  } finally {
    planned.close();
  }
  await mkdir(join(folder, '.canopy', 'deployments'), { recursive: true });
  await writeFile(manifestPath(), JSON.stringify(deployment));
});
afterAll(async () => {
  await canopy('local', 'stop');
  await rm(folder, { recursive: true });
});

const manifestPath = (): string => join(folder, '.canopy', 'deployments', 'digits.json');
const manifest = async (): Promise<ReadyDeployment> =>
  JSON.parse(await readFile(manifestPath(), 'utf8')) as ReadyDeployment;

/** Asks again and again until `work` is done, and compares each answer with onnxruntime's. */
async function askWhile(work: Promise<unknown>): Promise<number> {
  const session = await CanopySession.create(deployment, { transport });
  const reference = await InferenceSession.create(model);
  let isOver = false;
  void work.finally(() => (isOver = true));
  let asked = 0;
  const ask = async (lane: number): Promise<void> => {
    while (!isOver) {
      const rows = 1 + (asked % 4);
      const values = Float32Array.from({ length: rows * 64 }, (_, at) =>
        Math.sin(at * (1 + lane) + asked),
      );
      asked++;
      const feeds = { image: new Tensor('float32', values, [rows, 1, 8, 8]) };
      const [given, expected] = [await session.run(feeds), await reference.run(feeds)];
      const wanted = expected['logits']!.data as Float32Array;
      const got = given['logits']!.data as Float32Array;
      expect(got.length).toBe(wanted.length);
      got.forEach((value, at) => {
        expect(Math.abs(value - wanted[at]!)).toBeLessThan(1e-3);
      });
    }
  };
  await Promise.all([0, 1, 2].map(ask));
  return asked;
}

test('requests under way during a whole upgrade all answer rightly', async () => {
  const upgrade = json('upgrade', 'digits');
  expect(await askWhile(upgrade)).toBeGreaterThan(3);
  expect(await upgrade).toMatchObject({ changed: { length: 4 }, left: [] });
  const { modules } = await manifest();
  for (const [canister, hash] of Object.entries(deployment.modules)) {
    expect(modules[canister]).not.toBe(hash);
    const status = await canisterStatus(transport, canister);
    expect(status).toEqual({ kind: 'managed', isStopped: false, moduleHash: modules[canister] });
  }
});

test('where all is of this release there is nothing to do', async () => {
  const { code, stdout } = await canopy('upgrade', 'digits');
  expect(code).toBe(0);
  expect(stdout).toContain('Nothing to do: all canisters of "digits" hold the modules');
});

test('an upgrade is taken back, and made again', async () => {
  const back = await canopy('upgrade', 'digits', '--rollback');
  expect(back).toMatchObject({ code: 0 });
  expect(back.stdout).toContain('"digits" is what it was before its last upgrade: coordinator');
  expect((await manifest()).modules).toEqual(deployment.modules);
  expect(await askWhile(new Promise((resolve) => setTimeout(resolve, 1000)))).toBeGreaterThan(2);
  const again = await canopy('upgrade', 'digits', '--rollback');
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain('notes no snapshot to go back to');
  expect(await json('upgrade', 'digits')).toMatchObject({ changed: { length: 4 } });
  expect(await json('status', 'digits')).toMatchObject({ workers: [{ state: 'ready' }, {}, {}] });
});

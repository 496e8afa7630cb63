/**
 * What an operator does with a deployment: the built command, on the embedded IC or any PocketIC server that
 * `POCKET_IC_BIN` names.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import wabtInit from 'wabt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  CyclesLedgerClient,
  canisterHealth,
  httpTransport,
  type AgentTransport,
  type CanisterHealth,
} from '@canopy/client';
import { workerWasmGz } from '@canopy/worker';
import { Principal } from '@dfinity/principal';
import { IDL } from '@dfinity/candid';
import { runCanopy, startCanopy, type Ended } from './testing/command.js';

const server =
  process.env['POCKET_IC_BIN'] ??
  fileURLToPath(new URL('../../local-ic/bin/local-ic.js', import.meta.url));
const model = fileURLToPath(
  new URL('../../pocketic-tests/models/digits-cnn/model.onnx', import.meta.url),
);
const trillion = 1_000_000_000_000n;
const fee = 100_000_000n;
/** What canisters burn while a test looks at them. */
const idle = 10_000_000_000n;

let folder = '';
let transport: AgentTransport;
/** The coordinator and the workers. */
let canisters: string[] = [];

const canopy = (...args: string[]): Promise<Ended> =>
  runCanopy(args, { cwd: folder, env: { POCKET_IC_BIN: server } });

async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await canopy('--json', ...args);
  if (code !== 0) throw new Error(`canopy ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

const ledgerBalance = (): Promise<bigint> => new CyclesLedgerClient(transport).balance();
const health = (): Promise<CanisterHealth[]> =>
  Promise.all(canisters.map((id) => canisterHealth(transport, id)));
const balances = async (): Promise<bigint[]> => (await health()).map(({ cycles }) => cycles);

const canisterArgs = [IDL.Record({ canister_id: IDL.Principal })];
async function manage(method: string, canister: string): Promise<void> {
  const arg = IDL.encode(canisterArgs, [{ canister_id: Principal.fromText(canister) }]);
  await transport.manage(method, arg, canister);
}

/** A module that prints when it is put in the place of another. */
async function printing(text: string): Promise<Uint8Array> {
  const wabt = await wabtInit();
  const module = wabt.parseWat(
    'printing.wat',
    `(module (import "ic0" "debug_print" (func $print (param i32 i32)))
      (memory 1) (data (i32.const 0) "${text}")
      (func (export "canister_post_upgrade") (call $print (i32.const 0) (i32.const ${text.length}))))`,
  );
  try {
    return new Uint8Array(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canopy-operating-'));
  await json('local', 'start');
  const local = JSON.parse(await readFile(join(folder, '.canopy', 'local.json'), 'utf8')) as {
    url: string;
    effectiveCanisterId: string;
  };
  transport = await httpTransport({
    host: local.url,
    effectiveCanisterId: local.effectiveCanisterId,
  });
  const deployed = await json<{ coordinator: string; workers: string[] }>(
    ...['deploy', model, '--name', 'digits', '--workers', '2', '--cycles', '4T', '--yes'],
  );
  canisters = [deployed.coordinator, ...deployed.workers];
});
afterAll(async () => {
  await canopy('local', 'stop');
  await rm(folder, { recursive: true });
});

test('models lists what the coordinator knows', async () => {
  expect(await json('models', 'digits')).toMatchObject([{ name: 'digits', stageCount: 2 }]);
  expect((await canopy('models', 'digits')).stdout).toMatch(/^model +stages.*\ndigits +2 /);
});

test('status of a deployment that is well ends with 0', async () => {
  const { workers, ...rest } = await json<{ workers: object[] }>('status', 'digits');
  expect(rest).toMatchObject({ healthy: true, problems: [], metrics: { requests: 0 } });
  expect(workers).toMatchObject([
    { canister: canisters[1], state: 'ready', status: 'running' },
    { canister: canisters[2], state: 'ready', status: 'running' },
  ]);
});

test('top --once prints one frame; the live view wants a terminal', async () => {
  const once = await canopy('top', 'digits', '--once', '--every', '100ms');
  expect(once.code).toBe(0);
  expect(once.stdout).toMatch(
    /^digits .*\n0 requests, 0 failed, 0 under way, 0.0 a second\n\nplace/,
  );
  expect(once.stdout).toMatch(/stage 1 +idle +0 +0 +0 +0 /);
  expect(await json('top', 'digits', '--once', '--every', '100ms')).toMatchObject({
    model: 'digits',
    canisters: [{ place: 'coordinator' }, { state: 'idle', waiting: 0, done: 0 }, {}],
    problems: [],
  });
  const live = await canopy('top', 'digits');
  expect(live).toMatchObject({ code: 2, stdout: '' });
  expect(live.stderr).toContain('a live view needs a terminal: --once prints one frame');
});

test('metrics are served, and printed once; a deployment that is not there is down', async () => {
  const once = await canopy('metrics', 'digits', '--once');
  expect(once.code).toBe(0);
  expect(once.stdout).toContain('canopy_healthy{deployment="digits",model="digits"} 1\n');
  expect(once.stdout).toMatch(/canopy_canister_cycles\{[^}]*place="stage 1"\} \d{12,}\n/);
  await writeFile(join(folder, '.canopy', 'deployments', 'broken.json'), '{}');
  const served = startCanopy(['metrics', '--port', '0'], {
    cwd: folder,
    env: { POCKET_IC_BIN: server },
  });
  await served.says(/Metrics are at/);
  const url = served.stderr().match(/http:\S+\/metrics/)![0];
  const text = await (await fetch(url)).text();
  expect(text).toContain('canopy_up{deployment="digits"} 1\n');
  expect(text).toContain('canopy_up{deployment="broken"} 0\n');
  served.process.kill('SIGINT');
  expect(await served.ended).toMatchObject({ code: 0, stdout: '' });
  await rm(join(folder, '.canopy', 'deployments', 'broken.json'));
});

test('verify finds all the same, by the manifest and by the model file', async () => {
  for (const file of [[], [model]]) {
    const { same, checks } = await json<{ same: boolean; checks: { same: boolean }[] }>(
      ...['verify', 'digits', ...file],
    );
    expect(same).toBe(true);
    expect(checks).toHaveLength(6);
  }
});

test('verify against a model file of which one number is another tells the weights that differ', async () => {
  const bytes = await readFile(model);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = bytes[middle]! ^ 1;
  await writeFile(join(folder, 'other.onnx'), bytes);
  const { code, stdout, stderr } = await canopy('verify', 'digits', 'other.onnx');
  expect(code).toBe(1);
  expect(stdout.match(/stage \d +weights +[0-9a-f]{16} +DIFFERS from/g)).toHaveLength(1);
  expect(stderr).toMatch(/canopy: 1 of 6 differ\n$/);
});

test('logs, verify and status tell of a worker that holds another module', async () => {
  expect((await canopy('logs', 'digits')).stdout).toContain('Nothing is in the logs');
  const canister = canisters[2]!;
  await transport.installCode({
    canister,
    module: await printing('here I am'),
    mode: 'upgrade',
  });
  expect(await json('logs', 'digits')).toMatchObject([
    { place: 'stage 1', canister, text: 'here I am' },
  ]);
  expect((await canopy('logs', 'digits')).stdout).toMatch(/^\d{4}-\S+Z stage 1: here I am\n$/);
  const verified = await canopy('--json', 'verify', 'digits');
  expect(verified.code).toBe(1);
  expect(JSON.parse(verified.stdout)).toMatchObject({
    same: false,
    checks: [
      { same: true },
      { same: true },
      { same: true },
      { same: true },
      { place: 'stage 1', what: 'module', same: false },
      { place: 'stage 1', what: 'weights', found: 'not asked', same: false },
    ],
  });
  const status = await canopy('status', 'digits');
  expect(status.code).toBe(1);
  expect(status.stderr).toContain(`stage 1 (${canister}) holds another module`);
  await transport.installCode({ canister, module: workerWasmGz(), mode: 'upgrade' });
  expect(await json('verify', 'digits')).toMatchObject({ same: true });
});

test.each([
  [0, 'coordinator'],
  [1, 'stage 0'],
])('status of a deployment with canister %i stopped ends with 1', async (index, place) => {
  await manage('stop_canister', canisters[index]!);
  const asJson = await canopy('--json', 'status', 'digits');
  expect(asJson.code).toBe(1);
  const problems = [`${place} is stopped`];
  expect(JSON.parse(asJson.stdout)).toMatchObject({ healthy: false, problems });
  const asText = await canopy('status', 'digits');
  expect(asText.code).toBe(1);
  expect(asText.stdout).toMatch(new RegExp(`${place} +${canisters[index]!} +stopped`));
  expect(asText.stdout).toContain(`! ${place} is stopped`);
  expect(asText.stderr).toContain('"digits" is not healthy');
  await manage('start_canister', canisters[index]!);
  expect(await json('status', 'digits')).toMatchObject({ healthy: true });
});

test('top-up sends each canister what is asked for, from the account', async () => {
  const [before, account] = [await balances(), await ledgerBalance()];
  const total = 3n * (trillion + fee);
  expect(await json('top-up', 'digits', '--cycles', '1T')).toMatchObject({
    sent: canisters.map((canister) => ({ canister, amount: Number(trillion) })),
    total: Number(total),
  });
  expect(account - (await ledgerBalance())).toBe(total);
  for (const [index, balance] of (await balances()).entries()) {
    const gained = balance - before[index]!;
    expect(gained).toBeLessThanOrEqual(trillion);
    expect(gained).toBeGreaterThan(trillion - idle);
  }
});

test('top-up by days sends what each lacks, and nothing the second time', async () => {
  const [coordinator] = await health();
  const days = String(coordinator!.daysLeft! + 100);
  const account = await ledgerBalance();
  const { sent } = await json<{ sent: { canister: string }[] }>(
    ...['top-up', 'digits', '--days', days, '--canister', canisters[0]!],
  );
  expect(sent).toMatchObject([{ canister: canisters[0]! }]);
  const reached = (await health())[0]!.daysLeft!;
  expect(reached).toBeGreaterThanOrEqual(Number(days) - 1);
  expect(reached).toBeLessThanOrEqual(Number(days));
  expect(await ledgerBalance()).toBeLessThan(account);
  const again = ['--days', String(reached - 1), '--canister', canisters[0]!];
  expect((await canopy('top-up', 'digits', ...again)).stdout).toBe(
    'Nothing was sent: all canisters have enough.\n',
  );
});

test.each([
  ['say how much', []],
  ['say how much', ['--days', '3', '--cycles', '1T']],
  ['is no canister of "digits"', ['--days', '3', '--canister', 'aaaaa-aa']],
])('top-up called wrongly: %s', async (text, args) => {
  const { code, stderr } = await canopy('top-up', 'digits', ...args);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});

test('top-up of more than the account holds sends nothing', async () => {
  const account = await ledgerBalance();
  const more = `${String(account / trillion)}T`;
  const { code, stderr } = await canopy('top-up', 'digits', '--cycles', more);
  expect(code).toBe(1);
  expect(stderr).toContain('"icp cycles mint" makes cycles of ICP');
  expect(await ledgerBalance()).toBe(account);
});

test('destroy gives the cycles back, also of a canister that is stopped', async () => {
  await manage('stop_canister', canisters[2]!);
  const [held, account] = [await balances(), await ledgerBalance()];
  const { code, stdout } = await canopy('--json', 'destroy', 'digits', '--yes');
  expect(code).toBe(0);
  const { cyclesBack } = JSON.parse(stdout) as { cyclesBack: number };
  const back = (await ledgerBalance()) - account;
  expect(BigInt(cyclesBack)).toBe(back);
  const lost = held.reduce((sum, one) => sum + one, 0n) - back;
  expect(lost).toBeGreaterThan(0n);
  expect(lost).toBeLessThan(3n * 100_000_000_000n);
  for (const canister of canisters) {
    await expect(canisterHealth(transport, canister)).rejects.toThrow(/not found/);
  }
  for (const command of ['status', 'verify', 'logs', 'models']) {
    const ended = await canopy(command, 'digits');
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('there is no deployment digits');
  }
});

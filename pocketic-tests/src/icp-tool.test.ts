import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { icpTool, IcpProject } from './icp-tool.js';

const tool = icpTool();
if (tool === undefined) {
  const text =
    'The official tool icp is not here: its end-to-end test is NOT run. Run npm run test:icp.';
  if (process.env['CANOPY_ICP'] === 'required') throw new Error(`${text} Or name it with ICP_BIN.`);
  console.warn(text);
}

const canopy = fileURLToPath(new URL('../../cli/bin/canopy.js', import.meta.url));
const localIc = fileURLToPath(new URL('../../local-ic/bin/local-ic.js', import.meta.url));

describe.skipIf(tool === undefined)('a project of the official tool, icp, on canopy local', () => {
  let folder = '';
  let icp: IcpProject;
  let alice = '';

  const local = (...args: string[]) =>
    promisify(execFile)(process.execPath, [canopy, '--quiet', 'local', ...args], {
      cwd: folder,
      env: { ...process.env, POCKET_IC_BIN: localIc },
    });
  const cycles = async (): Promise<bigint> => {
    const text = /^Balance: ([\d_]+) cycles$/m.exec(await icp.ok('cycles', 'balance'))![1]!;
    return BigInt(text.replaceAll('_', ''));
  };
  const statusOf = (...args: string[]) => icp.ok('canister', 'status', 'counter', ...args);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'canopy-icp-'));
    icp = new IcpProject(tool!, folder);
    const { stdout: url } = await local('start');
    await icp.write(url.trim());
  });
  afterAll(async () => {
    if (folder === '') return;
    await local('stop');
    await rm(folder, { recursive: true });
  });

  test('network ping finds a healthy network', async () => {
    const { code, stdout } = await icp.run('network', 'ping', 'canopy');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ replica_health_status: 'healthy' });
  });

  test('identity new makes a person with cycles', async () => {
    expect((await icp.run('identity', 'new', 'alice', '--storage', 'plaintext')).code).toBe(0);
    expect((await icp.run('identity', 'default', 'alice')).code).toBe(0);
    alice = (await icp.run('identity', 'principal')).stdout.trim();
    expect(alice).toMatch(/^[a-z0-9-]{63}$/);
    expect(await cycles()).toBe(10_000_000_000_000_000n);
  });

  test('deploy builds, creates and installs from icp.yaml, and call calls', async () => {
    expect(await icp.ok('deploy')).toContain('Created canister counter');
    expect(await cycles()).toBe(10_000_000_000_000_000n - 2_000_000_000_000n - 100_000_000n);
    expect(await icp.ok('canister', 'call', 'counter', 'add', '()')).toContain('1 : nat64');
    expect(await icp.ok('canister', 'call', 'counter', 'add', '()')).toContain('2 : nat64');
    expect(await icp.ok('canister', 'call', 'counter', 'get', '()', '--query')).toContain(
      '2 : nat64',
    );
  });

  test('status, settings, logs and metadata tell of it', async () => {
    expect(await statusOf()).toMatch(new RegExp(`Status: Running[^]*controller: ${alice}`));
    await icp.ok('canister', 'settings', 'update', 'counter', '--freezing-threshold', '3000000');
    expect(await icp.ok('canister', 'settings', 'show', 'counter')).toContain(
      'Freezing threshold: 3_000_000',
    );
    expect(await icp.ok('canister', 'logs', 'counter')).toContain('counted');
    const filtered = await icp.ok('canister', 'logs', 'counter', '--since-index', '1');
    expect(filtered.match(/counted/g)).toHaveLength(1);
    expect(await icp.ok('canister', 'metadata', 'counter', 'candid:service')).toContain('add :');
  });

  test('others see the status where the settings let them', async () => {
    const asOther = () => statusOf('--identity', 'anonymous');
    expect(await asOther()).not.toContain('Status: Running');
    await icp.ok('canister', 'settings', 'update', 'counter', '--status-visibility', 'public');
    expect(await asOther()).toContain('Status: Running');
  });

  test('an upgrade goes through install', async () => {
    await icp.ok('canister', 'install', 'counter', '--mode', 'reinstall', '-y');
    expect(await icp.ok('canister', 'call', 'counter', 'get', '()')).toContain('0 : nat64');
    await icp.ok('canister', 'call', 'counter', 'add', '()');
  });

  test('top-up moves cycles from the ledger to the canister', async () => {
    const before = await cycles();
    await icp.ok('canister', 'top-up', 'counter', '--amount', '1t');
    expect(await cycles()).toBe(before - 1_000_000_000_000n - 100_000_000n);
    expect(await statusOf()).toMatch(/Cycles: 2_[34]\d\d_/);
  });

  test('a snapshot is taken, downloaded, restored, uploaded and deleted', async () => {
    await icp.ok('canister', 'stop', 'counter');
    const taken = await icp.ok('canister', 'snapshot', 'create', 'counter');
    const id = /snapshot ([0-9a-f]{36})/.exec(taken)![1]!;
    const copy = join(folder, 'snapshot');
    await icp.ok('canister', 'snapshot', 'download', 'counter', id, '-o', copy);
    await icp.ok('canister', 'start', 'counter');
    await icp.ok('canister', 'call', 'counter', 'add', '()');
    await icp.ok('canister', 'stop', 'counter');
    await icp.ok('canister', 'snapshot', 'restore', 'counter', id);
    await icp.ok('canister', 'start', 'counter');
    expect(await icp.ok('canister', 'call', 'counter', 'get', '()')).toContain('1 : nat64');
    expect(await icp.ok('canister', 'snapshot', 'upload', 'counter', '-i', copy)).toContain(
      'uploaded successfully',
    );
    await icp.ok('canister', 'snapshot', 'delete', 'counter', id);
    const left = await icp.ok('canister', 'snapshot', 'list', 'counter');
    expect(left.match(/[0-9a-f]{36}/g)).toHaveLength(1);
  });

  test('ICP becomes cycles, and tokens are sent', async () => {
    const before = await cycles();
    await icp.ok('cycles', 'mint', '--icp', '1');
    const minted = 3_520_000_000_000n - 100_000_000n;
    expect(await cycles()).toBe(before + minted);
    await icp.ok('cycles', 'transfer', '1t', '2vxsx-fae');
    expect(await cycles()).toBe(before + minted - 1_000_000_000_000n - 100_000_000n);
    await icp.ok('token', 'transfer', '1', '2vxsx-fae');
    expect(await icp.ok('token', 'balance')).toMatch(/Balance: 9997\.9998/);
  });

  test('delete gives the canister’s cycles back', async () => {
    const before = await cycles();
    await icp.ok('canister', 'stop', 'counter');
    await icp.ok('canister', 'delete', 'counter');
    expect(await cycles()).toBeGreaterThan(before + 2_000_000_000_000n);
  });

  test('create makes a canister that is empty', async () => {
    expect(await icp.ok('canister', 'create', 'counter')).toContain('Created canister counter');
    expect(await statusOf()).toContain('Module hash: <none>');
  });
});

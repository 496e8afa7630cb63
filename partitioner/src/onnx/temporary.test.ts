import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterEach, beforeEach, expect, it } from 'vitest';

/** The module tested and what it imports, as JavaScript for a process of its own. */
const sources = ['onnx/temporary', 'onnx/files', 'error'];

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'canopy-temporary-'));
  mkdirSync(join(root, 'onnx'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  for (const name of sources) {
    const source = readFileSync(new URL(`../${name}.ts`, import.meta.url), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(join(root, `${name}.js`), outputText);
  }
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A process that makes a folder below `root`, says so, and stays. */
async function start(before = ''): Promise<{ child: ChildProcess; folder: string }> {
  const code = `
    import { makeTemporary } from '${pathToFileURL(join(root, 'onnx/temporary.js')).href}';
    ${before}
    console.log(makeTemporary());
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, TMPDIR: root, TMP: root, TEMP: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, folder: line.toString().trim() };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown[]> {
  const exit = once(child, 'exit');
  child.kill(signal);
  return exit;
}

function planFolders(): string[] {
  return readdirSync(root).filter((name) => name.startsWith('canopy-plan-'));
}

it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  'folders are removed at %s, which ends the process as it would have',
  async (signal) => {
    const { child, folder } = await start();
    expect(existsSync(folder)).toBe(true);
    expect(await end(child, signal)).toEqual([null, signal]);
    expect(planFolders()).toEqual([]);
  },
);

it('where the program listens for a signal itself, folders go when it exits', async () => {
  const { child } = await start(`process.on('SIGINT', () => process.exit(130));`);
  expect(await end(child, 'SIGINT')).toEqual([130, null]);
  expect(planFolders()).toEqual([]);
});

it('what a killed process left is removed by the next, and nothing else', async () => {
  const killed = await start();
  const alive = await start();
  mkdirSync(join(root, 'canopy-plan-of-somebody'));
  await end(killed.child, 'SIGKILL');
  expect(existsSync(killed.folder)).toBe(true);
  const next = await start();
  expect([killed, alive, next].map(({ folder }) => existsSync(folder))).toEqual([
    false,
    true,
    true,
  ]);
  expect(planFolders()).toContain('canopy-plan-of-somebody');
  await end(alive.child, 'SIGTERM');
  await end(next.child, 'SIGTERM');
});

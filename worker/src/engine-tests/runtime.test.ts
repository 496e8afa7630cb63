import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as asc from 'assemblyscript/asc';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileEngine } from './compile.js';

const scripts = new URL('../../scripts/', import.meta.url);
const { refuseRuntime } = (await import(
  pathToFileURL(join(fileURLToPath(scripts), 'canister-module.mjs')).href
)) as { refuseRuntime: (text: string) => void };

/** Text of a module with one exported function. */
async function compiled(body: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'canopy-runtime-'));
  try {
    writeFileSync(join(folder, 'index.ts'), `export function f(n: i32): i32 { ${body} }`);
    const { error } = await asc.main(
      ['index.ts', '--baseDir', folder, '--textFile', 'out.wat', '-O3', '--runtime', 'stub'],
      { stdout: asc.createMemoryStream(), stderr: asc.createMemoryStream() },
    );
    if (error) throw error;
    return readFileSync(join(folder, 'out.wat'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the memory manager of AssemblyScript', () => {
  let text = '';
  beforeAll(async () => {
    ({ text } = await compileEngine());
  });

  it('is not in the engine', () => {
    expect(text).toContain('(func $assembly/ops/');
    refuseRuntime(text);
  });

  it.each([
    ['an array', 'const a = new Array<i32>(n); a[0] = n; return a.length + a[0];'],
    ['a text', 'return `${n} bytes`.length;'],
    ['a buffer', 'return <i32>changetype<usize>(new ArrayBuffer(n));'],
  ])('is refused: %s', async (_, body) => {
    const allocating = await compiled(body);
    expect(() => {
      refuseRuntime(allocating);
    }).toThrow(/allocates with ~lib\/rt\/stub/);
  });
});

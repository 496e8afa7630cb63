import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeFiles } from './files.js';

const open = new Set<string>();
let watching = false;

/** A new folder for intermediate files; removed by {@link removeTemporary}, at the latest at exit. */
export function makeTemporary(): string {
  if (!watching) {
    watching = true;
    process.once('exit', () => {
      for (const folder of open) rmSync(folder, { recursive: true, force: true });
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'canopy-plan-'));
  open.add(folder);
  return folder;
}

export function removeTemporary(folder: string): void {
  open.delete(folder);
  closeFiles(folder);
  rmSync(folder, { recursive: true, force: true });
}

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const source = dirname(fileURLToPath(import.meta.url));
const root = resolve(source, '../..');

interface Manifest {
  dependencies?: Record<string, string>;
}
const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** Specifiers that remain in a module once its types are gone, dynamic imports included. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  return ts.preProcessFile(outputText).importedFiles.map(({ fileName }) => fileName);
}

/** Files of this repository that a module reaches, and the packages outside of it. */
function graphOf(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const name of importsOf(file)) {
      if (name.startsWith('.')) visit(resolve(dirname(file), name.replace(/\.js$/, '.ts')));
      else if (name.startsWith('@canopy/')) visit(join(root, name.slice(8), 'src/index.ts'));
      else
        packages.add(
          name
            .split('/')
            .slice(0, name.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  };
  visit(entry);
  return { files, packages };
}

const { files, packages } = graphOf(join(source, 'index.ts'));

test('running models needs the protocol only, of all packages of this repository', () => {
  const folders = new Set([...files].map((file) => file.slice(root.length + 1).split('/')[0]));
  expect([...folders].sort()).toEqual(['client', 'protocol']);
  expect(files.size).toBeGreaterThan(30);
});

test('it reaches what its manifest names, and the agents that may be missing', () => {
  const { dependencies } = manifestOf(join(root, 'client'));
  const known = [...Object.keys(dependencies!), '@dfinity/agent', '@icp-sdk/core', 'node:fs'];
  expect([...packages].filter((name) => !known.includes(name))).toEqual([]);
  expect(packages).toContain('onnxruntime-common');
});

test('neither onnxruntime-node nor the partitioner are installed with it', () => {
  const installed = new Set<string>();
  const visit = (name: string, from: string): void => {
    let folder = from;
    while (!existsSync(join(folder, 'node_modules', name, 'package.json'))) {
      if (folder === dirname(folder)) return;
      folder = dirname(folder);
    }
    const own = join(folder, 'node_modules', name);
    if (installed.has(name)) return;
    installed.add(name);
    for (const next of Object.keys(manifestOf(own).dependencies ?? {})) visit(next, own);
  };
  for (const name of Object.keys(manifestOf(join(root, 'client')).dependencies!))
    visit(name, source);
  expect(installed).toContain('onnxruntime-common');
  expect(installed).not.toContain('onnxruntime-node');
  expect([...installed].filter((name) => name.startsWith('@canopy/'))).toEqual([]);
});

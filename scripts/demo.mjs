import { resolve } from 'node:path';
import { build, install, run } from './workspace.mjs';

install();
await build();
// Paths are meant from where the command was called, not from the workspace's root.
const images = process.argv.slice(2).map((path) => resolve(process.env.INIT_CWD ?? '.', path));
run('node', ['examples/ocr/dist/main.js', ...images]);

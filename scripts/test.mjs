import { build, install, run } from './workspace.mjs';

install();
// Most tests of the worker need its engine alone.
await build(['worker/dist/engine-tests/compile-once.js']);
const vitest = 'node_modules/vitest/vitest.mjs';
const args = process.argv.slice(2);
// The long ones have a command of their own.
const projects = args.includes('--project') ? [] : ['--project', 'unit', '--project', 'end to end'];
run('node', [vitest, 'run', ...projects, ...args]);

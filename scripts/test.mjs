import { build, install, run } from './workspace.mjs';

install();
build();
const vitest = 'node_modules/vitest/vitest.mjs';
const args = process.argv.slice(2);
// The long ones have a command of their own.
const projects = args.includes('--project') ? [] : ['--project', 'unit', '--project', 'end to end'];
run('node', [vitest, 'run', ...projects, ...args]);

import { build, install, run } from './workspace.mjs';

install();
build();
const vitest = 'node_modules/vitest/vitest.mjs';
run('node', [vitest, 'run', ...process.argv.slice(2)]);

import { build, install, run } from './workspace.mjs';

install();
await build();
run('node', ['bench/dist/main.js', ...process.argv.slice(2)]);

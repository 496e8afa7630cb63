import { build, install, run } from './workspace.mjs';

install();
build();
run('node', ['bench/dist/main.js', ...process.argv.slice(2)]);

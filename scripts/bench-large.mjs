// Builds, and measures a model larger than one canister: npm run bench:large -- --shape 1b --weights int8
import { build, install, run } from './workspace.mjs';

install();
await build();
const options = process.argv.slice(2);
run('node', ['bench/dist/large/main.js', ...options]);
if (options.includes('--keep')) run('node', ['bench/dist/main.js', '--page']);

// Builds, and counts what models take: npm run bench:models -- --filter resnet
import { build, install, run } from './workspace.mjs';

install();
await build();
const options = process.argv.slice(2);
run('node', ['bench/dist/model-costs/main.js', ...options]);
if (options.includes('--keep')) run('node', ['bench/dist/main.js', '--page']);

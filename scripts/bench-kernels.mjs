import { build, install, run } from './workspace.mjs';

install();
await build();
run('node', [
  'worker/bench/kernels.mjs',
  ...['--out', 'bench/results/kernels.json'],
  ...process.argv.slice(2),
]);

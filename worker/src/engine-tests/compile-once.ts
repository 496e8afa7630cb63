/** Compiles the engine for tests, which then do not wait for it: `node worker/dist/engine-tests/compile-once.js`. */
import { compileEngine } from './compile.js';

await compileEngine();

import { startThread } from './thread.js';

/** Runs `main.ts` in a thread of its own, for the sake of its stack, and ends with its exit code. */
const server = startThread(new URL('./main.js', import.meta.url), {
  argv: process.argv.slice(2),
});
server.once('exit', (code) => process.exit(code));
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  // Threads get no signals.
  process.once(signal, () => {
    server.postMessage('stop');
  });
}

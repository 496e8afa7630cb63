// Builds the embedded IC if needed and plays recorded cases on it: npm run golden -- --cases DIR
import { install, run } from './workspace.mjs';

install();
run('node', ['node_modules/typescript/bin/tsc', '-b', 'local-ic']);

const { golden } = await import(
  new URL('../local-ic/dist/golden/command.js', import.meta.url).href
);
process.exitCode = await golden(process.argv.slice(2));

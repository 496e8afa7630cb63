import { build, install, run } from './workspace.mjs';

install();
build();
run('node', ['examples/ocr/dist/main.js', ...process.argv.slice(2)]);

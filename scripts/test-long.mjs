import { build, install, run } from './workspace.mjs';

/** Tests of a minute and more: forecasts against counts, commands that operate, a model of 300 MB. */

install();
await build();
run('node', ['node_modules/vitest/vitest.mjs', 'run', '--project', 'long']);

import { build, install, run } from './workspace.mjs';

/** Installs the official tool `icp`, about 95 MB, and runs its end-to-end test on the embedded IC. */

install();
await build();
if (!process.env.ICP_BIN) {
  run('npm', ['ci', '--no-progress', '--no-workspaces', '--prefix', 'pocketic-tests/icp-tool']);
}
const test = 'pocketic-tests/src/icp-tool.test.ts';
run('node', ['node_modules/vitest/vitest.mjs', 'run', test], { CANOPY_ICP: 'required' });

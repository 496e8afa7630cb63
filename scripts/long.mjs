import { existsSync } from 'node:fs';
import { build, install, root, run } from './workspace.mjs';

install();
build();

/** Recordings of a replica: a folder given by the user, or one beside the project. */
const golden = process.env.CANOPY_GOLDEN ?? `${root}../shared/golden`;
if (existsSync(`${golden}/cases`)) {
  // azle-calls burns what depends on the random bytes the recorded server drew.
  run('node', ['scripts/golden.mjs', '--cases', golden, '--known', 'azle-calls']);
} else {
  console.log(
    `No recorded cases at ${golden}: set CANOPY_GOLDEN to a folder with cases/ and modules/ to play ` +
      'them all. The small set in local-ic/fixtures is part of npm test.',
  );
}
run('node', ['scripts/bench.mjs', '--quick']);

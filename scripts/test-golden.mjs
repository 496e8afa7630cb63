import { existsSync } from 'node:fs';
import { install, root, run } from './workspace.mjs';

/** Plays all recordings of a replica: those of a folder given by the user, or beside the project. */

install();
const folder = process.env.CANOPY_GOLDEN ?? `${root}../shared/golden`;
if (existsSync(`${folder}/cases`)) {
  run('node', ['scripts/golden.mjs', '--cases', folder]);
} else {
  console.log(
    `No recorded cases at ${folder}, so none were played. Set CANOPY_GOLDEN to a folder with cases/ and ` +
      'modules/ to play them; the small set in local-ic/fixtures is part of npm test.',
  );
}

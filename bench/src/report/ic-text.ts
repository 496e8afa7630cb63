import type { IcAbout } from '../results/schema.js';

/** Which IC was measured: its kind, and version and address where they are known. */
export function icText({ kind, version, url }: IcAbout): string {
  switch (kind) {
    case 'embedded':
      return version === null ? 'the embedded IC' : `the embedded IC ${version}`;
    case 'pocket-ic':
      return version === null
        ? `a PocketIC server at ${url}`
        : `a PocketIC server (${version}) at ${url}`;
    case 'replica':
      return `a replica at ${url}`;
  }
}

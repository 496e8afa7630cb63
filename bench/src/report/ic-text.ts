import type { IcAbout } from '../results/schema.js';

const names: Record<IcAbout['kind'], string> = {
  embedded: 'the embedded IC',
  'pocket-ic': 'a PocketIC server',
  replica: 'a replica',
};

/** Which IC was measured: its kind, and version and address where they are known. */
export function icText({ kind, version, url }: IcAbout): string {
  const name = version === null ? names[kind] : `${names[kind]} ${version}`;
  return url === null ? name : `${name} at ${url}`;
}

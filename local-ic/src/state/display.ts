/** Decimal digits in groups of three, as cycles and naturals are written in texts: `1_508_000`. */
export function grouped(value: bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, '_');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** Bytes in the largest binary unit below them, with two decimals above bytes: `509.50 GiB`. */
export function displayBytes(bytes: bigint): string {
  let unit = 0;
  let scaled = Number(bytes);
  while (scaled > 1024 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${scaled.toFixed(2)} ${UNITS[unit]!}`;
}

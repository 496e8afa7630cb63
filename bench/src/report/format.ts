const units = [
  [1e12, ' T'],
  [1e9, ' B'],
  [1e6, ' M'],
  [1e3, ' k'],
] as const;

/** Three significant digits and a unit: 1.23 B. */
export function count(value: number): string {
  for (const [size, unit] of units) if (Math.abs(value) >= size) return digits(value / size) + unit;
  return digits(value);
}

/** Three significant digits, never in exponent form. */
export function digits(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toString();
  if (size >= 10) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  return Number(value.toPrecision(3)).toString();
}

export function mebibytes(bytes: number): string {
  return digits(bytes / 2 ** 20);
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** A dash where there is no figure. */
export function optional(
  value: number | null | undefined,
  format: (value: number) => string,
): string {
  return value === null || value === undefined ? '–' : format(value);
}

import { UsageError } from './errors.js';

const units: Record<string, number> = {
  '': 1,
  b: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
};

/** Bytes of a size such as `4MiB`, `1.5 GiB`, `500kB` or `4096`. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = units[match?.[2]?.toLowerCase() ?? ''];
  const bytes = match && unit !== undefined ? Math.round(Number(match[1]) * unit) : 0;
  if (bytes < 1) {
    throw new UsageError(`"${text}" is no size: write it like 4MiB, 1.5GiB, 500kB or 4096`);
  }
  return bytes;
}

/** A whole number of at least `least`. */
export function parseCount(text: string, least = 1): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least) {
    throw new UsageError(`"${text}" is no whole number of ${least} or more`);
  }
  return value;
}

/** A port, from 1 to 65535. */
export function parsePort(text: string): number {
  const port = parseCount(text);
  if (port > 65_535) throw new UsageError(`"${text}" is no port: they end at 65535`);
  return port;
}

/** Whole numbers of 1 or more, with commas between them. */
export function parseCounts(text: string): number[] {
  return text.split(',').map((part) => parseCount(part.trim()));
}

/** A whole number of 1 or more, or `auto`. */
export function parseCountOrAuto(text: string): number | 'auto' {
  return text === 'auto' ? 'auto' : parseCount(text);
}

/** Adds `name=file` to those given before. The name may hold "=", too: see `splitInput`. */
export function collectInput(text: string, earlier: readonly string[] = []): string[] {
  const at = text.indexOf('=');
  if (at < 1 || text.endsWith('=')) {
    throw new UsageError(`"${text}" must have the form name=file`);
  }
  return [...earlier, text];
}

/** Adds `name=size`, the size of an open dimension, to those given before. The name may hold "=". */
export function collectDim(
  text: string,
  earlier: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new UsageError(`"${text}" must have the form name=size`);
  const name = text.slice(0, at);
  if (name in earlier) throw new UsageError(`"${name}" is given twice`);
  return { ...earlier, [name]: parseCount(text.slice(at + 1)) };
}

/** `name=value`, or several numbers with commas between them: one more. */
export function collectFixed(
  text: string,
  earlier: Readonly<Record<string, number[]>> = {},
): Record<string, number[]> {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new UsageError(`"${text}" must have the form name=value`);
  const name = text.slice(0, at);
  if (name in earlier) throw new UsageError(`"${name}" is given twice`);
  const numbers = text
    .slice(at + 1)
    .split(',')
    .map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (!numbers.every(Number.isFinite)) {
    throw new UsageError(`"${text}": write numbers behind =, with commas between them`);
  }
  return { ...earlier, [name]: numbers };
}

/** Pixels such as `224x224`; one number is both width and height. */
export function parsePixels(text: string): { width: number; height: number } {
  const match = /^(\d+)(?:x(\d+))?$/i.exec(text.trim());
  const width = Number(match?.[1] ?? 0);
  const height = Number(match?.[2] ?? width);
  if (width < 1 || height < 1) {
    throw new UsageError(`"${text}" is no size in pixels: write it like 224x224 or 224`);
  }
  return { width, height };
}

/** A number, or several with commas between them. */
export function parseNumbers(text: string): number[] {
  return text.split(',').map((part) => {
    if (part.trim() === '' || !Number.isFinite(Number(part))) {
      throw new UsageError(`"${text}" must be numbers with commas between them`);
    }
    return Number(part);
  });
}

/** Numbers of {@link parseNumbers}, each above 0. */
export function parsePositives(text: string): number[] {
  const values = parseNumbers(text);
  if (values.some((value) => value <= 0)) throw new UsageError(`"${text}" must be above 0`);
  return values;
}

/** One number above 0. */
export function parsePositive(text: string): number {
  const [value, ...more] = parsePositives(text);
  if (value === undefined || more.length > 0) throw new UsageError(`"${text}" is not one number`);
  return value;
}

const durationUnits: Record<string, number> = { ms: 1, s: 1000, '': 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a time such as `500ms`, `90s`, `1.5m` or `2h`; a number alone is of seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/i.exec(text.trim());
  const milliseconds = Number(match?.[1] ?? 0) * durationUnits[(match?.[2] ?? '').toLowerCase()]!;
  if (milliseconds <= 0) throw new UsageError(`"${text}" is no time: write it like 90s, 5m or 2h`);
  return milliseconds;
}

/** Who may call: everybody, or texts of principals. */
export type CallersFlag = 'open' | string[];

/** `open`, or principals with commas between them; whether they are any is checked where they are used. */
export function parseCallers(text: string): CallersFlag {
  if (text.trim() === 'open') return 'open';
  const principals = text.split(',').map((part) => part.trim());
  const wrong = principals.find((part) => !/^[a-z2-7]{1,5}(-[a-z2-7]{1,5})+$/.test(part));
  if (wrong === undefined) return principals;
  throw new UsageError(
    `"${wrong}" is no principal: write "open", or principals like aaaaa-aa with commas between them`,
  );
}

const cycleUnits: Record<string, number> = { '': 0, m: 6, b: 9, t: 12 };

/** Cycles of an amount such as `2T`, `1.5T`, `500B` or `2_000_000`. */
export function parseCycles(text: string): bigint {
  const match = /^(\d[\d_]*)(?:\.(\d+))?\s*([a-z]?)$/i.exec(text.trim());
  const zeros = cycleUnits[match?.[3]?.toLowerCase() ?? ''];
  const decimals = match?.[2] ?? '';
  if (!match || zeros === undefined || decimals.length > zeros) {
    throw new UsageError(`"${text}" is no amount of cycles: write it like 2T, 500B or 2_000_000`);
  }
  const digits = match[1]!.replaceAll('_', '') + decimals.padEnd(zeros, '0');
  if (BigInt(digits) === 0n) throw new UsageError(`"${text}" must be above 0`);
  return BigInt(digits);
}

/** Texts of canister ids in a file: divided by white space or commas; what follows a "#" is a remark. */
export function parseCanisters(text: string): string[] {
  const ids = text
    .replace(/#.*$/gm, '')
    .split(/[\s,]+/)
    .filter((part) => part !== '');
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new UsageError(`canister ${twice} is named twice`);
  return ids;
}

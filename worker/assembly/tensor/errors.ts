import { dtypeName } from '../generated/constants';
import { Tensor } from './tensor';

/**
 * The text of the failure under way, UTF-8 in one static buffer; what does not fit is cut off.
 * An operator begins it with `fail`, adds to it and returns FAILED.
 */
const CAPACITY: u32 = 2048;
const buffer: usize = memory.data(2048);
let length: u32 = 0;
let code: string = '';

/** Begins the text of a failure. `errorCode` is one of `CanisterError`. */
export function fail(errorCode: string): void {
  code = errorCode;
  length = 0;
}

export function byte(value: u32): void {
  if (length < CAPACITY) store<u8>(buffer + length++, <u8>value);
}

/** ASCII text. */
export function text(value: string): void {
  for (let i = 0; i < value.length; i++) byte(value.charCodeAt(i));
}

export function number(value: i64): void {
  if (value < 0) byte(0x2d);
  let rest: u64 = value < 0 ? -(<u64>value) : <u64>value;
  let scale: u64 = 1;
  while (rest / scale >= 10) scale *= 10;
  for (; scale > 0; scale /= 10) {
    byte(<u32>(rest / scale) + 0x30);
    rest %= scale;
  }
}

/** A name as tensors and nodes have it: address of a u16 length and UTF-8; in quotes. */
export function name(address: usize): void {
  byte(0x22);
  if (address != 0) {
    const size: u32 = load<u16>(address);
    for (let i: u32 = 0; i < size; i++) byte(load<u8>(address + i, 2));
  }
  byte(0x22);
}

/** `float32[1,3,48,320]` */
export function typeAndShape(tensor: Tensor): void {
  text(dtypeName(tensor.dtype));
  shape(tensor);
}

/** `[1,3,48,320]` */
export function shape(tensor: Tensor): void {
  byte(0x5b);
  for (let i: u32 = 0; i < tensor.rank; i++) {
    if (i > 0) byte(0x2c);
    number(tensor.dim(i));
  }
  byte(0x5d);
}

export function errorCode(): string {
  return code;
}

export function errorText(): usize {
  return buffer;
}

export function errorLength(): u32 {
  return length;
}

import { time } from './ic0';

/**
 * What a call to another canister, or to oneself, carries through its call-back: 4 bits of kind and
 * 28 of a number. Both outlive an upgrade; the call-back functions have fixed table indexes.
 */
export namespace CallKind {
  export const step: u32 = 1;
  export const wake: u32 = 2;
  export const deliver: u32 = 3;
  /** Nothing depends on its answer. */
  export const notice: u32 = 4;
}
const numberBits: u32 = 28;
export const numberMask: u32 = (1 << 28) - 1;

export function environment(kind: u32, number: u32): i32 {
  return <i32>((kind << numberBits) | (number & numberMask));
}
export function kindOf(env: i32): u32 {
  return (<u32>env) >> numberBits;
}
export function numberOf(env: i32): u32 {
  return (<u32>env) & numberMask;
}

/**
 * The id to give next, at or after `id`: it is beyond the time, and in the same place of a table of so many
 * slots. So no id comes again where a snapshot was loaded that does not know the latest.
 */
export function beyondTime(id: u64, slots: u64): u64 {
  const now = time();
  return id >= now ? id : id + ((now - id + slots - 1) / slots) * slots;
}

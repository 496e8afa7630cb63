import { CanisterError, DType } from '../generated/constants';
import { number, text } from '../tensor/errors';
import { failNode, hasInput, input, temporary } from '../tensor/node';

/** Output channels of `groups` packed matrices [depth, n], each rounded up to whole vectors. */
@inline
export function packedChannels(n: u32): u32 {
  return (n + 3) & ~3;
}

/**
 * Checks that input `weight` holds `groups` packed matrices [depth, n], and input `bias`, where it is
 * there, one float for each packed channel.
 */
export function checkPacked(weight: u32, bias: u32, depth: u32, n: u32, groups: u32): bool {
  const channels: u64 = <u64>packedChannels(n) * groups;
  if (!hasFloats(weight, channels * depth)) return false;
  return !hasInput(bias) || hasFloats(bias, channels);
}

/** Checks that input `i` is a float32 tensor of `count` elements. */
export function hasFloats(i: u32, count: u64): bool {
  if (hasInput(i) && input(i).dtype == DType.float32 && <u64>input(i).byteLength == count * 4) return true;
  failNode(CanisterError.badShard);
  text('weight ');
  number(i);
  text(' must hold ');
  number(count);
  text(' float32 values');
  return false;
}

/** A bias of zeros for `n` packed channels, in temporary 1; 0 where there is no room. */
export function zeroBias(n: u32): usize {
  const bytes: usize = packedChannels(n) << 2;
  const address = temporary(1, bytes);
  if (address != 0) memory.fill(address, 0, bytes);
  return address;
}

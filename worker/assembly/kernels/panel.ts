/**
 * Widths of weight panels as types, so that kernels are compiled once for each: `offsetof<P>()` is
 * the number of bytes a panel holds for one input channel, 16 for each vector of 4 output channels.
 */
@unmanaged
export class Panel4 {
  a0: u64;
  a1: u64;
}

@unmanaged
export class Panel8 {
  a0: u64;
  a1: u64;
  b0: u64;
  b1: u64;
}

@unmanaged
export class Panel12 {
  a0: u64;
  a1: u64;
  b0: u64;
  b1: u64;
  c0: u64;
  c1: u64;
}

@unmanaged
export class Panel16 {
  a0: u64;
  a1: u64;
  b0: u64;
  b1: u64;
  c0: u64;
  c1: u64;
  d0: u64;
  d1: u64;
}

/** Bytes a panel that begins `channels` before the last channel holds for one input channel. */
@inline
export function packedWidth(channels: u32): usize {
  return channels >= 16 ? 64 : ((<usize>channels + 3) & ~3) << 2;
}

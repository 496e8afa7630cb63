/**
 * Depths of the pieces of a matrix product as types, so that kernels are compiled once for each:
 * `offsetof<D>()` is the number of input channels.
 */
@unmanaged
export class Depth1 {
  to1: u8;
}

@unmanaged
export class Depth2 extends Depth1 {
  to2: u8;
}

@unmanaged
export class Depth3 extends Depth2 {
  to3: u8;
}

@unmanaged
export class Depth4 extends Depth3 {
  to4: u8;
}

@unmanaged
export class Depth8 extends Depth4 {
  to8: u32;
}

@unmanaged
export class Depth16 extends Depth8 {
  to16: u64;
}

@unmanaged
export class Depth32 extends Depth16 {
  to24: u64;
  to32: u64;
}

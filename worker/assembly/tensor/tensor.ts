import { DType } from '../generated/constants';

/** Most dimensions a tensor has. */
export const MAX_RANK: u32 = 8;

/**
 * A tensor as operators see it: row-major, little-endian data and its shape. Lives outside of any
 * garbage collection; whoever made the array of tensors owns the structs, the allocator of
 * `memory.ts` owns `data` unless `isConstant` is set.
 */
@unmanaged
export class Tensor {
  dtype: u32;
  rank: u32;
  /** Bytes of `data`. */
  byteLength: u32;
  /** Address of the elements; 0 while the tensor holds nothing. */
  data: usize;
  /** Address of a u16 length and the UTF-8 name. */
  name: usize;
  /** 1 for a weight: its data is never written, moved or released. */
  isConstant: u32;
  d0: u32;
  d1: u32;
  d2: u32;
  d3: u32;
  d4: u32;
  d5: u32;
  d6: u32;
  d7: u32;

  /** Size of dimension `i`, which is below `rank`. */
  @inline
  dim(i: u32): u32 {
    return load<u32>(changetype<usize>(this) + ((<usize>i) << 2), offsetof<Tensor>('d0'));
  }

  @inline
  setDim(i: u32, size: u32): void {
    store<u32>(changetype<usize>(this) + ((<usize>i) << 2), size, offsetof<Tensor>('d0'));
  }

  /** Number of elements. */
  count(): u32 {
    return this.product(0, this.rank);
  }

  /** Product of the dimensions `from <= i < to`. */
  product(from: u32, to: u32): u32 {
    let n: u32 = 1;
    for (let i = from; i < to; i++) n *= this.dim(i);
    return n;
  }

  /** Copies rank and dimensions, not the type. */
  shapeLike(other: Tensor): void {
    this.rank = other.rank;
    for (let i: u32 = 0; i < other.rank; i++) this.setDim(i, other.dim(i));
  }

  sameShape(other: Tensor): bool {
    if (this.rank != other.rank) return false;
    for (let i: u32 = 0; i < this.rank; i++) if (this.dim(i) != other.dim(i)) return false;
    return true;
  }
}

/** Bytes of one struct, for whoever keeps an array of them. */
export const TENSOR_BYTES: usize = offsetof<Tensor>();

/** Bytes of an element; 0 for an unknown type. */
export function dtypeBytes(dtype: u32): u32 {
  switch (dtype) {
    case DType.float32:
    case DType.int32:
    case DType.uint32:
      return 4;
    case DType.int64:
    case DType.uint64:
    case DType.float64:
      return 8;
    case DType.float16:
    case DType.bfloat16:
    case DType.int16:
    case DType.uint16:
      return 2;
    case DType.bool:
    case DType.int8:
    case DType.uint8:
      return 1;
    default:
      return 0;
  }
}

/** Rows of bundles whose tensors have no names: what they are, and putting those of several together. */
const bundleHeaderBytes: u32 = 8;
const tensorHeaderBytes: u32 = 8;

/**
 * Rows of a bundle that {@link readInputs} has accepted: dimension 0 of all its tensors. 0 where they have
 * none in common, or tensors have names: such a bundle is not put together with others.
 */
export function rowsOf(bundle: usize): u32 {
  const count = load<u32>(bundle, 4);
  let rows: u32 = 0;
  let header = bundle + bundleHeaderBytes;
  for (let i: u32 = 0; i < count; i++) {
    if (load<u8>(header, 1) == 0 || load<u16>(header, 2) != 0) return 0;
    const own = load<u32>(header, tensorHeaderBytes);
    if (own == 0 || (i > 0 && own != rows)) return 0;
    rows = own;
    header = afterTensor(header);
  }
  return rows;
}

/** Address behind a tensor without a name. */
function afterTensor(header: usize): usize {
  return dataOf(header) + padded(load<u32>(header, 4));
}
function dataOf(header: usize): usize {
  return header + padded(tensorHeaderBytes + (<u32>load<u8>(header, 1) << 2));
}
function padded(bytes: u32): u32 {
  return (bytes + 7) & ~7;
}

/** Whether two bundles that have rows differ in nothing but their number and contents. */
export function sameRows(one: usize, other: usize): bool {
  const count = load<u32>(one, 4);
  if (load<u32>(other, 4) != count) return false;
  let left = one + bundleHeaderBytes;
  let right = other + bundleHeaderBytes;
  for (let i: u32 = 0; i < count; i++) {
    const rank = <u32>load<u8>(left, 1);
    if (load<u16>(left) != load<u16>(right)) return false;
    for (let axis: u32 = 1; axis < rank; axis++) {
      const at = tensorHeaderBytes + (axis << 2);
      if (load<u32>(left + at) != load<u32>(right + at)) return false;
    }
    left = afterTensor(left);
    right = afterTensor(right);
  }
  return true;
}

/** Addresses of the bundles to be joined. */
const bundles = memory.data(256 * 4, 4);
let bundleCount: u32 = 0;
let joinedRows: u32 = 0;

/** Begins to collect bundles for {@link writeJoined}. */
export function beginJoining(): void {
  bundleCount = 0;
  joinedRows = 0;
}

/** Adds the rows of a bundle; at most 256, all with the {@link sameRows}. */
export function addToJoined(bundle: usize): void {
  store<u32>(bundles + ((<usize>bundleCount) << 2), <u32>bundle);
  bundleCount++;
  joinedRows += rowsOf(bundle);
}

function bundleAt(index: u32): usize {
  return load<u32>(bundles + ((<usize>index) << 2));
}

/** Bytes that {@link writeJoined} writes. */
export function joinedBytes(): u32 {
  const first = bundleAt(0);
  const count = load<u32>(first, 4);
  let bytes = bundleHeaderBytes;
  let header = first + bundleHeaderBytes;
  for (let i: u32 = 0; i < count; i++) {
    const rowBytes = load<u32>(header, 4) / load<u32>(header, tensorHeaderBytes);
    bytes += <u32>(dataOf(header) - header) + padded(rowBytes * joinedRows);
    header = afterTensor(header);
  }
  return bytes;
}

/** Writes one bundle with the rows of all those added, in order. */
export function writeJoined(out: usize): void {
  const first = bundleAt(0);
  const count = load<u32>(first, 4);
  memory.copy(out, first, bundleHeaderBytes);
  let at = out + bundleHeaderBytes;
  for (let i: u32 = 0; i < count; i++) {
    const header = tensorAt(first, i);
    const rowBytes = load<u32>(header, 4) / load<u32>(header, tensorHeaderBytes);
    const headBytes = <u32>(dataOf(header) - header);
    memory.copy(at, header, headBytes);
    store<u32>(at, rowBytes * joinedRows, 4);
    store<u32>(at, joinedRows, tensorHeaderBytes);
    at += headBytes;
    const end = at + padded(rowBytes * joinedRows);
    for (let j: u32 = 0; j < bundleCount; j++) {
      const tensor = tensorAt(bundleAt(j), i);
      const bytes = load<u32>(tensor, 4);
      memory.copy(at, dataOf(tensor), bytes);
      at += bytes;
    }
    memory.fill(at, 0, end - at);
    at = end;
  }
}

/** Address of tensor `index` of a bundle without names. */
function tensorAt(bundle: usize, index: u32): usize {
  let header = bundle + bundleHeaderBytes;
  for (let i: u32 = 0; i < index; i++) header = afterTensor(header);
  return header;
}

/**
 * `inner` floats of rows `step` bytes apart, each the weighted sum of rows of `from`. An entry of the table, `stride` bytes: the
 * first row, the number of rows, a weight for each; with no rows the weight is the value of all elements.
 */
export function resampleRows(
  to: usize, from: usize, table: usize, stride: usize, count: u32, step: usize, inner: u32,
): void {
  for (; count != 0; count--, table += stride, to += step) {
    const rows = load<u32>(table, 4);
    const source = from + <usize>load<u32>(table) * step;
    const weights = table + 8;
    if (rows == 0) fill(to, inner, load<f32>(weights));
    else if (step == 4) {
      let sum = load<f32>(weights) * load<f32>(source);
      for (let k: u32 = 1; k < rows; k++) {
        const at = <usize>k << 2;
        sum += load<f32>(weights + at) * load<f32>(source + at);
      }
      store<f32>(to, sum);
    } else row(to, source, step, weights, rows, inner);
  }
}

function row(to: usize, from: usize, step: usize, weights: usize, rows: u32, inner: u32): void {
  const end = weights + (<usize>rows << 2);
  let i = inner;
  for (; i >= 4; i -= 4, to += 16, from += 16) {
    let sum = f32x4.mul(v128.load32_splat(weights), v128.load(from));
    for (let w = weights + 4, at = from + step; w < end; w += 4, at += step) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), v128.load(at)));
    }
    v128.store(to, sum);
  }
  for (; i != 0; i--, to += 4, from += 4) {
    let sum = load<f32>(weights) * load<f32>(from);
    for (let w = weights + 4, at = from + step; w < end; w += 4, at += step) sum += load<f32>(w) * load<f32>(at);
    store<f32>(to, sum);
  }
}

function fill(to: usize, count: u32, value: f32): void {
  for (; count != 0; count--, to += 4) store<f32>(to, value);
}

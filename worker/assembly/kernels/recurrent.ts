import { loadTail, storeTail } from './lanes';

/** memory[i] = memory[i] * forget[i] + taken[i] * candidate[i] for 0 <= i < n; any alignment. */
export function lstmMemory(memory: usize, forget: usize, taken: usize, candidate: usize, n: u32): void {
  for (; n >= 4; n -= 4, memory += 16, forget += 16, taken += 16, candidate += 16) {
    v128.store(memory, kept(v128.load(memory), v128.load(forget), v128.load(taken), v128.load(candidate)));
  }
  if (n == 0) return;
  const rest = kept(loadTail(memory, n), loadTail(forget, n), loadTail(taken, n), loadTail(candidate, n));
  storeTail(memory, rest, n);
}

@inline
function kept(memory: v128, forget: v128, taken: v128, candidate: v128): v128 {
  return f32x4.add(f32x4.mul(memory, forget), f32x4.mul(taken, candidate));
}

/** state[i] = update[i] * state[i] + (1 - update[i]) * candidate[i] for 0 <= i < n; any alignment. */
export function gruState(state: usize, update: usize, candidate: usize, n: u32): void {
  for (; n >= 4; n -= 4, state += 16, update += 16, candidate += 16) {
    v128.store(state, blended(v128.load(state), v128.load(update), v128.load(candidate)));
  }
  if (n != 0) storeTail(state, blended(loadTail(state, n), loadTail(update, n), loadTail(candidate, n)), n);
}

@inline
function blended(state: v128, update: v128, candidate: v128): v128 {
  const rest = f32x4.sub(f32x4.splat(1), update);
  return f32x4.add(f32x4.mul(update, state), f32x4.mul(rest, candidate));
}

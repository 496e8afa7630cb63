import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lackOfRoom } from './room.js';

const needed = 1000;
const folder = tmpdir();

it('a full disk is called so, with where it is and what onnxruntime says', () => {
  const reason = new Error(
    '/src/graph.cc:5 void f() [ONNXRuntimeError] : 1 : FAIL : write: No space left on device',
  );
  const error = lackOfRoom(reason, needed, folder, false);
  expect(error).toMatchObject({ code: 'no-room', cause: reason });
  expect(error!.message).toContain(join(folder, '..'));
  expect(error!.message).toMatch(/TMPDIR.*\(write: No space left on device\)$/);
});

it('a lack of memory is called so', () => {
  for (const text of ['std::bad_alloc', 'Array buffer allocation failed', 'Failed to allocate']) {
    expect(lackOfRoom(new Error(text), needed, folder, true)?.message).toMatch(
      /not enough memory.*\(.*alloc.*\)$/,
    );
  }
});

it('other errors are not taken for either while there is room', () => {
  expect(lackOfRoom(new Error('Invalid model'), needed, folder, true)).toBeUndefined();
});

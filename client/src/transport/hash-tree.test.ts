import { expect, test } from 'vitest';
import { lookUp, type HashTree } from './hash-tree.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const labelled = (label: string, tree: HashTree): HashTree => [2, bytes(label), tree];
const leaf = (text: string): HashTree => [3, bytes(text)];

const tree: HashTree = [
  1,
  [4, new Uint8Array(32)],
  [
    1,
    labelled('a', [1, labelled('x', leaf('one')), labelled('y', leaf('two'))]),
    labelled('b', [0]),
  ],
];

test.each([
  [['a', 'x'], 'one'],
  [['a', bytes('y')], 'two'],
])('the value at %j is found', (path, expected) => {
  expect(lookUp(tree, path)).toEqual(bytes(expected));
});

test.each([[['a']], [['b', 'x']], [['c']], [['a', 'x', 'z']], [['a', 'xx']]])(
  'there is no value at %j',
  (path) => {
    expect(lookUp(tree, path)).toBeUndefined();
  },
);

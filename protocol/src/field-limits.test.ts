import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from './bytes.js';
import { ProtocolError } from './error.js';
import { maxNameBytes } from './names.js';
import { OpCode } from './operators/index.js';
import { parsePlan } from './plan.js';
import { absentValue, decodeShardHead, encodeShardHead, maxStageInputs } from './shard.js';
import type { ShardNode, ShardProgram } from './shard.js';
import { decodeBundle, encodeBundle } from './tensor-bundle.js';
import { encodeWorkerConfig } from './worker-config.js';
import { encodeChunk, encodeEnqueue, encodeFetch } from './worker-messages.js';

const count = (length: number): number[] => Array.from({ length }, (_, index) => index);

/** Numbers around the limits of every field, and of other kinds. */
const anyNumber = fc.oneof(
  ...[0, 2 ** 8, 2 ** 16, 2 ** 31, 2 ** 32, 2 ** 53].map((limit) =>
    fc.integer({ min: -2, max: 2 }).map((step) => limit + step),
  ),
  fc.double(),
  fc.integer(),
);

describe('numbers', () => {
  it.each([
    ['u8', 8],
    ['u16', 16],
    ['u32', 32],
  ] as const)('%s gives back what it takes, and takes nothing else', (field, bits) => {
    fc.assert(
      fc.property(anyNumber, (value) => {
        const write = () => new ByteWriter()[field](value, 'rows of a thing').finish();
        if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) {
          expect(new ByteReader(write(), 'test')[field]()).toBe(value + 0);
        } else {
          expect(write).toThrow(ProtocolError);
          expect(write).toThrow(`rows of a thing: ${value} is no whole number from 0 to`);
        }
      }),
      { examples: [[-0], [NaN], [Infinity], [0.5]] },
    );
  });

  it('u64 gives back what it takes, and takes nothing else', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }), (value) => {
        const write = () => new ByteWriter().u64(value, 'ticket').finish();
        if (value >= 0n && value < 2n ** 64n) {
          expect(new ByteReader(write(), 'test').u64()).toBe(value);
        } else expect(write).toThrow(/ticket: -?\d+ is no whole number.*64 bits/);
      }),
      { examples: [[0n], [2n ** 64n - 1n], [2n ** 64n], [-1n]] },
    );
  });
});

/** A program of one node with so many of each; its values have no names. */
function programWith(parts: Partial<ShardNode> & { stageInputs?: number }): ShardProgram {
  const { stageInputs = 1, ...node } = parts;
  const used = [...(node.inputs ?? []), ...(node.outputs ?? []), ...(node.frees ?? [])];
  const values = Math.max(stageInputs, ...used.map((index) => index + 1), 1);
  return {
    values: count(values).map((index) => ({ name: `v${index % 7}`, dtype: 'float32' })),
    inputs: count(stageInputs),
    outputs: [],
    nodes: [
      {
        op: OpCode.Concat,
        name: 'node',
        inputs: [],
        outputs: [],
        attributes: [],
        frees: [],
        ...node,
      },
    ],
  };
}

describe('a shard', () => {
  const lists = ['inputs', 'outputs', 'frees', 'attributes'] as const;

  it.each(lists)('holds as many %s of a node as their count can tell, and refuses more', (list) => {
    for (const length of [255, 256, 300, 65_535]) {
      const program = programWith({ [list]: count(length) });
      expect(decodeShardHead(encodeShardHead(program, 0)).program).toEqual(program);
    }
    expect(() => encodeShardHead(programWith({ [list]: count(65_536) }), 0)).toThrow(
      /of node "node": 65536 is no whole number from 0 to 65535/,
    );
  });

  it('holds words of either sign by their bits, and refuses what has more', () => {
    const words = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
    const decoded = (attributes: number[]) =>
      decodeShardHead(encodeShardHead(programWith({ attributes }), 0)).program.nodes[0]!.attributes;
    expect(decoded(words)).toEqual(words);
    expect(decoded([-1, -(2 ** 31)])).toEqual([2 ** 32 - 1, 2 ** 31]);
    for (const word of [2 ** 32, -(2 ** 31) - 1, 2 ** 53, 0.5, NaN]) {
      expect(() => decoded([word])).toThrow(/an attribute word of node "node"/);
    }
  });

  it('refuses weights that end beyond 4 GiB, and more inputs than a stage takes', () => {
    const program = programWith({});
    const weight = { offset: 2 ** 32, byteLength: 64, dims: [16] };
    const values = [...program.values, { name: 'w', dtype: 'float32' as const, weight }];
    expect(() => encodeShardHead({ ...program, values }, 64)).toThrow(/offset of weight "w"/);
    expect(() => encodeShardHead(program, 2 ** 32)).toThrow(ProtocolError);
    encodeShardHead(programWith({ stageInputs: maxStageInputs }), 0);
    expect(() => encodeShardHead(programWith({ stageInputs: maxStageInputs + 1 }), 0)).toThrow(
      /at most 1024 tensors, given 1025/,
    );
  });

  it('cuts long names that only texts use at a whole character, and refuses others', () => {
    const long = `x${'ö'.repeat(maxNameBytes)}`;
    const named = (input: string, inner: string, node: string): ShardProgram => ({
      values: [
        { name: input, dtype: 'float32' },
        { name: inner, dtype: 'float32' },
      ],
      inputs: [0],
      outputs: [],
      nodes: [
        {
          op: OpCode.Concat,
          name: node,
          inputs: [0, absentValue],
          outputs: [1],
          attributes: [],
          frees: [],
        },
      ],
    });
    const { program } = decodeShardHead(encodeShardHead(named('x', long, `${long}!`), 0));
    const cut = `x${'ö'.repeat((maxNameBytes - 1) / 2)}`;
    expect([program.values[1]!.name, program.nodes[0]!.name]).toEqual([cut, cut]);
    const longest = 'n'.repeat(maxNameBytes);
    const whole = decodeShardHead(encodeShardHead(named(longest, 'a', 'b'), 0));
    expect(whole.program.values[0]!.name).toBe(longest);
    expect(() => encodeShardHead(named(`${longest}n`, 'a', 'b'), 0)).toThrow(
      /the name "n+…" is 65536 bytes long/,
    );
  });
});

describe('a tensor bundle', () => {
  const one = (name: string) => [
    { name, dtype: 'uint8' as const, dims: [1], data: Uint8Array.of(7) },
  ];

  it('holds names of any length that it can tell, and refuses others', () => {
    for (const name of ['n'.repeat(maxNameBytes), 'ö'.repeat(maxNameBytes >> 1)]) {
      expect(decodeBundle(encodeBundle(one(name)))).toEqual(one(name));
    }
    for (const name of ['n'.repeat(70_000), 'ö'.repeat(40_000)]) {
      expect(() => encodeBundle(one(name))).toThrow(/bytes long, at most 65535 are possible/);
    }
  });

  it('refuses dimensions that are none', () => {
    const empty = (...dims: number[]) => [
      { name: 'x', dtype: 'uint8' as const, dims, data: new Uint8Array() },
    ];
    const largest = empty(0, 2 ** 32 - 1);
    expect(decodeBundle(encodeBundle(largest))).toEqual(largest);
    for (const dim of [2 ** 32, -1, 1.5]) {
      expect(() => encodeBundle(empty(0, dim))).toThrow(`a dimension of tensor "x": ${dim} is no`);
    }
  });
});

describe('messages', () => {
  const config = {
    epoch: 1n,
    stageIndex: 0,
    stageCount: 1,
    shardBytes: 64,
    chunkBytes: 64,
    shardHash: new Uint8Array(32),
    instructionBudget: 1n,
    queueLimit: 1,
    queueLimitPerCaller: 1,
    openCalls: 1,
    paced: true,
    resultsStay: false,
    pipelines: 1,
    rowsPerTask: 1,
    deadlineSeconds: 600,
    coordinator: new Uint8Array(10),
    workers: [new Uint8Array(10)],
  };

  it.each([
    [{ shardBytes: 2 ** 32 }, /bytes of the shard: 4294967296/],
    [{ openCalls: -1 }, /open calls: -1/],
    [{ instructionBudget: 2n ** 64n }, /instruction budget/],
    [{ shardHash: new Uint8Array(31) }, /hash of the shard takes 32 bytes, given 31/],
    [{ workers: [new Uint8Array(256)] }, /length of a worker: 256/],
  ])('a configuration refuses what does not fit: %o', (parts, expected) => {
    expect(() => encodeWorkerConfig({ ...config, ...parts })).toThrow(expected);
  });

  it('requests and chunks refuse what does not fit', () => {
    const request = { epoch: 1n, mode: 0, owner: new Uint8Array(29), tasks: [] };
    expect(() => encodeEnqueue({ ...request, coordinatorLoad: 65_536 })).toThrow(/load: 65536/);
    expect(() => encodeEnqueue({ ...request, epoch: -1n })).toThrow(/epoch: -1/);
    expect(() => encodeFetch(1n, 1n, 2 ** 32, 1)).toThrow(/offset of a part/);
    const hash = new Uint8Array(20);
    expect(() => encodeChunk({ index: 0, hash, bytes: hash })).toThrow(/hash of a chunk takes 32/);
  });

  it('a plan with a name that no bundle could give is refused', () => {
    const spec = { name: 'n'.repeat(70_000), dtype: 'float32', dims: [1] };
    const plan = { format: 'canopy-plan', version: 1, model: { name: 'm' }, inputs: [spec] };
    expect(() => parsePlan(JSON.stringify(plan))).toThrow(/70000 bytes long/);
  });
});

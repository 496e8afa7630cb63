import { describe, expect, it } from 'vitest';
import { ByteWriter } from './bytes.js';
import { parseCanisterError } from './error.js';
import {
  decodeWorkerConfig,
  decodeWorkerStatus,
  encodeWorkerConfig,
  encodeWorkerStatus,
} from './worker-config.js';
import { byPipeline, parsePlan, workerCount } from './plan.js';
import {
  decodeFetchReply,
  decodeResult,
  encodePartResult,
  stageTraceBytes,
} from './worker-messages.js';

const trace = {
  instructions: 5_000_000_000n,
  messages: 3,
  bytesReceived: 40,
  bytesSent: 50,
  scratchBytes: 60,
};

describe('results', () => {
  it('of finished requests carry traces and bundles by task', () => {
    const part = encodePartResult({
      taskId: 3n,
      requestId: 7n,
      index: 0,
      count: 1,
      traces: [trace, trace],
      bundle: Uint8Array.of(1, 2, 3),
    });
    expect(part.length).toBe(32 + 2 * stageTraceBytes + 3);
    const out = new ByteWriter().u32(0).u64(7n).u32(1).u32(2);
    out
      .bytes(part.subarray(32, 32 + 2 * stageTraceBytes))
      .u32(3)
      .bytes(Uint8Array.of(1, 2, 3));
    expect(decodeResult(out.finish())).toEqual({
      status: 'done',
      requestId: 7n,
      tasks: [{ traces: [trace, trace], bundle: Uint8Array.of(1, 2, 3) }],
    });
  });

  it('of failed requests name the stage', () => {
    const out = new ByteWriter().u32(1).u64(9n).u32(2).text('[bad-input] x');
    expect(decodeResult(out.finish())).toEqual({
      status: 'failed',
      requestId: 9n,
      stage: 2,
      text: '[bad-input] x',
    });
  });

  it('come in parts', () => {
    const out = new ByteWriter().u32(1).u32(100).bytes(Uint8Array.of(4, 5));
    expect(decodeFetchReply(out.finish())).toEqual({
      finished: true,
      byteLength: 100,
      part: Uint8Array.of(4, 5),
    });
  });
});

describe('status', () => {
  it('decodes what was encoded', () => {
    const status = {
      state: 3,
      stageIndex: 1,
      stageCount: 4,
      chunksHeld: 5,
      chunkCount: 6,
      shardHash: new Uint8Array(32).fill(7),
      weightsBytes: 8,
      nodes: 9,
      waiting: 10,
      tasksDone: 11n,
      instructions: 12n,
      heapBytes: 13,
      stableBytes: 14n,
      heapUsedBytes: 15,
      programInstructions: 16n,
      operatorInstructions: 17n,
      epoch: 18n,
      configurationHash: new Uint8Array(32).fill(19),
      configuration: Uint8Array.of(20, 21),
    };
    expect(decodeWorkerStatus(encodeWorkerStatus(status))).toEqual(status);
  });
});

describe('configuration', () => {
  it('decodes what was encoded', () => {
    const config = {
      epoch: 1n << 60n,
      stageIndex: 1,
      stageCount: 2,
      shardBytes: 3,
      chunkBytes: 4,
      shardHash: new Uint8Array(32).fill(5),
      instructionBudget: 6n,
      queueLimit: 7,
      queueLimitPerCaller: 8,
      openCalls: 9,
      paced: true,
      resultsStay: false,
      pipelines: 10,
      rowsPerTask: 11,
      deadlineSeconds: 12,
      coordinator: Uint8Array.of(13),
      workers: [Uint8Array.of(14, 15), new Uint8Array(0)],
    };
    const bytes = encodeWorkerConfig(config);
    expect(decodeWorkerConfig(bytes)).toEqual(config);
    expect(() => decodeWorkerConfig(bytes.subarray(1))).toThrow('CWC2');
    expect(() => decodeWorkerConfig(bytes.subarray(0, -1))).toThrow('ends at');
  });
});

describe('errors of canisters', () => {
  it('are found inside the texts that replicas put around them', () => {
    const text = 'IC0406: Canister rejected: [busy] 40 requests wait; try again later';
    expect(parseCanisterError(text)).toEqual({
      code: 'busy',
      message: '40 requests wait; try again later',
      retryable: true,
    });
    expect(parseCanisterError('Canister trapped')).toBeUndefined();
  });
});

describe('plan', () => {
  it('says which field is wrong', () => {
    expect(() => parsePlan('{')).toThrow('plan: not JSON');
    expect(() => parsePlan('{"format":"canopy-plan","version":2}')).toThrow('version 2');
    const plan = {
      format: 'canopy-plan',
      version: 1,
      model: { name: 'm', sha256: '' },
      inputs: [{ name: 'x', dtype: 'float33', dims: ['n', 3] }],
    };
    expect(() => parsePlan(JSON.stringify(plan))).toThrow('"inputs": "x" has unknown type float33');
  });

  const plan = {
    format: 'canopy-plan',
    version: 1,
    model: { name: 'm', sha256: '' },
    inputs: [{ name: 'x', dtype: 'float32', dims: ['n', 3] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['n', 3] }],
    rowsIndependent: true,
    microBatchRows: 1,
    chunkBytes: 1,
    instructionBudget: 1,
    stages: [0, 1].map((index) => ({
      index,
      shardHash: 'a'.repeat(64),
      shardBytes: 1,
      inputs: ['x'],
      outputs: ['y'],
      predictions: [],
    })),
  };

  it('without a word on pipelines has one; lists workers pipeline after pipeline', () => {
    const one = parsePlan(JSON.stringify(plan));
    expect(one.pipelines).toBe(1);
    expect(byPipeline(['a', 'b'], one)).toEqual([['a', 'b']]);
    const two = parsePlan(JSON.stringify({ ...plan, pipelines: 2 }));
    expect(workerCount(two)).toBe(4);
    expect(byPipeline(['a', 'b', 'c', 'd'], two)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    for (const pipelines of [0, 1.5, 257, '2']) {
      const parse = (): unknown => parsePlan(JSON.stringify({ ...plan, pipelines }));
      expect(parse).toThrow('"pipelines" must be');
    }
  });

  it('without a word on where results stay has them at the head', () => {
    expect(parsePlan(JSON.stringify(plan)).resultsStay).toBe(false);
    expect(parsePlan(JSON.stringify({ ...plan, resultsStay: true })).resultsStay).toBe(true);
    expect(() => parsePlan(JSON.stringify({ ...plan, resultsStay: 1 }))).toThrow('"resultsStay"');
  });
});

import { describe, expect, it } from 'vitest';
import { ErrorCode } from '../errors.js';
import { principalToText } from '../principal.js';
import { CLOCK, COUNTER, keeper, RELAY } from './testing/canisters.js';
import { bytes, TestIc } from './testing/test-ic.js';

const to = (canister: Uint8Array, method: string): Uint8Array =>
  Uint8Array.of(...canister, ...bytes(method));
const number = (reply: Uint8Array, offset = 0): number => Buffer.from(reply).readUInt32LE(offset);

describe('messages', () => {
  it('change the state when they end well', () => {
    const test = new TestIc();
    const canister = test.create(COUNTER);
    expect(number(test.update(canister, 'add'))).toBe(1);
    expect(number(test.update(canister, 'add'))).toBe(2);
    expect(number(test.query(canister, 'get'))).toBe(2);
  });

  it('leave heap and its size as they were when they trap', () => {
    const test = new TestIc();
    const canister = test.create(COUNTER);
    test.update(canister, 'add');
    const error = test.failure(() => test.update(canister, 'add_and_trap'));
    expect(error.code).toBe(ErrorCode.CanisterTrapped);
    expect(error.message).toContain(
      `Error from Canister ${principalToText(canister)}: Canister trapped: unreachable`,
    );
    expect(number(test.query(canister, 'get'))).toBe(1);
    expect(number(test.update(canister, 'pages'))).toBe(1);
  });

  it('keep nothing of a query, not even of one executed as an update', () => {
    const test = new TestIc();
    const canister = test.create(COUNTER);
    expect(number(test.query(canister, 'add_and_get'))).toBe(1);
    expect(number(test.update(canister, 'add_and_get'))).toBe(1);
    expect(number(test.query(canister, 'get'))).toBe(0);
  });

  it('must answer, and may reject', () => {
    const test = new TestIc();
    const canister = test.create(COUNTER);
    expect(test.failure(() => test.update(canister, 'silent')).code).toBe(
      ErrorCode.CanisterDidNotReply,
    );
    expect(test.failure(() => test.update(canister, 'no')).message).toBe('no');
    expect(test.failure(() => test.update(canister, 'nothing')).code).toBe(
      ErrorCode.CanisterMethodNotFound,
    );
  });

  it('cost the base fee and their instructions', () => {
    const test = new TestIc();
    const canister = test.create(COUNTER);
    const before = test.ic.cyclesBalance(canister);
    test.update(canister, 'add');
    const cost = before - test.ic.cyclesBalance(canister);
    expect(cost).toBeGreaterThan(6_200_000n);
    expect(cost).toBeLessThan(6_500_000n);
  });

  it('are not taken from a frozen canister', () => {
    const test = new TestIc();
    const canister = test.create(COUNTER, {}, 600_000_000_000n);
    test.updateSettings(canister, { freezing_threshold: 10n ** 15n });
    const error = test.failure(() => test.update(canister, 'add'));
    expect(error.code).toBe(ErrorCode.CanisterOutOfCycles);
  });
});

describe('calls between canisters', () => {
  it('pass answers on, within a round on one subnet', () => {
    const test = new TestIc();
    const [relay, counter] = [test.create(RELAY), test.create(COUNTER)];
    const id = test.submit(relay, 'relay', to(counter, 'add'));
    test.ic.tick();
    const status = test.status(id);
    expect(status.status === 'replied' && number(status.reply)).toBe(1);
  });

  it('pass rejections on, with where they came from', () => {
    const test = new TestIc();
    const [relay, counter] = [test.create(RELAY), test.create(COUNTER)];
    expect(test.failure(() => test.update(relay, 'relay', to(counter, 'no'))).message).toBe('no');
    const trap = test.failure(() => test.update(relay, 'relay', to(counter, 'add_and_trap')));
    expect(trap.message).toContain('IC0502: Error from Canister');
  });

  it('keep the state before a callback that traps, and run its cleanup', () => {
    const test = new TestIc();
    const [relay, counter] = [test.create(RELAY), test.create(COUNTER)];
    test.failure(() => test.update(relay, 'fragile', to(counter, 'add')));
    expect(number(test.query(relay, 'get'))).toBe(101);
    expect(number(test.query(counter, 'get'))).toBe(1);
  });

  it('take a second round when they go to another subnet', () => {
    const test = new TestIc({ subnets: [{ kind: 'application' }, { kind: 'system' }] });
    const relay = test.create(RELAY);
    const counter = test.createOn(1, COUNTER);
    const id = test.submit(relay, 'relay', to(counter, 'add'));
    let rounds = 0;
    while (test.status(id).status !== 'replied') {
      test.ic.tick();
      rounds++;
    }
    expect(rounds).toBe(2);
  });

  it('end at their deadline when they are best-effort', () => {
    const test = new TestIc({ subnets: [{ kind: 'application' }, { kind: 'application' }] });
    const relay = test.create(RELAY);
    const counter = test.createOn(1, COUNTER);
    const id = test.submit(relay, 'bounded', to(counter, 'add'));
    test.ic.tick();
    test.ic.advanceTime(2_000_000_000n);
    const error = test.failure(() => test.await(id));
    expect(error.message).toContain('Call deadline has expired.');
  });

  it('find no canister that does not exist', () => {
    const test = new TestIc();
    const relay = test.create(RELAY);
    const missing = test.create();
    missing[7] = 200;
    const error = test.failure(() => test.update(relay, 'relay', to(missing, 'x')));
    expect(error.message).toContain(`Canister ${principalToText(missing)} not found`);
  });
});

describe('composite queries', () => {
  it('ask other canisters and change none', () => {
    const test = new TestIc();
    const [relay, counter] = [test.create(RELAY), test.create(COUNTER)];
    test.update(counter, 'add');
    expect(number(test.query(relay, 'ask', to(counter, 'add_and_get')))).toBe(2);
    expect(number(test.query(counter, 'get'))).toBe(1);
    const error = test.failure(() => test.update(relay, 'ask', to(counter, 'get')));
    expect(error.code).toBe(ErrorCode.CompositeQueryCalledInReplicatedMode);
  });
});

describe('upgrades', () => {
  it('keep stable memory, or everything when they fail', () => {
    const test = new TestIc();
    const canister = test.create(keeper(false));
    test.update(canister, 'add');
    test.install(canister, keeper(false), 'upgrade');
    expect(number(test.query(canister, 'get'))).toBe(1);
    test.update(canister, 'add');
    const error = test.failure(() => {
      test.install(canister, keeper(true), 'upgrade');
    });
    expect(error.code).toBe(ErrorCode.CanisterTrapped);
    expect(number(test.query(canister, 'get'))).toBe(2);
    test.install(canister, COUNTER, 'reinstall');
    expect(number(test.query(canister, 'get'))).toBe(0);
  });
});

describe('time', () => {
  it('is as set in the next round, then a nanosecond later in each', () => {
    const { ic } = new TestIc();
    ic.setTime(2_000_000_000_000_000_000n);
    ic.tick();
    expect(ic.timeNs).toBe(2_000_000_000_000_000_000n);
    ic.tick();
    expect(ic.timeNs).toBe(2_000_000_000_000_000_001n);
    expect(() => {
      ic.setTime(1n);
    }).toThrow('lies before');
  });

  it('brings heartbeats and timers', () => {
    const test = new TestIc();
    const canister = test.create(CLOCK);
    test.update(canister, 'set');
    const early = test.query(canister, 'get');
    expect(number(early, 4)).toBe(0);
    expect(number(early)).toBeGreaterThan(0);
    test.ic.advanceTime(1_000_000_000n);
    for (let round = 0; round < 4; round++) test.ic.tick();
    const late = test.query(canister, 'get');
    expect(number(late, 4)).toBe(1);
    expect(number(late)).toBeGreaterThan(number(early));
  });
});

describe('stopped canisters', () => {
  it('take no messages until they are started', () => {
    const test = new TestIc();
    const canister = test.create(COUNTER);
    test.manageCanister('stop_canister', canister);
    expect(test.failure(() => test.update(canister, 'add')).code).toBe(ErrorCode.CanisterStopped);
    expect(test.failure(() => test.query(canister, 'get')).code).toBe(ErrorCode.CanisterStopped);
    test.manageCanister('start_canister', canister);
    expect(number(test.update(canister, 'add'))).toBe(1);
  });
});

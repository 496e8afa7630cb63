/**
 * The part of azle that the coordinator uses. azle ships TypeScript sources that do not pass this
 * project's compiler settings; tsconfig.json maps its name here, azle's own build ignores that.
 */
import type { IDL } from '@dfinity/candid';
import type { Principal } from '@dfinity/principal';

export { IDL } from '@dfinity/candid';
export { Principal } from '@dfinity/principal';

type MethodDecorator = (method: () => unknown, context: ClassMethodDecoratorContext) => void;

export declare function update(
  args: IDL.Type[],
  result: IDL.Type | undefined,
  options: { manual: true },
): MethodDecorator;
export declare function query(
  args: IDL.Type[],
  result: IDL.Type | undefined,
  options: { manual: true; composite?: boolean },
): MethodDecorator;
export declare const preUpgrade: MethodDecorator;
/** Manual: the argument is not read; installers may give none. */
export declare function init(args: [], options: { manual: true }): MethodDecorator;
export declare function postUpgrade(args: [], options: { manual: true }): MethodDecorator;

/** What is decorated gives true where the message is to be taken. */
export declare function inspectMessage(options: { manual: true }): MethodDecorator;

export declare function call(
  canister: Principal,
  method: string,
  options: { raw: true; args: Uint8Array; oneway?: boolean },
): Promise<Uint8Array>;
export declare function msgArgData(): Uint8Array;
export declare function msgMethodName(): string;
/** 32 bytes, from which `crypto.getRandomValues` goes on. */
export declare function randSeed(seed: Uint8Array): void;
export declare function msgCaller(): Principal;
export declare function canisterSelf(): Principal;
export declare function msgReply(bytes: Uint8Array): void;
export declare function msgReject(text: string): void;
export declare function isController(principal: Principal): boolean;
/** With the canister's status in its two lowest bits: scripts/compile.mjs adds it. */
export declare function canisterVersion(): bigint;
/** The balance, and 2^64 times the part of it above the freezing threshold: scripts/compile.mjs adds that. */
export declare function canisterCycleBalance(): bigint;
/** Counter 0: pages of the heap and of stable memory, see scripts/compile.mjs. */
export declare function performanceCounter(counter: 0): bigint;
/** At most 32 bytes; only in updates, and where the canister is installed. */
export declare function certifiedDataSet(data: Uint8Array): void;
/** Only in queries, before the first await; undefined elsewhere. */
export declare function dataCertificate(): Uint8Array | undefined;
/** Nanoseconds since 1970. */
export declare function time(): bigint;
/** Runs something every `interval` seconds; gives the timer's number. */
export declare function setTimerInterval(interval: number, callback: () => void): bigint;
export declare function clearTimer(timer: bigint): void;

export interface Serializable {
  toBytes: (value: Uint8Array) => Uint8Array;
  fromBytes: (bytes: Uint8Array) => Uint8Array;
}
/** A map in stable memory; keys and values go through JSON (bigint included) where nothing else is said. */
export declare class StableBTreeMap<Key, Value> {
  constructor(memoryId: number, keys?: Serializable, values?: Serializable);
  get(key: Key): Value | undefined;
  insert(key: Key, value: Value): Value | undefined;
  remove(key: Key): Value | undefined;
  values(): Value[];
}

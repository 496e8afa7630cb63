import { limits } from '../costs/index.js';
import { ErrorCode, RejectCode, UserError } from '../errors.js';
import { DestinationError } from '../management/index.js';
import { principalToText } from '../principal.js';
import {
  freezingThreshold,
  newCallContext,
  type CallContext,
  type Canister,
  type Payload,
  type StableChanges,
} from '../state/index.js';
import {
  cleanupFailed,
  methodNotFound,
  wasmModuleNotFound,
  type ExecutionInput,
  type ExecutionResult,
  type OutgoingCall,
} from '../system-api/index.js';
import type { EntryPoint, PendingChanges } from '../wasm/index.js';
import { rejectWith } from './answers.js';
import type { ExecutionContext } from './context.js';
import { queryNative } from './native.js';
import { MAX_QUERY_REPLY_BYTES, rollbackMemory, runEntry, sharedInput } from './run.js';

/** Levels of calls in one composite query. */
const MAX_DEPTH = 6;
/** Instructions that every call of a composite query costs the whole. */
const CALL_OVERHEAD = limits.instructions.queryCallOverhead;

/** Where a query call comes from. */
export interface QueryInput {
  readonly sender: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
}

/** The whole of a composite query: what its calls may still use together. */
interface CallTree {
  instructionsLeft: number;
  readonly limit: number;
}

/** Ends the whole tree, not only the call in which it happens. */
class TreeError extends Error {
  constructor(readonly error: UserError) {
    super(error.message);
  }
}

/** Changes of one canister's memories that belong to a query under way. */
interface Changes {
  readonly heap: PendingChanges;
  readonly stable: StableChanges;
}

/** Answers a query call from the latest state. Throws UserError. */
export function executeQuery(
  context: ExecutionContext,
  canister: Canister,
  query: QueryInput,
): Uint8Array {
  const tree = { instructionsLeft: context.limits.query, limit: context.limits.query };
  let result: Payload | UserError;
  try {
    result = evaluate(context, tree, canister, query, 0);
  } catch (error) {
    if (error instanceof TreeError) throw error.error;
    throw error;
  }
  if (result instanceof UserError) throw result;
  if (result.kind === 'reply') return result.data;
  throw UserError.rejectedBy(result.message);
}

/** What forbids every query of a canister. */
function checkNotStopped(canister: Canister): void {
  if (canister.status.kind !== 'stopped') return;
  throw new UserError(
    ErrorCode.CanisterStopped,
    `Canister ${principalToText(canister.id)} is stopped and therefore does not have a CallContextManager`,
  );
}

/** What forbids the execution of a method that exists. */
function checkExecutable(context: ExecutionContext, canister: Canister): void {
  const id = principalToText(canister.id);
  if (canister.balance < freezingThreshold(context.fees, canister)) {
    throw new UserError(
      ErrorCode.CanisterOutOfCycles,
      `Canister ${id} is unable to process query calls because it's frozen. Please top up the canister with cycles and try again.`,
    );
  }
  if (canister.status.kind === 'stopping') {
    throw new UserError(ErrorCode.CanisterStopping, `Canister ${id} is not running`);
  }
}

/** Whether a method is a composite query. Throws UserError when it is no query at all. */
function isComposite(canister: Canister, method: string): boolean {
  if (!canister.code) throw wasmModuleNotFound().toUserError(canister.id);
  const { compositeQueries, queries } = canister.code.module;
  if (compositeQueries.has(method)) return true;
  if (queries.has(method)) return false;
  throw methodNotFound('query', method).toUserError(canister.id);
}

/** One query method call with everything it calls. */
function evaluate(
  context: ExecutionContext,
  tree: CallTree,
  canister: Canister,
  query: QueryInput,
  depth: number,
): Payload | UserError {
  try {
    checkNotStopped(canister);
    if (canister.native) return queryNative(context, canister.native, query);
    const composite = isComposite(canister, query.method);
    checkExecutable(context, canister);
    return new QueryCall(context, tree, canister, query, composite, depth).run();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  } finally {
    if (canister.code) rollbackMemory(canister.code);
  }
}

class QueryCall {
  private readonly call: CallContext;
  private changes: Changes | undefined;
  private readonly pending: OutgoingCall[] = [];

  constructor(
    private readonly context: ExecutionContext,
    private readonly tree: CallTree,
    private readonly canister: Canister,
    private readonly query: QueryInput,
    private readonly composite: boolean,
    private readonly depth: number,
  ) {
    this.call = newCallContext(
      { kind: 'query', sender: query.sender, method: query.method },
      0n,
      context.timeNs,
    );
  }

  run(): Payload | UserError {
    const name = this.composite ? 'canister_composite_query' : 'canister_query';
    const first = this.execute(
      { export: `${name} ${this.query.method}` },
      { mode: this.composite ? 'composite query' : 'non replicated query', arg: this.query.arg },
    );
    if (first.error) throw first.error.toUserError(this.canister.id);
    let answer = answerOf(first);
    this.pending.push(...first.execution.calls);
    while (!answer && this.pending.length > 0) {
      this.detach();
      const outgoing = this.pending.shift()!;
      const response = this.callOther(outgoing);
      if (response) answer = this.callback(outgoing, response);
    }
    if (answer) return answer;
    throw new UserError(
      ErrorCode.CanisterDidNotReply,
      `Canister ${principalToText(this.canister.id)} did not produce a response`,
    );
  }

  /** The response to a call; undefined for one that gets none. */
  private callOther(outgoing: OutgoingCall): Payload | undefined {
    const { request } = outgoing;
    const receiver = this.receiverOf(outgoing);
    if (!receiver) return undefined;
    if (this.depth >= MAX_DEPTH) {
      throw new TreeError(
        new UserError(
          ErrorCode.QueryCallGraphTooDeep,
          'Composite query calls exceeded the maximum call depth.',
        ),
      );
    }
    this.spend(CALL_OVERHEAD);
    const target = this.context.subnet.canister(receiver);
    if (!target) {
      const text = `Canister ${principalToText(receiver)} not found`;
      return rejectWith(RejectCode.DestinationInvalid, text);
    }
    const query = { sender: this.canister.id, method: request.method, arg: request.arg };
    const result = evaluate(this.context, this.tree, target, query, this.depth + 1);
    if (!(result instanceof UserError)) {
      return result.kind === 'reject' ? rejectWith(result.code, result.message) : result;
    }
    return { kind: 'reject', code: result.rejectCode, message: result.message };
  }

  /**
   * Whom a call goes to. Calls of the management canister go to a subnet, which queries do not find
   * among the canisters. One that no subnet takes is rejected in a queue that queries do not read.
   */
  private receiverOf({ request }: OutgoingCall): Uint8Array | undefined {
    if (request.receiver.length > 0) return request.receiver;
    const subnet = this.context.managementSubnet(request.method, request.arg);
    return subnet instanceof DestinationError ? undefined : subnet.id;
  }

  private callback(outgoing: OutgoingCall, response: Payload): Payload | undefined {
    const replied = response.kind === 'reply';
    const closure = replied ? outgoing.onReply : outgoing.onReject;
    const { changes } = this;
    this.attach(changes);
    const result = this.execute(
      { table: closure.fun, arg: closure.env },
      {
        mode: replied ? 'composite reply callback' : 'composite reject callback',
        ...(replied ? { arg: response.data } : { rejectMessage: response.message }),
        rejectCode: replied ? 0 : response.code,
      },
    );
    if (!result.error) {
      this.pending.push(...result.execution.calls);
      return answerOf(result);
    }
    rollbackMemory(this.canister.code!);
    this.attach(changes);
    let { error } = result;
    if (outgoing.onCleanup) {
      const { fun, env } = outgoing.onCleanup;
      const cleanup = this.execute({ table: fun, arg: env }, { mode: 'composite cleanup' });
      if (cleanup.error) {
        error = cleanupFailed(error, cleanup.error);
        rollbackMemory(this.canister.code!);
        this.attach(changes);
      }
    }
    if (this.pending.length > 0) return undefined;
    throw error.toUserError(this.canister.id);
  }

  private execute(
    entry: EntryPoint,
    input: Pick<ExecutionInput, 'mode'> & Partial<ExecutionInput>,
  ): ExecutionResult {
    const { context, canister, tree } = this;
    const limit = Math.min(context.limits.query, tree.instructionsLeft);
    const result = runEntry(
      canister.code!,
      {
        ...sharedInput(context, canister),
        maxReplyBytes: MAX_QUERY_REPLY_BYTES,
        caller: this.query.sender,
        callContext: this.call,
        instructionsBefore: this.call.instructions,
        instructionLimit: limit,
        slice: limit,
        dataCertificate: this.depth === 0 ? () => context.dataCertificate(canister) : undefined,
        ...input,
      },
      entry,
      context.limits.query,
    );
    this.call.instructions += result.instructions;
    this.spend(result.instructions, result);
    return result;
  }

  private spend(instructions: number, result?: ExecutionResult): void {
    this.tree.instructionsLeft -= instructions;
    const exhausted =
      result?.error?.code === ErrorCode.CanisterInstructionLimitExceeded &&
      this.tree.instructionsLeft <= 0;
    if (this.depth === 0 && this.call.instructions === instructions && result) return;
    if (this.tree.instructionsLeft > 0 && !exhausted) return;
    throw new TreeError(
      new UserError(
        ErrorCode.QueryCallGraphTotalInstructionLimitExceeded,
        'Composite query calls exceeded the instruction limit.',
      ),
    );
  }

  private detach(): void {
    const code = this.canister.code!;
    this.changes = { heap: code.instance.detach(), stable: code.stable.detach() };
  }

  private attach(changes: Changes | undefined): void {
    if (!changes) return;
    const code = this.canister.code!;
    code.instance.attachPending(changes.heap);
    code.stable.attach(changes.stable);
  }
}

function answerOf(result: ExecutionResult): Payload | undefined {
  const { answer } = result.execution;
  if (!answer) return undefined;
  if (answer.kind === 'reply') return answer;
  return { kind: 'reject', code: RejectCode.CanisterReject, message: answer.message };
}

import { ErrorCode, UserError } from '../errors.js';
import { canisterIdFromNumber, idKey, principalToText } from '../principal.js';
import {
  Canister,
  freezingThreshold,
  memoryUsage,
  type ChangeOrigin,
  type Code,
  type Ingress,
  type InstallRequest,
  type ManagementCall,
  type ManagementContext,
  type ManagementOutcome,
  type Payload,
  type Request,
  type Subnet,
} from '../state/index.js';
import { environmentVariablesHash } from '../management/index.js';
import { createCode } from './compile.js';
import type { ExecutionContext } from './context.js';
import { cyclesForMemoryMissing, memoryOversubscribed } from './errors.js';
import { RoundRandomness } from './randomness.js';
import { startInstallation } from './installing.js';
import type { Network } from './network.js';
import { withdraw } from './prepay.js';
import { sendToStream } from './streams.js';
import { uninstall } from './uninstall.js';

type Answered = Exclude<ManagementOutcome, { kind: 'pending' }>;

/** The management canister's hands on one subnet. */
export class ManagementHost implements ManagementContext {
  private randomness: RoundRandomness | undefined;

  constructor(
    readonly network: Network,
    readonly execution: ExecutionContext,
  ) {}

  get subnet(): Subnet {
    return this.execution.subnet;
  }
  get timeNs(): bigint {
    return this.execution.timeNs;
  }
  get schedule() {
    return this.execution.schedule;
  }
  get fees() {
    return this.execution.fees;
  }
  get availableMemory(): bigint {
    return this.execution.subnetMemory.available;
  }

  randomBytes(): Uint8Array {
    this.randomness ??= new RoundRandomness(this.subnet.round);
    return this.randomness.next();
  }

  findCanister(id: Uint8Array): Canister | undefined {
    return this.network.findCanister(id);
  }

  subnetOf(canisterId: Uint8Array): Subnet | undefined {
    return this.network.subnetOf(canisterId);
  }

  createCanister(options: Parameters<ManagementContext['createCanister']>[0]): Canister {
    const { subnet } = this;
    const id = options.specifiedId ?? this.nextCanisterId();
    if (this.network.findCanister(id)) {
      throw new UserError(
        ErrorCode.CanisterIdAlreadyExists,
        `Unable to create canister: The specified canister ID ${principalToText(id)} is already installed.`,
      );
    }
    const canister = new Canister(id, subnet.key, options.settings, options.cycles, this.timeNs);
    subnet.canisters.set(canister.key, canister);
    const variables = options.settings.environmentVariables;
    canister.recordChange(this.timeNs, options.origin, {
      kind: 'creation',
      controllers: options.settings.controllers,
      environmentVariablesHash:
        variables.length > 0 ? environmentVariablesHash(variables) : undefined,
    });
    return canister;
  }

  private nextCanisterId(): Uint8Array {
    const { subnet } = this;
    for (;;) {
      if (subnet.nextCanister > subnet.allocation.last) {
        throw new UserError(ErrorCode.SubnetOversubscribed, 'The subnet has no canister ids left.');
      }
      const id = canisterIdFromNumber(subnet.nextCanister++);
      if (!subnet.canisters.has(idKey(id))) return id;
    }
  }

  installCode(request: InstallRequest): ManagementOutcome {
    return startInstallation(this, request);
  }

  createCode(
    canister: Canister,
    moduleBytes: Uint8Array,
  ): { readonly code: Code; readonly instructions: number } {
    return createCode(this.subnet, canister, moduleBytes, this.schedule);
  }

  uninstallCode(canister: Canister, origin: ChangeOrigin): void {
    uninstall(this.execution, canister);
    canister.version++;
    canister.recordChange(this.timeNs, origin, { kind: 'code_uninstall' });
  }

  deleteCanister(canister: Canister): void {
    this.subnet.canisters.delete(canister.key);
  }

  answer(message: Ingress | Request, outcome: Answered): void {
    if (message.kind === 'ingress') {
      const status =
        outcome.kind === 'reply'
          ? ({ status: 'replied', reply: outcome.data } as const)
          : ({ status: 'rejected', error: outcome.error } as const);
      this.subnet.ingressHistory.set(message.messageKey, status, this.timeNs);
      return;
    }
    const used = outcome.cyclesUsed ?? 0n;
    const payload: Payload =
      outcome.kind === 'reply'
        ? { kind: 'reply', data: outcome.data }
        : { kind: 'reject', code: outcome.error.rejectCode, message: outcome.error.message };
    sendToStream(this.network, this.subnet, {
      kind: 'response',
      originator: message.sender,
      respondent: message.receiver,
      callbackId: message.callbackId,
      refund: message.cycles - used,
      deadline: message.deadline,
      payload,
    });
  }

  stopCanister(canister: Canister, call: ManagementCall): ManagementOutcome {
    const waiter = { call: call.message, refund: call.cycles, since: this.timeNs };
    canister.version++;
    switch (canister.status.kind) {
      case 'stopped':
        return { kind: 'reply', data: EMPTY_REPLY };
      case 'stopping':
        canister.status.waiters.push(waiter);
        break;
      case 'running':
        canister.status = { kind: 'stopping', waiters: [waiter] };
        break;
    }
    return { kind: 'pending' };
  }

  startCanister(canister: Canister): void {
    if (canister.status.kind === 'stopping') {
      for (const { call } of canister.status.waiters) {
        this.answer(call, {
          kind: 'reject',
          error: new UserError(
            ErrorCode.CanisterStoppingCancelled,
            `Canister ${principalToText(canister.id)}'s stop request was cancelled.`,
          ),
        });
      }
    }
    canister.status = { kind: 'running' };
    canister.version++;
  }

  chargeInstructions(canister: Canister, instructions: number): void {
    const price = this.fees.managementWork(instructions);
    withdraw(this.execution, canister, price, true);
    canister.consumption.instructions += price;
  }

  checkMemoryGrowth(canister: Canister, bytes: bigint): void {
    const { memoryAllocation } = canister.settings;
    const used = BigInt(memoryUsage(canister));
    const allocated = (amount: bigint): bigint =>
      amount > memoryAllocation ? amount : memoryAllocation;
    const growth = allocated(used + bytes) - allocated(used);
    if (growth <= 0n) return;
    if (growth > this.availableMemory) {
      throw memoryOversubscribed(growth, this.availableMemory);
    }
    const threshold = freezingThreshold(this.fees, canister, Number(used + bytes));
    if (canister.balance < threshold) {
      throw cyclesForMemoryMissing(growth, threshold - canister.balance);
    }
    this.execution.subnetMemory.available -= growth;
  }

  /** Ends the stopping of canisters that have nothing open any more, and of callers who waited too long. */
  processStopping(): void {
    for (const canister of this.subnet.canisters.values()) {
      const { status } = canister;
      if (status.kind !== 'stopping') continue;
      if (canister.callContexts.openContexts === 0 && !canister.paused) {
        canister.status = { kind: 'stopped' };
        canister.version++;
        for (const { call } of status.waiters)
          this.answer(call, { kind: 'reply', data: EMPTY_REPLY });
        continue;
      }
      const late = status.waiters.filter(({ since }) => this.timeNs >= since + STOP_TIMEOUT_NS);
      for (const { call } of late) {
        status.waiters.splice(
          status.waiters.findIndex((waiter) => waiter.call === call),
          1,
        );
        this.answer(call, {
          kind: 'reject',
          error: new UserError(
            ErrorCode.StopCanisterRequestTimeout,
            'Stop canister request timed out',
          ),
        });
      }
    }
  }
}

/** How long a caller of stop_canister waits. */
const STOP_TIMEOUT_NS = 300_000_000_000n;
/** Candid for no values. */
const EMPTY_REPLY = Uint8Array.of(0x44, 0x49, 0x44, 0x4c, 0, 0);

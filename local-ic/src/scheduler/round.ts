import { profileOf } from '../costs/index.js';
import type { Canister, Ingress, Request, Subnet } from '../state/index.js';
import { ALLOCATION_CHARGE_PERIOD_NS, allocatedBytes, messageMemoryUsage } from '../state/index.js';
import { ActiveCanistersScheduler } from './active/index.js';
import { AllCanistersScheduler } from './all-canisters.js';
import type { ExecutionContext } from './context.js';
import { expire } from './expiry.js';
import { inductIngress } from './ingress-induction.js';
import { PausedInstallation } from './installing.js';
import { limitsOf } from './limits.js';
import { ManagementHost } from './management-host.js';
import type { Network } from './network.js';
import { nextExecution } from './next-execution.js';
import type { RoundScheduler } from './round-scheduler.js';
import { noteProcessing } from './answers.js';
import { buildStreams, inductOnSameSubnet, inductStreams } from './streams.js';
import { SubnetMemoryView } from './subnet-memory.js';
import { runThread } from './threads.js';
import { uninstall } from './uninstall.js';
import { PausedWork } from './work.js';

/** Executes the rounds of one subnet. */
export class RoundExecutor {
  private readonly scheduler: RoundScheduler;

  constructor(
    private readonly network: Network,
    private readonly subnet: Subnet,
  ) {
    const profile = profileOf(network.schedule);
    const Scheduler =
      profile.scheduler.kind === 'all' ? AllCanistersScheduler : ActiveCanistersScheduler;
    this.scheduler = new Scheduler(subnet, limitsOf(profile, subnet.isSystem));
  }

  /** One round: takes messages in, executes, sends on, charges. */
  execute(context: ExecutionContext, payerOf: (message: Ingress) => Canister | undefined): void {
    const { subnet, network } = this;
    subnet.round++;
    expire(context);
    inductStreams(network, subnet);
    inductIngress(context, payerOf);
    const host = new ManagementHost(network, context);
    this.executeRound(context, host);
    buildStreams(network, subnet, context.timeNs);
  }

  private executeRound(context: ExecutionContext, host: ManagementHost): void {
    const { subnet, scheduler } = this;
    const { limits } = context;
    const budget = new ManagementBudget(limits.managementRound);
    this.advanceInstallations(host, budget);
    scheduler.startRound(subnet.round);
    const withTasks: Canister[] = [];
    let left = limits.round - Math.max(limits.slice, limits.messageWithoutSlices) + 1;
    let heapDelta = 0;
    for (let iteration = 0; ; iteration++) {
      const first = iteration === 0;
      this.drainManagementQueue(host, budget);
      if (first) this.addTasks(context, withTasks);
      if (context.subnetMemory instanceof SubnetMemoryView) context.subnetMemory.refresh();
      const dealt = scheduler.startIteration(first);
      const before = left;
      let messages = 0;
      if (left > 0) {
        let most = 0;
        for (const thread of dealt) {
          const result = runThread(context, thread, before, iteration, scheduler);
          messages += result.messages;
          most = Math.max(most, result.instructions);
          heapDelta += result.heapDelta;
        }
        left -= most;
      }
      left -= limits.overheadPerHostedCanister * subnet.canisters.size;
      if (messages === 0 || left <= 0 || heapDelta >= limits.heapDeltaPerIteration) break;
      inductOnSameSubnet(subnet);
    }
    for (const canister of withTasks) canister.tasks.length = 0;
    this.finish(context, host);
    scheduler.finishRound();
    this.abortSurplus(context);
  }

  private advanceInstallations(host: ManagementHost, budget: ManagementBudget): void {
    for (const canister of this.subnet.sortedCanisters()) {
      if (!(canister.paused instanceof PausedInstallation)) continue;
      budget.left -= canister.paused.resume(host);
      if (budget.left <= 0 || nextExecution(canister) === 'continueInstallCode') break;
    }
    budget.left = Math.max(0, budget.left);
  }

  private drainManagementQueue(host: ManagementHost, budget: ManagementBudget): void {
    const queue = this.subnet.managementQueue;
    for (let index = 0; index < queue.length;) {
      const message = queue[index]!;
      if (!this.mayExecute(message, budget)) {
        index++;
        continue;
      }
      queue.splice(index, 1);
      const instructions = this.executeManagement(host, message);
      budget.left -= instructions;
      if (instructions > 0 && budget.left <= 0) break;
    }
  }

  /** Calls about a canister wait while it executes a long message; installations run one by one. */
  private mayExecute(message: Ingress | Request, budget: ManagementBudget): boolean {
    const heavy = message.method === 'install_code' || message.method === 'install_chunked_code';
    if (heavy && (budget.left <= 0 || this.installing())) return false;
    const destination = this.targetOf(message);
    return destination?.paused?.state !== 'paused';
  }

  private installing(): boolean {
    for (const canister of this.subnet.canisters.values()) {
      if (canister.paused?.kind === 'install_code') return true;
    }
    return false;
  }

  private targetOf(message: Ingress | Request): Canister | undefined {
    try {
      const destination = this.network.management.resolveDestination(
        message.method,
        message.arg,
        () => true,
      );
      return destination.kind === 'canister' ? this.subnet.canister(destination.id) : undefined;
    } catch {
      return undefined;
    }
  }

  private executeManagement(host: ManagementHost, message: Ingress | Request): number {
    this.subnet.firstSliceInstructions = 0;
    const outcome = this.network.management.executeManagementCall(host, {
      method: message.method,
      sender: message.sender,
      arg: message.arg,
      cycles: message.kind === 'request' ? message.cycles : 0n,
      message,
    });
    if (outcome.kind === 'pending') {
      noteProcessing(host.execution, message);
      return this.subnet.firstSliceInstructions;
    }
    host.answer(message, outcome);
    return outcome.instructions ?? 0;
  }

  /** Puts heartbeats and timers that are due in front of messages; the three take turns. */
  private addTasks(context: ExecutionContext, withTasks: Canister[]): void {
    for (const canister of this.subnet.sortedCanisters()) {
      if (canister.status.kind !== 'running' || !canister.code) continue;
      const { hooks } = canister.code.module;
      const heartbeat = hooks.has('canister_heartbeat');
      const timer =
        hooks.has('canister_global_timer') &&
        canister.globalTimer !== undefined &&
        canister.globalTimer <= context.timeNs;
      if (!heartbeat && !timer) continue;
      const next = nextExecution(canister);
      if (next === 'continueLong' || next === 'continueInstallCode') continue;
      if (chooseTasks(canister, heartbeat, timer)) withTasks.push(canister);
    }
  }

  private finish(context: ExecutionContext, host: ManagementHost): void {
    const { limits } = context;
    for (const { scheduler } of this.subnet.canisters.values()) {
      scheduler.heapDeltaDebit = Math.max(0, scheduler.heapDeltaDebit - limits.heapDeltaPerRound);
      scheduler.installCodeDebit = Math.max(
        0,
        scheduler.installCodeDebit - limits.installCodePerRound,
      );
    }
    host.processStopping();
    this.chargeAllocations(context);
  }

  /** Charges for storage and compute allocation; canisters that cannot pay lose their code. */
  private chargeAllocations(context: ExecutionContext): void {
    if (this.subnet.round % context.limits.roundsBetweenCharges !== 0) return;
    for (const canister of this.subnet.canisters.values()) {
      if (canister.paused?.state === 'paused') continue;
      const since = context.timeNs - canister.scheduler.timeOfLastAllocationCharge;
      if (since < ALLOCATION_CHARGE_PERIOD_NS) continue;
      canister.scheduler.timeOfLastAllocationCharge = context.timeNs;
      const { fees } = context;
      const storage =
        fees.canister(since) +
        fees.storageCharge(allocatedBytes(canister), since) +
        fees.storageCharge(BigInt(messageMemoryUsage(canister)), since);
      const fromReserve = storage < canister.reservedBalance ? storage : canister.reservedBalance;
      const compute = fees.computeAllocation(canister.settings.computeAllocation, since);
      const price = storage - fromReserve + compute;
      canister.reservedBalance -= fromReserve;
      const { consumption } = canister;
      if (canister.balance >= price) {
        canister.balance -= price;
        consumption.memory += storage;
        consumption.compute_allocation += compute;
        continue;
      }
      consumption.memory += fromReserve;
      consumption.uninstall += canister.balance;
      uninstall(context, canister);
      canister.version++;
      canister.balance = 0n;
      canister.settings = { ...canister.settings, computeAllocation: 0, memoryAllocation: 0n };
      canister.history.changes.length = 0;
    }
  }

  /** Only so many executions stay paused: the rest start again later. */
  private abortSurplus(context: ExecutionContext): void {
    const paused = [...this.subnet.canisters.values()].filter(
      (canister) => canister.paused instanceof PausedWork && canister.paused.state === 'paused',
    );
    for (const canister of this.scheduler.byPriority(paused).slice(context.limits.maxPaused)) {
      (canister.paused as PausedWork).abort();
      this.scheduler.noteAborted(canister);
    }
  }
}

/** Instructions that management calls may use in a round. */
class ManagementBudget {
  constructor(public left: number) {}
}

const METHODS = ['globalTimer', 'heartbeat', 'message'] as const;

function chooseTasks(canister: Canister, heartbeat: boolean, timer: boolean): boolean {
  if (canister.lowWasmMemoryHook === 'ready') {
    advance(canister);
    return false;
  }
  for (let tries = 0; tries < METHODS.length; tries++) {
    const method = canister.scheduler.nextScheduledMethod;
    advance(canister);
    if (method === 'message') {
      if (canister.queues.hasInput()) return false;
    } else if (method === 'heartbeat' && heartbeat) {
      canister.tasks.push('heartbeat');
      if (timer) canister.tasks.push('globalTimer');
      return true;
    } else if (method === 'globalTimer' && timer) {
      canister.tasks.push('globalTimer');
      if (heartbeat) canister.tasks.push('heartbeat');
      return true;
    }
  }
  return false;
}

function advance(canister: Canister): void {
  const index = METHODS.indexOf(canister.scheduler.nextScheduledMethod);
  canister.scheduler.nextScheduledMethod = METHODS[(index + 1) % METHODS.length]!;
}

import { RejectCode } from '../errors.js';
import { idKey, principalToText, sameId } from '../principal.js';
import {
  grouped,
  type Canister,
  type Request,
  type Response,
  type Subnet,
} from '../state/index.js';
import { DestinationError } from '../management/index.js';
import { managementSubnet } from './management-routing.js';
import type { Network } from './network.js';
import { systemReject } from './outgoing.js';
import { drawFrom } from './rotation.js';

/** Puts a message on the way to the subnet of its receiver. */
export function sendToStream(network: Network, from: Subnet, message: Request | Response): void {
  if (message.kind === 'response') {
    const target = network.subnetOf(message.originator) ?? from;
    append(from, target.key, message);
    return;
  }
  if (message.receiver.length === 0) {
    sendToManagement(network, from, message);
    return;
  }
  const target = network.subnetOf(message.receiver) ?? network.subnetById(message.receiver);
  if (target) append(from, target.key, message);
  else
    rejectNow(
      from,
      message,
      RejectCode.DestinationInvalid,
      `No route to canister ${principalToText(message.receiver)}`,
    );
}

function append(from: Subnet, targetKey: string, message: Request | Response): void {
  const stream = from.streams.get(targetKey);
  if (stream) stream.push(message);
  else from.streams.set(targetKey, [message]);
}

function sendToManagement(network: Network, from: Subnet, message: Request): void {
  const target = managementSubnet(network, from, message.method, message.arg);
  if (target instanceof DestinationError) {
    rejectNow(from, message, target.rejectCode, target.message);
    return;
  }
  append(from, target.key, message);
}

/** Answers a call of a canister of this subnet at once. */
function rejectNow(subnet: Subnet, request: Request, code: RejectCode, text: string): void {
  subnet.canister(request.sender)?.queues.pushInput(systemReject(request, code, text), 'local');
}

/**
 * Delivers what canisters sent to canisters of the same subnet. What cannot be taken now stays in
 * the sender's output and goes on at the end of the round.
 */
export function inductOnSameSubnet(subnet: Subnet): void {
  for (const source of subnet.sortedCanisters()) {
    if (!source.queues.hasOutput()) continue;
    source.queues.deliverOutput((receiverKey, message) => {
      const target = subnet.canisters.get(receiverKey);
      if (!target) return false;
      return takeIn(target, message, 'local') === undefined;
    });
  }
}

/**
 * Queues a response. One that comes after the call's deadline has expired is dropped, but the cycles
 * that it brings back are credited.
 */
export function takeResponse(target: Canister, response: Response, from: 'local' | 'remote'): void {
  const callback = target.callContexts.callback(response.callbackId);
  if (!callback || callback.responded) {
    target.balance += response.refund;
    return;
  }
  callback.responded = true;
  target.queues.pushInput(response, from);
}

/** Why a request cannot be taken in; undefined when it was. */
type Refusal = { readonly code: RejectCode; readonly text: string } | undefined;

function takeIn(target: Canister, message: Request | Response, from: 'local' | 'remote'): Refusal {
  if (message.kind === 'request' && target.status.kind !== 'running') {
    return {
      code: RejectCode.CanisterError,
      text: `Canister ${principalToText(target.id)} is ${target.status.kind}`,
    };
  }
  if (message.kind === 'response') {
    takeResponse(target, message, from);
    return undefined;
  }
  const minimum = target.settings.minimumIncomingCallCycles;
  if (message.cycles < minimum && !sameId(message.sender, target.id)) {
    return {
      code: RejectCode.CanisterError,
      text: `Canister ${principalToText(target.id)} takes calls of other canisters with at least ${grouped(minimum)} cycles, not ${grouped(message.cycles)}`,
    };
  }
  if (target.queues.pushInput(message, from)) return undefined;
  return {
    code: RejectCode.SysTransient,
    text: `Canister ${principalToText(target.id)} input queue is full`,
  };
}

/**
 * Moves everything that canisters still have in their output onto the way. They take turns, one
 * message each, from a canister on that the round's time draws.
 */
export function buildStreams(network: Network, subnet: Subnet, timeNs: bigint): void {
  const senders = subnet.sortedCanisters().filter(({ queues }) => queues.hasOutput());
  if (senders.length === 0) return;
  for (const { queues } of senders) queues.orderOutput();
  let turn = senders.length === 1 ? 0 : drawFrom(timeNs, senders.length);
  while (senders.length > 0) {
    turn %= senders.length;
    const { queues } = senders[turn]!;
    sendToStream(network, subnet, queues.popOutput()!);
    if (queues.hasOutput()) turn++;
    else senders.splice(turn, 1);
  }
}

/** Takes in what is on the way to this subnet: its own messages first, then those of other subnets. */
export function inductStreams(network: Network, subnet: Subnet): void {
  const sources = [subnet, ...network.allSubnets().filter((other) => other !== subnet)];
  for (const source of sources) {
    const messages = source.streams.get(subnet.key);
    if (!messages) continue;
    source.streams.delete(subnet.key);
    for (const message of messages) induct(network, subnet, source, message);
  }
}

function induct(
  network: Network,
  subnet: Subnet,
  source: Subnet,
  message: Request | Response,
): void {
  const from = source === subnet ? 'local' : 'remote';
  if (message.kind === 'response') {
    const originator = subnet.canister(message.originator);
    if (originator) takeResponse(originator, message, from);
    return;
  }
  if (message.receiver.length === 0 || subnet.key === idKey(message.receiver)) {
    subnet.managementQueue.push(message);
    return;
  }
  const target = subnet.canister(message.receiver);
  const refusal = target
    ? takeIn(target, message, from)
    : {
        code: RejectCode.DestinationInvalid,
        text: `Canister ${principalToText(message.receiver)} not found`,
      };
  if (!refusal) return;
  const reject = systemReject(message, refusal.code, refusal.text);
  const sender = source === subnet ? subnet.canister(message.sender) : undefined;
  if (sender) takeResponse(sender, reject, 'local');
  else sendToStream(network, subnet, reject);
}

import {
  CanisterError,
  maxListedCallers,
  maxListedOwners,
  roles,
  type AccessRecord,
  type QuotaRecord,
  type Role,
} from '@canopy/protocol';
import { callerText } from '../bytes/text-of-bytes.js';
import { CoordinatorError } from '../error.js';
import { samePrincipal, type Ic, type PrincipalLike } from '../ic/ic.js';

export type Access = AccessRecord<PrincipalLike>;

const noQuota: QuotaRecord = { requests_a_day: [], instructions_a_day: [] };

/** Of a coordinator that was never told another: every principal may call that is somebody's. */
const atFirst: Access = {
  owners: [],
  operators: [],
  callers: { open: null },
  anonymous: false,
  quota: noQuota,
};

/** The principal of those who do not say who they are. */
export function isAnonymous(principal: PrincipalLike): boolean {
  const bytes = principal.toUint8Array();
  return bytes.length === 1 && bytes[0] === 4;
}

/** Who may do what: owners, operators, callers and their quotas. */
export class AccessPolicy {
  private stated = atFirst;
  private owners = new Set<string>();
  private operators = new Set<string>();
  /** Undefined: open. */
  private listed: Map<string, QuotaRecord | undefined> | undefined;

  constructor(private readonly ic: Ic) {}

  get access(): Access {
    return this.stated;
  }

  private check({ owners, operators, callers }: Access): void {
    checkList('owners', owners, maxListedOwners);
    checkList('operators', operators, maxListedOwners);
    if (!('list' in callers)) return;
    const names = callers.list.map(({ caller }) => caller);
    checkList('callers', names, maxListedCallers);
  }

  /** Takes over all of it, or throws {@link CoordinatorError} `bad-input` and changes nothing. */
  set(access: Access): void {
    this.check(access);
    const { owners, operators, callers } = access;
    const listed = 'list' in callers ? callers.list : undefined;
    this.stated = access;
    this.owners = new Set(owners.map(callerText));
    this.operators = new Set(operators.map(callerText));
    this.listed = listed && new Map(listed.map((one) => [callerText(one.caller), one.quota[0]]));
  }

  roleOf(principal: PrincipalLike): Role {
    const text = callerText(principal);
    if (this.owners.has(text) || this.ic.isController(principal)) return 'owner';
    if (this.operators.has(text)) return 'operator';
    return this.mayCall(principal) ? 'caller' : 'stranger';
  }

  /** Whether a principal has a role, or a greater one. Cheap for callers. */
  covers(principal: PrincipalLike, role: Role | 'itself'): boolean {
    if (role === 'itself') return samePrincipal(principal, this.ic.self());
    if (role === 'stranger') return true;
    if (role === 'caller' && this.mayCall(principal)) return true;
    return roles.indexOf(this.roleOf(principal)) >= roles.indexOf(role);
  }

  /** Throws {@link CoordinatorError} `not-authorised` where a principal may not call a method. */
  require(principal: PrincipalLike, role: Role | 'itself', method: string): void {
    if (!this.covers(principal, role)) throw refusal(principal, role, method);
  }

  /** What a caller may take in a day; owners and operators as much as they want. */
  quotaOf(principal: PrincipalLike): QuotaRecord {
    const quota = this.listed?.get(callerText(principal)) ?? this.stated.quota;
    if (isUnlimited(quota)) return noQuota;
    return this.covers(principal, 'operator') ? noQuota : quota;
  }

  private mayCall(principal: PrincipalLike): boolean {
    if (isAnonymous(principal)) return this.stated.anonymous;
    return this.listed === undefined || this.listed.has(callerText(principal));
  }
}

function isUnlimited({ requests_a_day, instructions_a_day }: QuotaRecord): boolean {
  return requests_a_day.length === 0 && instructions_a_day.length === 0;
}

function checkList(what: string, principals: readonly PrincipalLike[], most: number): void {
  const refuse = (reason: string): never => {
    throw new CoordinatorError(CanisterError.badInput, `access: "${what}" ${reason}`);
  };
  if (principals.length > most)
    refuse(`has ${principals.length} entries, at most ${most} are possible`);
  if (principals.some(isAnonymous)) {
    refuse(
      'names the anonymous principal, which is everybody: "anonymous" says whether it may call',
    );
  }
  const seen = new Set<string>();
  for (const principal of principals) {
    const name = callerText(principal);
    if (seen.has(name)) refuse(`names ${principal.toText()} twice`);
    seen.add(name);
  }
}

function refusal(
  principal: PrincipalLike,
  role: Role | 'itself',
  method: string,
): CoordinatorError {
  const who = `${principal.toText()} may not call ${method}`;
  if (role === 'itself') {
    return new CoordinatorError(
      CanisterError.notAuthorised,
      `${who}: only the coordinator itself may`,
    );
  }
  if (role !== 'caller') {
    const needed = role === 'owner' ? 'owners' : 'operators and owners';
    return new CoordinatorError(
      CanisterError.notAuthorised,
      `${who}: only ${needed} of the coordinator may, and its controllers`,
    );
  }
  const reason = isAnonymous(principal)
    ? 'anonymous callers are not allowed here: call as an identity of your own, or have an owner allow them'
    : 'it is not among the callers that the owners have listed';
  return new CoordinatorError(CanisterError.notAuthorised, `${who}: ${reason}`);
}

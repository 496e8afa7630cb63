import { UserError } from '../errors.js';
import type {
  InstallRequest,
  LongExecution,
  ManagementCall,
  ManagementOutcome,
} from '../state/index.js';
import type { ExecutionContext } from './context.js';
import { runInstallation, type Installation } from './install-code.js';

/** Candid for no values. */
const EMPTY_REPLY = Uint8Array.of(0x44, 0x49, 0x44, 0x4c, 0, 0);

type Answered = Exclude<ManagementOutcome, { kind: 'pending' }>;

/** Where code is installed, and who answers its caller. */
export interface InstallationHost {
  readonly execution: ExecutionContext;
  answer(message: ManagementCall['message'], outcome: Answered): void;
}

function conclude(installation: Installation): Answered {
  try {
    installation.finish();
    return { kind: 'reply', data: EMPTY_REPLY };
  } catch (error) {
    if (error instanceof UserError) return { kind: 'reject', error };
    throw error;
  }
}

/** An installation between two of its slices. */
export class PausedInstallation implements LongExecution {
  readonly kind = 'install_code';
  private next = 1;
  private aborted = false;

  constructor(
    private readonly request: InstallRequest,
    private installation: Installation,
  ) {}

  get state(): 'paused' | 'aborted' {
    return this.aborted ? 'aborted' : 'paused';
  }

  /** Executes the next slice; after the last one the call is answered. Returns its instructions. */
  resume(host: InstallationHost): number {
    if (this.aborted) {
      this.installation = runInstallation(host.execution, this.request, this.installation.prepaid);
      this.aborted = false;
      this.next = 0;
    }
    const { slices } = this.installation;
    const instructions = slices[this.next++]!;
    if (this.next >= slices.length) {
      this.request.canister.paused = undefined;
      host.answer(this.request.call.message, conclude(this.installation));
    }
    return instructions;
  }

  /** Throws the progress away; the installation starts again in a later round. */
  abort(): void {
    this.aborted = true;
  }
}

/** Starts an installation: ends it at once, or pauses it after its first slice. */
export function startInstallation(
  host: InstallationHost,
  request: InstallRequest,
): ManagementOutcome {
  const installation = runInstallation(host.execution, request);
  const instructions = installation.slices[0]!;
  if (installation.slices.length === 1) return { ...conclude(installation), instructions };
  request.canister.paused = new PausedInstallation(request, installation);
  host.execution.subnet.firstSliceInstructions = instructions;
  return { kind: 'pending' };
}

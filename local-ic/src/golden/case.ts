/** A recorded case: steps played on a fresh instance, each with what a real server answered. */
export interface GoldenCase {
  readonly name: string;
  readonly topic: string;
  readonly what: string;
  readonly subnets: readonly string[];
  readonly initial_time_ns: string;
  readonly modules: readonly string[];
  readonly steps: readonly Step[];
}

/** A value that differed between two recordings, so is not compared. */
export interface NotCompared {
  readonly $nondeterministic: true;
}

export type Recorded<T> = T | NotCompared;

export interface RecordedReject {
  readonly code: string;
  readonly error_code: string;
  readonly message: string;
  readonly phase?: 'submit';
}

/** How a message was answered. One of reply, reject, server_error, pending is present. */
export interface RecordedOutcome {
  readonly reply?: Recorded<string>;
  readonly reply_len?: number;
  readonly reply_sha256?: string;
  readonly reply_decoded?: unknown;
  readonly reject?: RecordedReject;
  readonly server_error?: string;
  readonly pending?: boolean;
}

export interface RecordedEffects {
  readonly rounds?: Recorded<number>;
  /** Balance before minus after, by canister; "deleted" where there is none any more. */
  readonly cycles?: Recorded<Readonly<Record<string, Recorded<string>>>>;
}

interface Message {
  readonly canister: string;
  readonly method: string;
  readonly sender: string;
  readonly arg: string;
  readonly effective_canister?: string;
}

export type Step =
  | {
      readonly do: 'create';
      readonly as: string;
      readonly sender: string;
      readonly arg: string;
      readonly subnet?: string;
      readonly expect: RecordedOutcome & RecordedEffects & { readonly balance?: Recorded<string> };
    }
  | { readonly do: 'name_canister'; readonly as: string }
  | ({ readonly do: 'update'; readonly expect: RecordedOutcome & RecordedEffects } & Message)
  | ({ readonly do: 'query'; readonly expect: RecordedOutcome } & Message)
  | ({
      readonly do: 'submit';
      readonly as: string;
      readonly message_id?: string;
      readonly expect: RecordedOutcome & { readonly accepted?: boolean };
    } & Message)
  | { readonly do: 'tick'; readonly n: number; readonly expect: RecordedEffects }
  | {
      readonly do: 'drain';
      readonly messages: readonly string[];
      readonly expect: RecordedEffects & {
        readonly answers: Readonly<
          Record<string, RecordedOutcome & { readonly round: Recorded<number> }>
        >;
      };
    }
  | { readonly do: 'status'; readonly message: string; readonly expect: RecordedOutcome }
  | { readonly do: 'set_time' | 'advance_time'; readonly nanos: string }
  | {
      readonly do: 'add_cycles';
      readonly canister: string;
      readonly amount: string;
      readonly expect: { readonly balance: Recorded<string> };
    }
  | {
      readonly do: 'get_cycles';
      readonly canister: string;
      readonly expect: { readonly balance: Recorded<string> };
    }
  | {
      readonly do: 'get_stable_memory';
      readonly canister: string;
      readonly expect: { readonly length: number; readonly sha256: string };
    }
  | { readonly do: 'note'; readonly text: string };

/** Most important first. */
export const aspects = ['outcome', 'text', 'rounds', 'cycles'] as const;

/**
 * What a difference is about: the answer itself (reply bytes, reject code, error code, state),
 * the text of a reject, rounds executed, or cycles charged.
 */
export type Aspect = (typeof aspects)[number];

export interface Difference {
  readonly aspect: Aspect;
  /** Index into the steps of the case; -1 for a failure of the case as a whole. */
  readonly step: number;
  readonly text: string;
}

export interface CaseResult {
  readonly name: string;
  readonly topic: string;
  readonly differences: readonly Difference[];
  readonly milliseconds: number;
}

/** What fits the Internet Computer's messages; source: interface specification and `local-ic/src/costs`. */

/** An ingress message or a reply holds 2 MiB; this leaves room for the envelope and Candid. */
export const maxMessageBytes = 2 * 1024 * 1024 - 64 * 1024;
/** A call between canisters of one subnet holds 10 MiB; this leaves room for the envelope. */
export const maxStageMessageBytes = 10 * 1024 * 1024 - 64 * 1024;
/** Larger requests go to a head alone: to copy them would cost more than their call. */
export const mostJoinedRequestBytes = 64 * 1024;
/** Requests of a round reach a head in calls of so many bytes. */
export const mostJoinedBytes = maxMessageBytes - mostJoinedRequestBytes;
/** Chunk of a shard in one `put_chunk`: the whole pages that an ingress message holds beside its head. */
export const defaultChunkBytes = maxMessageBytes - 64 * 1024;
/** Instructions of a slice of deterministic time slicing. */
export const sliceInstructions = 2_000_000_000;
/** A message should end clearly before its slice. */
export const defaultInstructionBudget = 1_900_000_000;
/**
 * Below so many thousand million cycles above its freezing threshold a canister begins nothing new. A call sets
 * 42 aside for its answer, which may be as long as messages can be (40 B instructions, 2 MiB); a stage has up to
 * four under way: to itself, with tasks, with news, and one that is answered.
 */
export const reservedGigacycles = 200;
/** Below so many a stage refuses tasks of runs that are under way too: its next call could not be made. */
export const floorGigacycles = 50;
/** Requests of a pipeline that wait for their result by an open call, unless told otherwise; others get tickets. */
export const defaultOpenCalls = 2;

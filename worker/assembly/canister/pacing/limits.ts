/** Limits of the head's queue, each with its reason. */

/** A stage may be late by a message or two without the head running out of room. */
export const messagesUnderWayPerStage: u32 = 2;
export const tasksUnderWayMore: u32 = 4;
/** Canisters that a subnet executes at the same time (limits.json, executionThreads). */
export const threads: u32 = 4;
/** Runs that are not finished; the table also holds results that are kept. */
export const maxUnfinished: u32 = 1000;
/** A micro-batch takes a block of the heap for its task, then for its result; each is looked through for room. */
export const maxBatches: u32 = 4096;
/** Heap for inputs of runs that are not finished: what weights and activations need must remain. */
export const maxInputBytes: u64 = 256 * 1024 * 1024;
/** Results kept until they are fetched and released. */
export const maxKeptResults: u32 = 1000;
export const maxKeptBytes: u64 = 256 * 1024 * 1024;
/** Rounds in which a call looks for its result, in every iteration of each: each look costs as much as a call. */
export const maxLooks: u32 = 100;
/** How often the head looks whether there is news of its tasks, and stages tell what they still have. */
export const watchSeconds: u64 = 30;
/**
 * Looks in a row without news after which a stage has lost a task. They are counted, not timed: where a
 * subnet stands still, time passes without anybody being able to tell news.
 */
export const mostSilentLooks: u32 = 4;
/** A call that waits looks for its result in every iteration; one that has not for so long is lost. */
export const secondsWithoutLook: u64 = 120;
/** A step that has not come after so long is lost, as after a snapshot was loaded; another is sent. */
export const secondsOfStep: u64 = 10;
/** A call to another worker that is not answered after so long is lost, and made again. */
export const secondsOfCall: u64 = 600;
/**
 * Of the 2 B that a thread has for a round (limits.json), what is left beside the small messages of
 * pipelines that take no runs: with a worker on a thread, and with several.
 */
export const roomOfOneStage: u64 = 1_900_000_000;
export const roomOfSeveral: u64 = 1_830_000_000;
/** Messages are not made shorter than this to leave room for the coordinator. */
export const shortestLongMessage: u64 = 1_000_000_000;
/** What the coordinator takes when a result is released; messages are charged 2 M each. */
export const coordinatorPerRelease: u64 = 16_000_000;
/**
 * What the coordinator says it takes in a round holds for so many rounds, and one more for each
 * pipeline: they hear of it in turn.
 */
export const roundsOfLoad: u32 = 3;
/** Iterations at the beginning of a round that belong to small messages; see `round.ts`. */
export const quietIterations: u32 = 3;
/** Where so many rounds in a row were over before a stage could work, as many go without quiet. */
export const mostRoundsLost: u32 = 4;
export const roundsWithoutQuiet: u32 = 32;

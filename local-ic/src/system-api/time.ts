import type { ApiGroup } from './function.js';
import { MODES } from './modes.js';

/** Time and the global timer. */
export const time: ApiGroup = {
  time: {
    params: [],
    result: 'l',
    allowed: MODES.notStart,
    run: ({ execution }) => execution.input.timeNs,
  },
  global_timer_set: {
    params: ['l'],
    result: 'l',
    allowed: MODES.timer,
    run: ({ execution }, deadline: bigint) => {
      const before = execution.newGlobalTimer ?? execution.canister.globalTimer ?? 0n;
      execution.newGlobalTimer = deadline;
      return before;
    },
  },
};

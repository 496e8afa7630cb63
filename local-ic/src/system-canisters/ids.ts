import { principalFromText } from '../principal.js';

/** The canisters' ids on mainnet, in text. */
export const CYCLES_LEDGER = 'um5iw-rqaaa-aaaaq-qaaba-cai';
export const CYCLES_MINTING = 'rkp4c-7iaaa-aaaaa-aaaca-cai';
export const ICP_LEDGER = 'ryjl3-tyaaa-aaaaa-aaaba-cai';

export const cyclesLedgerId = principalFromText(CYCLES_LEDGER);
export const cyclesMintingId = principalFromText(CYCLES_MINTING);
export const icpLedgerId = principalFromText(ICP_LEDGER);

/** Price of a trillion cycles in XDR: fixed by the network. */
const cyclesPerXdr = 1e12;
/** US dollars an XDR that figures are stated at; mid-2026, rounded. */
export const usdPerXdr = 1.36;
/** Cycles a GiB and second, subnet of 13 nodes; `cyclesOn13NodeSubnet.perGiBSecond` of limits.json. */
const cyclesPerGibSecond = 127_000;
const secondsPer30Days = 30 * 24 * 3600;

export function usd(cycles: number): number {
  return (cycles / cyclesPerXdr) * usdPerXdr;
}

/** US dollars for keeping so many bytes for 30 days. */
export function storageUsd(bytes: number): number {
  return usd((bytes / 2 ** 30) * cyclesPerGibSecond * secondsPer30Days);
}

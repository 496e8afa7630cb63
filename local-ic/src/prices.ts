/** What a subnet charges, without the network that charges it. */
export { isProfileName, profileNames, profileOf, type ProfileName } from './costs/profile.js';
export { Fees } from './state/fees.js';

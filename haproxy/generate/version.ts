import type { HaproxyVersion } from '../../config/settings.ts';

/** HAProxy 3.1 made SPOP a protocol of its backends; before, every agent connection was an applet in `mode tcp`. */
export function hasNativeSpop(version: HaproxyVersion): boolean {
  return isAtLeast(version, 3, 1);
}

/**
 * Up to 2.8 (seen on 2.6) connections to an agent that hangs are used on when it is DOWN, and `timeout processing` is applied
 * to the first event of a request only, so that an agent which hangs at a later one would hold the request for ever. 3.0
 * does the former too, but where such connections are shut down there, every other request waits while no agent is there
 * at all, which happens more often.
 */
export function keepsHungAgents(version: HaproxyVersion): boolean {
  return !isAtLeast(version, 3, 0);
}

function isAtLeast(version: HaproxyVersion, wantedMajor: number, wantedMinor: number): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

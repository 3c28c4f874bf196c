/** The HAProxy versions that files are generated for. */
export const HAPROXY_VERSIONS = [
  '2.4',
  '2.5',
  '2.6',
  '2.7',
  '2.8',
  '2.9',
  '3.0',
  '3.1',
  '3.2',
  '3.3',
  '3.4',
  '3.5',
] as const;
export type HaproxyVersion = (typeof HAPROXY_VERSIONS)[number];

/** HAProxy 3.1 made SPOP a protocol of its backends; before, every agent connection was an applet in `mode tcp`. */
export function hasNativeSpop(version: HaproxyVersion): boolean {
  return isAtLeast(version, '3.1');
}

/**
 * Up to 2.8 (seen on 2.6) HAProxy goes on using the connections to an agent that hangs after the agent is DOWN, and applies
 * `timeout processing` to the first event of a request only: an agent that hangs at a later event would hang the
 * request. 3.0 keeps using them too, but shutting such connections down there makes every other request wait while there
 * is no agent at all, which happens more often.
 */
export function keepsHungAgents(version: HaproxyVersion): boolean {
  return !isAtLeast(version, '3.0');
}

export function isAtLeast(version: HaproxyVersion, least: HaproxyVersion): boolean {
  return HAPROXY_VERSIONS.indexOf(version) >= HAPROXY_VERSIONS.indexOf(least);
}

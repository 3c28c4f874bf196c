import type { HaproxyVersion } from '../config/settings.ts';

/** HAProxy 3.1 made SPOP a protocol of its backends; before, every agent connection was an applet in `mode tcp`. */
export function hasNativeSpop(version: HaproxyVersion): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 1);
}

import { hostname, userInfo } from 'node:os';

/** The operator who changes the table, as `user@host`. */
export function actor(): string {
  return `${userName()}@${hostname()}`;
}

/** In a container the user may have a number but no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

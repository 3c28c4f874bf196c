import type { Log } from '../blocklist/service.ts';

/** Logs for CloudWatch: one JSON line each; Lambda adds the time. */
export const jsonLog: Log = (level, message, fields) => {
  console.log(JSON.stringify({ level, message, ...fields }));
};

// @ts-check
// Limits the requests per minute of each API key with a token bucket.

const PER_MINUTE = 60;
const BURST = 20;
const MAX_KEYS = 100_000;

/** @type {Map<string, { tokens: number, atMs: number }>} */
const buckets = new Map();

/** @type {import('haverdict/script').ScriptModule} */
export default {
  'check-request': ({ arguments: { key }, decision }) => {
    if (key === null || key === undefined) return { action: 'deny', status: 401, reason: 'no API key' };
    if (decision.action !== 'allow') return undefined; // blocked clients need no bucket
    if (take(String(key), performance.now())) return undefined;
    return { action: 'deny', status: 429, reason: 'too many requests for this key' };
  },
};

/** @param {string} key @param {number} nowMs */
function take(key, nowMs) {
  const { tokens, atMs } = buckets.get(key) ?? { tokens: BURST, atMs: nowMs };
  const filled = Math.min(BURST, tokens + ((nowMs - atMs) / 60_000) * PER_MINUTE);
  buckets.delete(key); // keeps the map in the order of last use
  buckets.set(key, { tokens: Math.max(0, filled - 1), atMs: nowMs });
  if (buckets.size > MAX_KEYS) buckets.delete(buckets.keys().next().value ?? key);
  return filled >= 1;
}

// @ts-check
// Asks another service about a session, caches the answer, and does not let a slow service delay the request.

const SERVICE = process.env.SESSION_SERVICE ?? 'http://127.0.0.1:8081';
const KEEP_MS = 30_000;
const MAX_KEPT = 50_000;

/** @type {Map<string, { valid: boolean, untilMs: number }>} */
const kept = new Map();

/** @type {import('haverdict/script').ScriptModule} */
export default {
  'check-request': async ({ arguments: { session }, decision, signal }) => {
    if (decision.action !== 'allow' || typeof session !== 'string') return undefined;
    try {
      if (await isValid(session, signal)) return undefined;
      return { action: 'redirect', status: 302, reason: 'session ended', vars: { location: '/login' } };
    } catch {
      return { action: 'tag', reason: 'session unknown' }; // the site has to check the session
    }
  },
};

/** @param {string} session @param {AbortSignal} signal */
async function isValid(session, signal) {
  const known = kept.get(session);
  if (known !== undefined && known.untilMs > Date.now()) return known.valid;
  const response = await fetch(`${SERVICE}/sessions/${encodeURIComponent(session)}`, { signal });
  if (response.status !== 200 && response.status !== 404) throw new Error(`the service answers ${response.status}`);
  const valid = response.status === 200;
  kept.delete(session);
  kept.set(session, { valid, untilMs: Date.now() + KEEP_MS });
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value ?? session);
  return valid;
}

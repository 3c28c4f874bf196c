// @ts-check
// Sends the site what is known about the client, in headers that clients cannot forge: a header that the script does not
// set is removed.

/** @type {Readonly<Record<string, string>>} */
const PLANS = { 'key-of-acme': 'gold', 'key-of-joe': 'free' };

/** @type {import('haverdict/script').ScriptModule} */
export default {
  'check-request': ({ arguments: { key }, decision }) => {
    if (!['allow', 'tag', 'log'].includes(decision.action)) return undefined;
    const plan = PLANS[String(key ?? '')];
    const known = decision.list === undefined ? 'no' : 'yes';
    const headers = { 'req.set.x-listed': known, ...(plan ? { 'req.set.x-plan': plan } : { 'req.del.x-plan': '1' }) };
    return { action: 'tag', vars: headers };
  },
};

// @ts-check
// Chooses the backend: big customers have their own, all others get the one with the fewest connections relative to its
// capacity. HAProxy sends the numbers of connections.

/** @type {Readonly<Record<string, string>>} */
const OWN = { acme: 'acme-only' };
const SHARED = { blue: 3, green: 1 }; // green has a third of the machines

/** @type {import('haverdict/script').ScriptModule} */
export default {
  'choose-backend': ({ arguments: given }) => {
    const own = OWN[String(given.tenant ?? '')];
    return { action: 'route', vars: { backend: own ?? leastLoaded(given) } };
  },
};

/** @param {Readonly<Record<string, unknown>>} connections */
function leastLoaded(connections) {
  const load = Object.entries(SHARED).map(([name, weight]) => ({
    name,
    load: (Number(connections[name]) + 1) / weight,
  }));
  return load.reduce((best, next) => (next.load < best.load ? next : best)).name;
}

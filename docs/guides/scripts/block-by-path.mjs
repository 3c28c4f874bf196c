// @ts-check
// Blocks requests by method and path: closed areas, and writes to a read-only area.

const CLOSED = ['/.git', '/.env', '/wp-admin', '/server-status'];
const READ_ONLY = '/archive/';
const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** @type {import('haverdict/script').ScriptModule} */
export default {
  'check-request': ({ arguments: { method, path } }) => {
    // /a/../.git and //.git reach the site as /.git: compare the path as the site sees it
    const asked = new URL(`http://site/${String(path ?? '')}`).pathname.replaceAll(/\/+/g, '/').toLowerCase();
    if (CLOSED.some((area) => asked === area || asked.startsWith(`${area}/`)))
      return { action: 'deny', status: 404, reason: 'closed area' };
    if (asked.startsWith(READ_ONLY) && WRITES.includes(String(method)))
      return { action: 'deny', status: 405, reason: 'the archive is read-only' };
    return undefined;
  },
};

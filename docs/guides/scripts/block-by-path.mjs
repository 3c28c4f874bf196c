// @ts-check
// Blocks by method and path what the lists do not know: a closed area, and writing to what is only read.

const CLOSED = ['/.git', '/.env', '/wp-admin', '/server-status'];
const READ_ONLY = '/archive/';
const WRITES = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** @type {import('haverdict/script').ScriptModule} */
export default {
  'check-request': ({ arguments: { method, path } }) => {
    // /a/../.git and //.git reach the site as /.git: what is compared is what the site sees.
    const asked = new URL(`http://site/${String(path ?? '')}`).pathname.replaceAll(/\/+/g, '/').toLowerCase();
    if (CLOSED.some((area) => asked === area || asked.startsWith(`${area}/`)))
      return { action: 'deny', status: 404, reason: 'closed area' };
    if (asked.startsWith(READ_ONLY) && WRITES.includes(String(method)))
      return { action: 'deny', status: 405, reason: 'the archive is only read' };
    return undefined;
  },
};

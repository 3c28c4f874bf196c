import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SPOE_FILE } from '../../../dev/haproxy.ts';
import { agentsBackend } from '../../../haproxy/generate/agents-backend.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
import { tcpFrontendRules } from '../../../haproxy/generate/tcp.ts';
import { settingsWith } from '../../support/settings.ts';
import { findingsIn } from './good-files.ts';

const EVENTS = ['on-client-session', 'on-frontend-tcp-request'] as const;
/** Not there before the client has sent something. */
const SENT = ['req.ssl_sni', 'req.ssl_sni,lower', 'req_ssl_sni', 'req.ssl_alpn', 'req.payload(0,4),hex', 'req.len'];
/** There as soon as the connection is: addresses, what a PROXY line says, and TLS that HAProxy ends. */
const KNOWN = ['src', 'dst_port', 'fc_pp_authority', 'ssl_fc_sni', 'ssl_c_s_dn(cn)', 'src,ipmask(24)'];

describe('what an event of the connection sends', () => {
  for (const event of EVENTS)
    for (const kind of ['frontend', 'listen'] as const) {
      for (const expression of SENT)
        it(`is not there yet: ${expression} at ${event} in a ${kind}`, () =>
          assert.deepEqual(idsFor(expression, { event }, kind), ['event-before-data']));
      for (const expression of KNOWN)
        it(`is there: ${expression} at ${event} in a ${kind}`, () =>
          assert.deepEqual(idsFor(expression, { event }, kind), []));
    }
  for (const expression of SENT)
    it(`is there for a group: ${expression}`, () =>
      assert.deepEqual(idsFor(expression, { group: 'hello' }, 'frontend'), []));
});

function idsFor(
  expression: string,
  where: { readonly event: (typeof EVENTS)[number] } | { readonly group: string },
  kind: 'frontend' | 'listen',
): string[] {
  const subjects = [{ kind: 'header.x', expression }];
  const settings = settingsWith({
    listen: [{ type: 'tcp', host: '127.0.0.1', port: 9000 }],
    messages: [{ name: 'check', ...where, subjects, policy: { default: 'open' } }],
  });
  const target = kind === 'listen' ? '    server one 192.0.2.1:443\n' : '    default_backend tls\n';
  const config = `defaults
    mode tcp
    timeout connect 1s
    timeout client 1s
    timeout server 1s

${kind} passthrough
    bind :8443
${tcpFrontendRules(settings, SPOE_FILE)}${target}
backend tls
    server one 192.0.2.1:443

${agentsBackend(settings)}`;
  return findingsIn({ settings, config, spoe: spoeFile(settings) }).map(({ id }) => id);
}

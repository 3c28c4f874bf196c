import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { freePort } from '../../../dev/free-port.ts';
import { checkHaproxy, SPOE_FILE, startHaproxy } from '../../../dev/haproxy.ts';
import { visit } from '../../../dev/visit.ts';
import { agentsBackend } from '../../../haproxy/generate/agents-backend.ts';
import { frontendRules } from '../../../haproxy/generate/frontend.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { longRuns } from '../../support/scope.ts';
import { startScriptedAgent } from '../../support/scripted-agent.ts';
import { settingsWith } from '../../support/settings.ts';

/** What operators have in `defaults`; every HAProxy here takes all of it for proxies in mode http. */
const OPERATORS_LINES = [
  'option forwardfor',
  'option forwardfor except 127.0.0.0/8',
  'option originalto',
  'option httpchk GET /health',
  'option http-server-close',
  'option http-keep-alive',
  'option http-pretend-keepalive',
  'option http-buffer-request',
  'option http-no-delay',
  'option prefer-last-server',
  'option checkcache',
  'option redispatch',
  'option redispatch 3',
  'option abortonclose',
  'option tcp-check',
  'option log-health-checks',
  'option dontlognull',
  'retries 3',
  'retry-on all-retryable-errors',
  'balance uri',
  'balance hdr(host)',
  'balance leastconn',
  'hash-type consistent',
  'cookie SRV insert indirect nocache',
  'http-reuse never',
  'http-check expect status 200',
  'stats enable',
  'compression algo gzip',
  'default-server inter 30s fall 9 maxconn 1',
  'default-server send-proxy',
  'default-server ssl verify none',
  'default-server disabled',
  'timeout connect 1ms',
  'timeout server 1ms',
  'timeout check 1ms',
  'timeout queue 1ms',
  'timeout tunnel 1ms',
  'source 127.0.0.9',
  'fullconn 1',
  'maxconn 2000',
];
/** How the operator's proxies come to these defaults. */
const STYLES = ['below', 'by name', 'both'] as const;
type Style = (typeof STYLES)[number];

const policy = { default: 'closed' } as const;
const messages = [
  { name: 'check', event: 'on-frontend-http-request', subjects: [{ kind: 'ip', expression: 'src' }], policy },
] as const;

describeOnEveryHaproxy("the agents' backend below any defaults", ({ binary, version }) => {
  it('is taken without a warning, also with zero-warning', () => {
    const settings = settingsWith({ messages, haproxy: { version } });
    fc.assert(
      fc.property(fc.subarray(OPERATORS_LINES), fc.constantFrom(...STYLES), (lines, style) =>
        checkHaproxy({ binary, config: configWith(lines, style, 8080, settings), spoe: spoeFile(settings) }),
      ),
      { numRuns: longRuns(300) },
    );
  });

  for (const style of STYLES)
    it(`asks the agent as ever, with all of these lines, ${style}`, async (t) => {
      const agent = await startScriptedAgent(t, () => [
        { type: 'set-var', scope: 'txn', name: 'action', value: { type: 'string', value: 'deny' } },
      ]);
      const listen = [{ type: 'tcp', host: '127.0.0.1', port: agent.port }] as const;
      const settings = settingsWith({ deadlineMs: 2000, listen, messages, haproxy: { version } });
      const port = await freePort();
      const config = configWith(OPERATORS_LINES, style, port, settings);
      const haproxy = await startHaproxy({ binary, config, spoe: spoeFile(settings) });
      t.after(() => haproxy.stop());
      const { status, tookMs } = await visit({ port, from: '127.0.0.1' });
      assert.equal(status, 403);
      assert.ok(tookMs < settings.deadlineMs, `${tookMs} ms`);
    });
});

/** Only a frontend: what the lines do to servers of the operator is not the question. */
function configWith(lines: readonly string[], style: Style, port: number, settings: ReturnType<typeof settingsWith>) {
  const below = (name: string, on: number, rules = '') => `${name}
    bind 127.0.0.1:${on}
${rules}    http-request return status 200
`;
  // what the guide says of compression beside another filter
  const compression = lines.some((line) => line.startsWith('compression')) ? '    filter compression\n' : '';
  const rules = `${frontendRules(settings, SPOE_FILE)}${compression}`;
  const defaults = (name: string) => `defaults${name}
    mode http
    timeout client 10s
    timeout connect 1s
    timeout server 1s
${lines.map((line) => `    ${line}\n`).join('')}`;
  const byName = `${defaults(' web')}\n${below('frontend site from web', port, rules)}`;
  const merelyBelow = `${defaults('')}\n${below('frontend site', port, rules)}`;
  const sections = {
    below: merelyBelow,
    'by name': byName,
    both: `${byName}\n${defaults('')}\nbackend other\n    http-request return status 200\n`,
  };
  return `global
    zero-warning

${sections[style]}
${agentsBackend(settings)}`;
}

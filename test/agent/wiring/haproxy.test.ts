import { it } from 'node:test';
import type { ListenAddress, MessageSettings } from '../../../agent/config/settings.ts';
import { spoeFile } from '../../../agent/wiring/spoe.ts';
import { KINDS } from '../../../contract/subject.ts';
import { checkHaproxy } from '../../../dev/haproxy.ts';
import { frontendConfig } from '../../../dev/haproxy-config.ts';
import { describeOnEveryHaproxy } from '../../support/every-haproxy.ts';
import { settingsWith } from '../../support/settings.ts';

const POLICIES: readonly MessageSettings['policy'][] = [{ default: 'open' }, { default: 'closed' }];
const LISTENS: readonly (readonly ListenAddress[])[] = [
  [{ type: 'tcp', host: '127.0.0.1', port: 9000 }],
  [{ type: 'tcp', host: '::', port: 9000 }],
  [
    { type: 'unix', path: '/run/a@b:c+d.sock' },
    { type: 'tcp', host: '2001:db8::1', port: 1 },
    { type: 'tcp', host: 'localhost', port: 65_535 },
  ],
];
const MESSAGES: Readonly<Record<string, MessageSettings['subjects']>> = {
  'check-request': [{ kind: 'ip', expression: 'src' }],
  'a.B_c-1': [
    { kind: 'host', expression: 'req.hdr(host),field(1,:),lower' },
    { kind: 'header.x-api-key', expression: 'req.hdr(x-api-key)' },
    { kind: 'cookie.a_b-c', expression: 'req.cook(a_b-c)' },
    { kind: 'key', expression: 'path,regsub(/+$,/),sha2(256),hex' },
  ],
  many: [
    ...KINDS.map((kind) => ({ kind, expression: 'path' })),
    ...Array.from({ length: 91 }, (_, index) => ({ kind: `header.x-${index}`, expression: `req.hdr(x-${index})` })),
  ],
};

describeOnEveryHaproxy('the wiring, taken without a warning', (build) => {
  for (const policy of POLICIES)
    for (const [at, listen] of LISTENS.entries())
      for (const [name, subjects] of Object.entries(MESSAGES))
        it(`policy ${policy.default}, addresses ${at}, message ${name}`, () => {
          const messages = [{ name, subjects, policy, event: 'on-frontend-http-request' as const }];
          // The wiring for an older HAProxy is taken too.
          for (const version of ['2.4', build.version] as const) {
            const settings = settingsWith({ listen, messages, haproxy: { prefix: 'a.b_C', version } });
            const config = frontendConfig({ settings, binds: ['127.0.0.1:8080'] });
            checkHaproxy({ binary: build.binary, config, spoe: spoeFile(settings) });
          }
        });
});

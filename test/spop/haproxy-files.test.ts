import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkHaproxy, SPOE_FILE } from '../../dev/haproxy.ts';
import { type AgentWiring, haproxyFiles, type MessageWiring, SPOE_EVENTS } from '../../spop/haproxy/haproxy-files.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';

const PORT = { port: 9000 };
const asks = (message: MessageWiring): AgentWiring => ({ listen: PORT, messages: { ask: message } });

/** What HAProxy would refuse, or would read as something else, and what is said about it. */
const REFUSED: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  'a dash in the prefix': [
    { ...asks({}), name: 'my-agent' },
    /^name: "my-agent" must be 1 to 18 of A-Z a-z 0-9 _ and \.$/,
  ],
  'a prefix that is too long': [{ ...asks({}), name: 'x'.repeat(19) }, /^name: /],
  'no message': [{ listen: PORT, messages: {} }, /^messages: must have one message or more$/],
  'no messages at all': [{ listen: PORT }, /^messages: must have one message or more$/],
  'no address': [{ listen: [], messages: { ask: {} } }, /^listen: must have one address or more$/],
  'no listen': [{ messages: { ask: {} } }, /^listen: undefined must be \{ port: 9000 \}/],
  'a socket with a blank': [{ ...asks({}), listen: { path: '/run/a b.sock' } }, /^listen: "\/run\/a b\.sock" must be/],
  'a host with a line': [{ ...asks({}), listen: { port: 1, host: 'a\nb' } }, /^listen: "a\nb" must be a host name/],
  'a relative path of the SPOE file': [
    { ...asks({}), spoePath: 'agent.cfg' },
    /^spoePath: "agent\.cfg" must be an absolute path/,
  ],
  'an event that there is not': [
    asks({ event: 'on-request' as 'on-http-response' }),
    /^event of "ask": "on-request" must be one of on-client-session, /,
  ],
  'an expression with a blank': [
    asks({ args: { ip: 'src 1' } }),
    /^args\.ip of "ask": "src 1" must be one expression of HAProxy, without spaces$/,
  ],
  'an expression with a comment': [asks({ args: { ip: 'src#' } }), /^args\.ip of "ask"/],
  'a name of an argument with an equals sign': [
    asks({ args: { 'i=p': 'src' } }),
    /^args of "ask": "i=p" must have names/,
  ],
  'a message with a blank': [{ listen: PORT, messages: { 'a b': {} } }, /^message "a b": "a b" must be of A-Z/],
  'a condition of two lines': [asks({ if: '{ path / }\nspoe-message b' }), /^if of "ask": .* must be one line/s],
};

describe('haproxyFiles', () => {
  for (const [what, [wiring, message]] of Object.entries(REFUSED))
    it(`refuses ${what}, and says what would be right`, () => {
      assert.throws(() => haproxyFiles(wiring as AgentWiring), { name: 'TypeError', message });
    });

  it('waits longer than the agent, and names sockets as HAProxy sees them', () => {
    const { spoe, backend } = haproxyFiles({
      ...asks({}),
      listen: [{ path: '/var/lib/haproxy/run/a.sock' }, { port: 9000, host: '::1' }],
      chroot: '/var/lib/haproxy',
      deadlineMs: 80,
    });
    assert.match(spoe, /timeout processing 100ms/);
    assert.match(backend, /server agent1 unix@\/run\/a\.sock check/);
    assert.match(backend, /server agent2 \[::1\]:9000 check/);
  });
});

describeOnEveryHaproxy('what haproxyFiles writes', ({ binary }) => {
  it('is taken without a warning, for every event', () => {
    const messages = SPOE_EVENTS.map((event): [string, MessageWiring] => [
      `m-${event}`,
      {
        event,
        args: { ip: 'src', id: 'unique-id' },
        ...(event.includes('http') && { if: '{ src 127.0.0.0/8 } !{ src 127.0.0.9 }' }),
      },
    ]);
    const sections = (kind: RegExp) => Object.fromEntries(messages.filter(([, { event = '' }]) => kind.test(event)));
    const wire = (name: string, kind: RegExp) =>
      haproxyFiles({ name, listen: PORT, messages: sections(kind), spoePath: `/x/${SPOE_FILE}` });
    const ofFrontend = wire('front', /client|frontend/);
    const ofBackend = wire('back', /server|backend|response/);
    const filter = ({ frontend }: { readonly frontend: string }) => frontend.replace(`/x/${SPOE_FILE}`, SPOE_FILE);
    const config = `defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend web
    bind 127.0.0.1:1
${filter(ofFrontend)}    default_backend origin
backend origin
${filter(ofBackend)}    server origin 127.0.0.1:2
${ofFrontend.backend}
${ofBackend.backend}`;
    checkHaproxy({ binary, config, spoe: `${ofFrontend.spoe}\n${ofBackend.spoe}` });
  });
});

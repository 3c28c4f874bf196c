import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { haproxyFragment } from '../../../agent/wiring/rules.ts';
import { spoeFile } from '../../../agent/wiring/spoe.ts';
import { settingsWith } from '../../support/settings.ts';

const settings = settingsWith({
  listen: [
    { type: 'tcp', host: '0.0.0.0', port: 9000 },
    { type: 'tcp', host: '::', port: 9000 },
    { type: 'unix', path: '/run/haverdict/agent.sock', mode: 0o660, group: 'haproxy' },
  ],
  messages: [
    {
      name: 'check-request',
      event: 'on-frontend-http-request',
      subjects: [
        { kind: 'ip', expression: 'src' },
        { kind: 'host', expression: 'req.hdr(host),field(1,:),lower' },
      ],
      policy: { default: 'closed' },
    },
  ],
  haproxy: { prefix: 'guard', version: '2.6' },
});

describe('the wiring of one configuration', () => {
  it('is this SPOE file', () => assert.equal(spoeFile(settings), SPOE));

  it('is this fragment of haproxy.cfg', () => assert.equal(haproxyFragment(settings), FRAGMENT));
});

const SPOE = `[haverdict]

spoe-agent haverdict-agent
    messages check-request
    option var-prefix guard
    option set-on-error error
    option set-process-time process_ms
    option set-total-time total_ms
    option dontlog-normal
    # an ACK may only come on the connection that asked, or a lost connection costs the whole timeout
    no option async
    # a message that is too large is an error of its own, not a storm of connections
    no option send-frag-payload
    timeout hello 60ms
    timeout idle 120s
    # the agent answers within 40ms
    timeout processing 60ms
    use-backend haverdict-agents
    log global

spoe-message check-request
    args ip=src
    args host=req.hdr(host),field(1,:),lower
    event on-frontend-http-request
`;

const FRAGMENT = `# Part 1 of 2: put these lines into each frontend that haverdict shall guard, before its other rules.
    filter spoe engine haverdict config /etc/haproxy/haverdict.spoe.cfg

    # policy closed: no request passes when the agent could not be asked
    # (var(txn.guard.error) says why: 1 too late, 2 or 257 no connection, 3 message too large)
    http-request deny deny_status 503 if { var(txn.guard.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    http-request deny deny_status 503 if ! { var(txn.guard.action) -m found }

    # denied, with the status of the entry where it has one
    http-request deny deny_status 400 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 400 }
    http-request deny deny_status 401 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 401 }
    http-request deny deny_status 404 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 404 }
    http-request deny deny_status 405 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 405 }
    http-request deny deny_status 408 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 408 }
    http-request deny deny_status 410 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 410 }
    http-request deny deny_status 413 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 413 }
    http-request deny deny_status 429 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 429 }
    http-request deny deny_status 451 content-type text/plain string "Unavailable For Legal Reasons" if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 451 }
    http-request deny deny_status 500 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 500 }
    http-request deny deny_status 502 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 502 }
    http-request deny deny_status 503 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 503 }
    http-request deny deny_status 504 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 504 }
    http-request deny deny_status 403 if { var(txn.guard.action) -m str deny }

# Part 2 of 2: put this section beside the other backends, once.
backend haverdict-agents
    mode tcp
    option spop-check
    # a request never waits for a second attempt
    retries 0
    timeout connect 1s
    # longer than the 120s after which idle connections are closed
    timeout server 180s
    server agent1 127.0.0.1:9000 check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1
    server agent2 [::1]:9000 check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1
    server agent3 unix@/run/haverdict/agent.sock check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1
`;

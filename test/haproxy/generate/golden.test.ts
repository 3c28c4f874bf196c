import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPT_IN } from '../../../contract/actions.ts';
import { haproxyFragment } from '../../../haproxy/generate/fragment.ts';
import { spoeFile } from '../../../haproxy/generate/spoe.ts';
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
  haproxy: { prefix: 'guard', version: '2.6', denyStatuses: [400, 403, 503] },
});

const IP = [{ kind: 'ip', expression: 'src' }];

const everything = settingsWith({
  messages: [
    {
      name: 'connection',
      event: 'on-client-session',
      condition: '!{ src 10.0.0.0/8 } or { src 10.9.0.0/16 }',
      subjects: [{ kind: 'ip', expression: 'src' }],
      policy: { default: 'closed' },
    },
    {
      name: 'request',
      event: 'on-frontend-http-request',
      subjects: [{ kind: 'ip', expression: 'src' }],
      arguments: [{ name: 'body', expression: 'req.body' }],
      policy: { default: 'open' },
      shadow: true,
    },
    {
      name: 'chosen',
      event: 'on-backend-http-request',
      subjects: [{ kind: 'path', expression: 'path' }],
      policy: { default: 'closed' },
    },
    {
      name: 'response',
      event: 'on-tcp-response',
      subjects: [{ kind: 'ip', expression: 'dst' }],
      policy: { default: 'closed' },
    },
    {
      name: 'sign-in',
      group: 'login',
      paths: ['/login', '/admin/*'],
      subjects: [{ kind: 'path', expression: 'path' }],
      policy: { default: 'closed' },
    },
  ],
  haproxy: {
    version: '3.2',
    actions: OPT_IN,
    denyStatuses: [400, 403, 404, 503],
    backends: ['blue'],
    requestHeaders: ['X-Plan'],
    responseHeaders: ['Server'],
    denyPages: [{ status: 503, file: '/etc/haproxy/503.html', contentType: 'text/html; charset=utf-8' }],
  },
});

const recent = settingsWith({
  messages: [
    { name: 'check-request', event: 'on-frontend-http-request', subjects: IP, policy: { default: 'closed' } },
    {
      name: 'sign-in',
      group: 'login',
      condition: '{ method POST }',
      subjects: [{ kind: 'ip', expression: 'req.hdr_ip(x-client)' }],
      policy: { default: 'open' },
    },
    { name: 'by-hand', group: 'hand', subjects: IP, policy: { default: 'open' } },
    { name: 'others', event: 'on-client-session', subjects: IP, policy: { default: 'open' } },
  ],
  haproxy: { recentSeconds: 2, recentAddresses: 5000, recentStickCounter: 1 },
});

describe('the wiring with recentSeconds', () => {
  it('sends the messages about an address alone by rules', () =>
    assert.deepEqual(linesWith(spoeFile(recent), /messages|groups|spoe-|event/), RECENT_SPOE));

  it('decides about recent addresses, and stores the others that are allowed', () =>
    assert.deepEqual(
      linesWith(haproxyFragment(recent), /stick-table|table_gpt0|track-sc|gpt0|allow$|str\(|send-spoe/),
      RECENT_LINES,
    ));
});

function linesWith(text: string, pattern: RegExp): string[] {
  return text.split('\n').filter((line) => pattern.test(line));
}

describe('the wiring of one configuration', () => {
  it('is this SPOE file', () => assert.equal(spoeFile(settings), SPOE));

  it('is this fragment of haproxy.cfg', () => assert.equal(haproxyFragment(settings), FRAGMENT));
});

describe('the wiring of every event', () => {
  it('is this SPOE file', () => assert.equal(spoeFile(everything), ALL_SPOE));

  it('is this fragment of haproxy.cfg, but for the statuses that are like the others', () => {
    const shown = haproxyFragment(everything)
      .split('\n')
      .filter((line) => !/-m int (?!503)\d+ \}$/.test(line));
    assert.equal(shown.join('\n'), ALL_FRAGMENT);
  });
});

const SPOE = `[haverdict]

spoe-agent haverdict-agent
    messages check-request
    option var-prefix guard
    option set-on-error error
    option set-process-time process_ms
    option set-total-time total_ms
    option dontlog-normal
    # an ACK may only come on the connection of its NOTIFY, or a lost connection costs the whole timeout
    no option async
    # a message that is too large is one error, not a storm of connections
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

const FRAGMENT = `# Part 1 of 2: put these lines into each frontend that haverdict should guard, below its tcp-request rules and above its http-request rules.
    # haverdict begin frontend 0195fc849c51ae3d
    filter spoe engine haverdict config /etc/haproxy/haverdict.spoe.cfg

    # no upgrade to HTTP/2 behind HAProxy: the requests inside would not be checked
    http-request del-header upgrade if { req.fhdr(upgrade) -m sub -i h2c }

    # exactly one Host header, with a valid host
    http-request deny deny_status 400 if !{ req.hdr_cnt(host) -m int 1 }
    http-request deny deny_status 400 if !{ req.fhdr(host) -m reg -i '^([a-z0-9_-]+([.][a-z0-9_-]+)*[.]?|[[][0-9a-f:.]+[]])(:[0-9]*)?$' }
    # no other host in the request line
    http-request deny deny_status 400 if { url -m reg '^[^/]*:///' }
    http-request deny deny_status 400 if { path -m reg '^/[/\\\\]' }

    # errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)
    http-request deny deny_status 400 if { var(txn.guard.error) -m int 3 259 4 5 255 }
    # policy closed: no request passes when the agent could not be asked
    # (var(txn.guard.error) says why: 1 timeout, 2 or 257 no connection)
    http-request deny deny_status 503 if { var(txn.guard.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    http-request deny deny_status 503 if ! { var(txn.guard.action) -m found }

    # denied, with the status of the entry if it has one; so is what haproxy.actions does not name
    http-request deny deny_status 400 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 400 }
    http-request deny deny_status 503 if { var(txn.guard.action) -m str deny } { var(txn.guard.status) -m int 503 }
    http-request deny deny_status 403 if { var(txn.guard.action) -m str deny tarpit drop redirect }

    # a denied client can quote the reference id, which is in the log of the agent
    http-after-response set-header x-haverdict-ref "%[var(txn.guard.ref)]" if { var(txn.guard.ref) -m found }
    # haverdict end frontend
    # with FastCGI, a cache or compression in this section or its defaults, HAProxy also wants their lines, in this order:
    # filter fcgi-app NAME, filter cache NAME, filter compression
    # to log decisions: option httplog with action, source, reason and reference id
    # log-format '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r %[var(txn.guard.action)]/%[var(txn.guard.source)] %{+Q,+E}[var(txn.guard.reason)] %[var(txn.guard.ref)]'

# Part 2 of 2: put these two sections at the end of the last file, once: sections below would take these defaults for theirs.
# haverdict begin agents 92d6f070641c3579
defaults haverdict-agents-defaults
    # nothing of other defaults sections applies to the agents
    log global

backend haverdict-agents from haverdict-agents-defaults
    mode tcp
    option spop-check
    # an agent that is slow gets fewer requests; one that cannot be connected to is left for another at once
    balance leastconn
    retries 1
    option redispatch 1
    timeout connect 1s
    # longer than the 120s after which idle connections are closed
    timeout server 180s
    # if global has \`chroot DIR\`: let the agent listen on DIR/PATH, and set haproxy.chroot to DIR
    # an agent that hangs delays a request only until the check notices
    server agent1 127.0.0.1:9000 check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
    server agent2 [::1]:9000 check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
    server agent3 unix@/run/haverdict/agent.sock check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
# haverdict end agents
`;

const ALL_SPOE = `[haverdict]

spoe-agent haverdict-agent
    messages connection request chosen response
    groups login
    option var-prefix haverdict
    option set-on-error error
    option set-process-time process_ms
    option set-total-time total_ms
    option dontlog-normal
    # the agent answers within 40ms
    timeout processing 60ms
    use-backend haverdict-agents
    log global

spoe-message connection
    args ip=src
    event on-client-session if !{ src 10.0.0.0/8 } or { src 10.9.0.0/16 }

spoe-message request
    # the part of the body that fits into a buffer with the headers: up to 15 kB, or more with tune.bufsize in global;
    # if all arguments together exceed max-frame-size (tune.bufsize - 4), the agent is not asked: error 3
    args ip=src
    args body=req.body
    event on-frontend-http-request

spoe-message chosen
    args path=path
    event on-backend-http-request

spoe-message response
    args ip=dst
    event on-tcp-response

spoe-message sign-in
    args path=path

spoe-group login
    messages sign-in
`;

const ALL_FRAGMENT = `# Part 1 of 6: put these lines into each frontend that haverdict should guard, below its tcp-request rules and above its http-request rules.
    # haverdict begin frontend 91c574425895442e
    filter spoe engine haverdict config /etc/haproxy/haverdict.spoe.cfg
    # wait for the body, or only the part that came with the headers is sent
    option http-buffer-request

    # no upgrade to HTTP/2 behind HAProxy: the requests inside would not be checked
    http-request del-header upgrade if { req.fhdr(upgrade) -m sub -i h2c }

    # no other host in the request line
    http-request deny deny_status 400 if { url -m reg '^[^/]*:///' }
    # no path longer than can be looked up
    http-request deny deny_status 414 content-type text/plain string "URI Too Long" if { path -m len gt 4096 }
    # no path that servers read differently (oddPaths: pass omits this)
    http-request deny deny_status 400 if !{ path -m beg / }
    http-request deny deny_status 400 if { path -m reg -i '^$|^[^/]|^//|/[.][.]?(/|$)|[[:cntrl:][:space:];\\\\#]|%([01][0-9a-f]|2[def]|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9af]|u)' }

    # ---- message connection: on-client-session ----
    # errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)
    http-request deny deny_status 400 if !{ src 10.0.0.0/8 } { var(txn.haverdict.error) -m int 3 259 4 5 255 } or { src 10.9.0.0/16 } { var(txn.haverdict.error) -m int 3 259 4 5 255 }
    # policy closed: no request passes when the agent could not be asked
    # (var(txn.haverdict.error) says why: 1 timeout, 2 or 257 no connection)
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if !{ src 10.0.0.0/8 } { var(txn.haverdict.error) -m found } or { src 10.9.0.0/16 } { var(txn.haverdict.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if !{ src 10.0.0.0/8 } ! { var(sess.haverdict.action) -m found } or { src 10.9.0.0/16 } ! { var(sess.haverdict.action) -m found }

    # dropped: the client gets no answer, not even a closed connection
    http-request silent-drop if { var(sess.haverdict.action) -m str drop }

    # redirected, with the status of the entry if it has one
    http-request redirect code 302 location "%[var(sess.haverdict.location)]" if { var(sess.haverdict.action) -m str redirect } { var(sess.haverdict.location) -m found }

    # tarpitted: denied only after \`timeout tarpit\` of this section (\`timeout connect\` if that is not set)
    http-request tarpit deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(sess.haverdict.action) -m str tarpit } { var(sess.haverdict.status) -m int 503 }
    http-request tarpit deny_status 403 if { var(sess.haverdict.action) -m str tarpit }

    # denied with the body of the entry
    http-request return status 503 content-type text/plain;\\ charset=utf-8 lf-string "%[var(sess.haverdict.body)]" if { var(sess.haverdict.action) -m str deny } { var(sess.haverdict.body) -m found } { var(sess.haverdict.status) -m int 503 }
    http-request return status 403 content-type text/plain;\\ charset=utf-8 lf-string "%[var(sess.haverdict.body)]" if { var(sess.haverdict.action) -m str deny } { var(sess.haverdict.body) -m found }

    # denied, with the status of the entry if it has one; so is what haproxy.actions does not name
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(sess.haverdict.action) -m str deny } { var(sess.haverdict.status) -m int 503 }
    http-request deny deny_status 403 if { var(sess.haverdict.action) -m str deny tarpit drop redirect }

    # changed as the entry says
    http-request set-path "%[var(sess.haverdict.path)]" if { var(sess.haverdict.path) -m found }
    http-request set-query "%[var(sess.haverdict.query)]" if { var(sess.haverdict.query) -m found }
    http-request set-pathq "%[path]" if { var(sess.haverdict.query) -m len 0 }
    http-request del-header X-Plan if { var(sess.haverdict.req.del.x_plan) -m found }
    http-request set-header X-Plan "%[var(sess.haverdict.req.set.x_plan)]" if { var(sess.haverdict.req.set.x_plan) -m found }
    http-request add-header X-Plan "%[var(sess.haverdict.req.add.x_plan)]" if { var(sess.haverdict.req.add.x_plan) -m found }

    # ---- message request: on-frontend-http-request ----
    # shadow mode: a request passes whatever is decided, and also when the agent could not be asked
    # (var(txn.haverdict.error) says why: 1 timeout, 2 or 257 no connection)

    # dropped: the client gets no answer, not even a closed connection
    http-request silent-drop if { var(txn.haverdict.action) -m str drop }

    # redirected, with the status of the entry if it has one
    http-request redirect code 302 location "%[var(txn.haverdict.location)]" if { var(txn.haverdict.action) -m str redirect } { var(txn.haverdict.location) -m found }

    # tarpitted: denied only after \`timeout tarpit\` of this section (\`timeout connect\` if that is not set)
    http-request tarpit deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(txn.haverdict.action) -m str tarpit } { var(txn.haverdict.status) -m int 503 }
    http-request tarpit deny_status 403 if { var(txn.haverdict.action) -m str tarpit }

    # denied with the body of the entry
    http-request return status 503 content-type text/plain;\\ charset=utf-8 lf-string "%[var(txn.haverdict.body)]" if { var(txn.haverdict.action) -m str deny } { var(txn.haverdict.body) -m found } { var(txn.haverdict.status) -m int 503 }
    http-request return status 403 content-type text/plain;\\ charset=utf-8 lf-string "%[var(txn.haverdict.body)]" if { var(txn.haverdict.action) -m str deny } { var(txn.haverdict.body) -m found }

    # denied, with the status of the entry if it has one; so is what haproxy.actions does not name
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(txn.haverdict.action) -m str deny } { var(txn.haverdict.status) -m int 503 }
    http-request deny deny_status 403 if { var(txn.haverdict.action) -m str deny tarpit drop redirect }

    # changed as the entry says
    http-request set-path "%[var(txn.haverdict.path)]" if { var(txn.haverdict.path) -m found }
    http-request set-query "%[var(txn.haverdict.query)]" if { var(txn.haverdict.query) -m found }
    http-request set-pathq "%[path]" if { var(txn.haverdict.query) -m len 0 }
    http-request del-header X-Plan if { var(txn.haverdict.req.del.x_plan) -m found }
    http-request set-header X-Plan "%[var(txn.haverdict.req.set.x_plan)]" if { var(txn.haverdict.req.set.x_plan) -m found }
    http-request add-header X-Plan "%[var(txn.haverdict.req.add.x_plan)]" if { var(txn.haverdict.req.add.x_plan) -m found }

    # ---- message sign-in: group login ----
    acl haverdict-paths-sign-in path,url_dec,regsub(/+,/,g) -m str /login
    acl haverdict-paths-sign-in path,url_dec,regsub(/+,/,g) -m beg /admin/
    acl haverdict-paths-sign-in path -m reg '%([^0-9A-Fa-f]|$|[0-9A-Fa-f]([^0-9A-Fa-f]|$))'
    http-request send-spoe-group haverdict login if haverdict-paths-sign-in
    # errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)
    http-request deny deny_status 400 if haverdict-paths-sign-in { var(txn.haverdict.error) -m int 3 259 4 5 255 }
    # policy closed: no request passes when the agent could not be asked
    # (var(txn.haverdict.error) says why: 1 timeout, 2 or 257 no connection)
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if haverdict-paths-sign-in { var(txn.haverdict.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if haverdict-paths-sign-in ! { var(txn.haverdict.login.action) -m found }

    # dropped: the client gets no answer, not even a closed connection
    http-request silent-drop if { var(txn.haverdict.login.action) -m str drop }

    # redirected, with the status of the entry if it has one
    http-request redirect code 302 location "%[var(txn.haverdict.login.location)]" if { var(txn.haverdict.login.action) -m str redirect } { var(txn.haverdict.login.location) -m found }

    # tarpitted: denied only after \`timeout tarpit\` of this section (\`timeout connect\` if that is not set)
    http-request tarpit deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(txn.haverdict.login.action) -m str tarpit } { var(txn.haverdict.login.status) -m int 503 }
    http-request tarpit deny_status 403 if { var(txn.haverdict.login.action) -m str tarpit }

    # denied with the body of the entry
    http-request return status 503 content-type text/plain;\\ charset=utf-8 lf-string "%[var(txn.haverdict.login.body)]" if { var(txn.haverdict.login.action) -m str deny } { var(txn.haverdict.login.body) -m found } { var(txn.haverdict.login.status) -m int 503 }
    http-request return status 403 content-type text/plain;\\ charset=utf-8 lf-string "%[var(txn.haverdict.login.body)]" if { var(txn.haverdict.login.action) -m str deny } { var(txn.haverdict.login.body) -m found }

    # denied, with the status of the entry if it has one; so is what haproxy.actions does not name
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(txn.haverdict.login.action) -m str deny } { var(txn.haverdict.login.status) -m int 503 }
    http-request deny deny_status 403 if { var(txn.haverdict.login.action) -m str deny tarpit drop redirect }

    # changed as the entry says
    http-request set-path "%[var(txn.haverdict.login.path)]" if { var(txn.haverdict.login.path) -m found }
    http-request set-query "%[var(txn.haverdict.login.query)]" if { var(txn.haverdict.login.query) -m found }
    http-request set-pathq "%[path]" if { var(txn.haverdict.login.query) -m len 0 }
    http-request del-header X-Plan if { var(txn.haverdict.login.req.del.x_plan) -m found }
    http-request set-header X-Plan "%[var(txn.haverdict.login.req.set.x_plan)]" if { var(txn.haverdict.login.req.set.x_plan) -m found }
    http-request add-header X-Plan "%[var(txn.haverdict.login.req.add.x_plan)]" if { var(txn.haverdict.login.req.add.x_plan) -m found }

    # ---- message response: on-tcp-response ----
    # errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)
    http-response deny deny_status 400 if { var(txn.haverdict.error) -m int 3 259 4 5 255 }
    # policy closed: no request passes when the agent could not be asked
    # (var(txn.haverdict.error) says why: 1 timeout, 2 or 257 no connection)
    http-response deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(txn.haverdict.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    http-response deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if ! { var(res.haverdict.action) -m found }

    # dropped: the client gets no answer, not even a closed connection
    http-response silent-drop if { var(res.haverdict.action) -m str drop }

    # redirected, with the status of the entry if it has one
    http-response redirect code 302 location "%[var(res.haverdict.location)]" if { var(res.haverdict.action) -m str redirect } { var(res.haverdict.location) -m found }

    # denied with the body of the entry
    http-response return status 503 content-type text/plain;\\ charset=utf-8 lf-string "%[var(res.haverdict.body)]" if { var(res.haverdict.action) -m str deny tarpit } { var(res.haverdict.body) -m found } { var(res.haverdict.status) -m int 503 }
    http-response return status 403 content-type text/plain;\\ charset=utf-8 lf-string "%[var(res.haverdict.body)]" if { var(res.haverdict.action) -m str deny tarpit } { var(res.haverdict.body) -m found }

    # denied, with the status of the entry if it has one; so is what haproxy.actions does not name
    http-response deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(res.haverdict.action) -m str deny tarpit } { var(res.haverdict.status) -m int 503 }
    http-response deny deny_status 403 if { var(res.haverdict.action) -m str deny tarpit drop redirect }

    # headers of the response, changed as the entry says
    http-after-response del-header Server if { var(sess.haverdict.res.del.server) -m found }
    http-after-response set-header Server "%[var(sess.haverdict.res.set.server)]" if { var(sess.haverdict.res.set.server) -m found }
    http-after-response add-header Server "%[var(sess.haverdict.res.add.server)]" if { var(sess.haverdict.res.add.server) -m found }
    http-after-response del-header Server if { var(txn.haverdict.res.del.server) -m found }
    http-after-response set-header Server "%[var(txn.haverdict.res.set.server)]" if { var(txn.haverdict.res.set.server) -m found }
    http-after-response add-header Server "%[var(txn.haverdict.res.add.server)]" if { var(txn.haverdict.res.add.server) -m found }
    http-after-response del-header Server if { var(res.haverdict.res.del.server) -m found }
    http-after-response set-header Server "%[var(res.haverdict.res.set.server)]" if { var(res.haverdict.res.set.server) -m found }
    http-after-response add-header Server "%[var(res.haverdict.res.add.server)]" if { var(res.haverdict.res.add.server) -m found }
    http-after-response del-header Server if { var(txn.haverdict.login.res.del.server) -m found }
    http-after-response set-header Server "%[var(txn.haverdict.login.res.set.server)]" if { var(txn.haverdict.login.res.set.server) -m found }
    http-after-response add-header Server "%[var(txn.haverdict.login.res.add.server)]" if { var(txn.haverdict.login.res.add.server) -m found }

    # a denied client can quote the reference id, which is in the log of the agent
    http-after-response set-header x-haverdict-ref "%[var(sess.haverdict.ref)]" if { var(sess.haverdict.ref) -m found }
    http-after-response set-header x-haverdict-ref "%[var(txn.haverdict.ref)]" if { var(txn.haverdict.ref) -m found }
    http-after-response set-header x-haverdict-ref "%[var(res.haverdict.ref)]" if { var(res.haverdict.ref) -m found }
    http-after-response set-header x-haverdict-ref "%[var(txn.haverdict.login.ref)]" if { var(txn.haverdict.login.ref) -m found }
    # haverdict end frontend
    # with FastCGI, a cache or compression in this section or its defaults, HAProxy also wants their lines, in this order:
    # filter fcgi-app NAME, filter cache NAME, filter compression
    # to log decisions: option httplog with action, source, reason and reference id
    # log-format '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r %[var(sess.haverdict.action)]/%[var(sess.haverdict.source)] %{+Q,+E}[var(sess.haverdict.reason)] %[var(sess.haverdict.ref)] %[var(txn.haverdict.action)]/%[var(txn.haverdict.source)] %{+Q,+E}[var(txn.haverdict.reason)] %[var(txn.haverdict.ref)] %[var(txn.haverdict.login.action)]/%[var(txn.haverdict.login.source)] %{+Q,+E}[var(txn.haverdict.login.reason)] %[var(txn.haverdict.login.ref)] %[var(res.haverdict.action)]/%[var(res.haverdict.source)] %{+Q,+E}[var(res.haverdict.reason)] %[var(res.haverdict.ref)]'

# Part 2 of 6: put these lines into the same frontends, below all http-request rules and above all other use_backend rules.
    # haverdict begin routes f6bc611075c56343
    use_backend blue if { var(txn.haverdict.login.action) -m str route } { var(txn.haverdict.login.backend) -m str blue }
    use_backend blue if { var(txn.haverdict.action) -m str route } { var(txn.haverdict.backend) -m str blue }
    use_backend blue if { var(sess.haverdict.action) -m str route } { var(sess.haverdict.backend) -m str blue }
    # haverdict end routes

# Part 3 of 6: put these lines into each HTTP backend that those frontends use, above its http-request rules.
    # haverdict begin backend 04844cc525bc8528
    http-request set-var(txn.haverdict.ref) var(req.haverdict.ref) if { var(req.haverdict.ref) -m found }
    http-request set-var(txn.haverdict.res.del.server) var(req.haverdict.res.del.server) if { var(req.haverdict.res.del.server) -m found }
    http-request set-var(txn.haverdict.res.set.server) var(req.haverdict.res.set.server) if { var(req.haverdict.res.set.server) -m found }
    http-request set-var(txn.haverdict.res.add.server) var(req.haverdict.res.add.server) if { var(req.haverdict.res.add.server) -m found }

    # no other host in the request line
    http-request deny deny_status 400 if { url -m reg '^[^/]*:///' }
    # no path longer than can be looked up
    http-request deny deny_status 414 content-type text/plain string "URI Too Long" if { path -m len gt 4096 }
    # no path that servers read differently (oddPaths: pass omits this)
    http-request deny deny_status 400 if !{ path -m beg / }
    http-request deny deny_status 400 if { path -m reg -i '^$|^[^/]|^//|/[.][.]?(/|$)|[[:cntrl:][:space:];\\\\#]|%([01][0-9a-f]|2[def]|3[0-9b]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9af]|u)' }

    # errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)
    http-request deny deny_status 400 if { var(txn.haverdict.error) -m int 3 259 4 5 255 }
    # policy closed: no request passes when the agent could not be asked
    # (var(txn.haverdict.error) says why: 1 timeout, 2 or 257 no connection)
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(txn.haverdict.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if ! { var(req.haverdict.action) -m found }

    # dropped: the client gets no answer, not even a closed connection
    http-request silent-drop if { var(req.haverdict.action) -m str drop }

    # redirected, with the status of the entry if it has one
    http-request redirect code 302 location "%[var(req.haverdict.location)]" if { var(req.haverdict.action) -m str redirect } { var(req.haverdict.location) -m found }

    # tarpitted: denied only after \`timeout tarpit\` of this section (\`timeout connect\` if that is not set)
    http-request tarpit deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(req.haverdict.action) -m str tarpit } { var(req.haverdict.status) -m int 503 }
    http-request tarpit deny_status 403 if { var(req.haverdict.action) -m str tarpit }

    # denied with the body of the entry
    http-request return status 503 content-type text/plain;\\ charset=utf-8 lf-string "%[var(req.haverdict.body)]" if { var(req.haverdict.action) -m str deny } { var(req.haverdict.body) -m found } { var(req.haverdict.status) -m int 503 }
    http-request return status 403 content-type text/plain;\\ charset=utf-8 lf-string "%[var(req.haverdict.body)]" if { var(req.haverdict.action) -m str deny } { var(req.haverdict.body) -m found }

    # denied, with the status of the entry if it has one; so is what haproxy.actions does not name
    http-request deny deny_status 503 content-type text/html;\\ charset=utf-8 file /etc/haproxy/503.html if { var(req.haverdict.action) -m str deny } { var(req.haverdict.status) -m int 503 }
    http-request deny deny_status 403 if { var(req.haverdict.action) -m str deny tarpit drop redirect }

    # changed as the entry says
    http-request set-path "%[var(req.haverdict.path)]" if { var(req.haverdict.path) -m found }
    http-request set-query "%[var(req.haverdict.query)]" if { var(req.haverdict.query) -m found }
    http-request set-pathq "%[path]" if { var(req.haverdict.query) -m len 0 }
    http-request del-header X-Plan if { var(req.haverdict.req.del.x_plan) -m found }
    http-request set-header X-Plan "%[var(req.haverdict.req.set.x_plan)]" if { var(req.haverdict.req.set.x_plan) -m found }
    http-request add-header X-Plan "%[var(req.haverdict.req.add.x_plan)]" if { var(req.haverdict.req.add.x_plan) -m found }
    # haverdict end backend

# Part 4 of 6: put these lines into each frontend in mode tcp that haverdict should guard, above its tcp-request content rules.
    # haverdict begin tcp-frontend 4f5b91785e85af29
    filter spoe engine haverdict config /etc/haproxy/haverdict.spoe.cfg

    # errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)
    tcp-request content reject if !{ src 10.0.0.0/8 } { var(txn.haverdict.error) -m int 3 259 4 5 255 } or { src 10.9.0.0/16 } { var(txn.haverdict.error) -m int 3 259 4 5 255 }
    # policy closed: no request passes when the agent could not be asked
    # (var(txn.haverdict.error) says why: 1 timeout, 2 or 257 no connection)
    tcp-request content reject if !{ src 10.0.0.0/8 } { var(txn.haverdict.error) -m found } or { src 10.9.0.0/16 } { var(txn.haverdict.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    tcp-request content reject if !{ src 10.0.0.0/8 } ! { var(sess.haverdict.action) -m found } or { src 10.9.0.0/16 } ! { var(sess.haverdict.action) -m found }

    # dropped: the client gets no answer, not even a closed connection
    tcp-request content silent-drop if { var(sess.haverdict.action) -m str drop }

    # a connection has no status and no location: every action that ends something closes it
    tcp-request content reject if { var(sess.haverdict.action) -m str deny tarpit drop redirect }
    # haverdict end tcp-frontend
    # with FastCGI, a cache or compression in this section or its defaults, HAProxy also wants their lines, in this order:
    # filter fcgi-app NAME, filter cache NAME, filter compression
    # to route connections, those of these lines whose backend is in mode tcp:
    # use_backend blue if { var(sess.haverdict.action) -m str route } { var(sess.haverdict.backend) -m str blue }

# Part 5 of 6: put these lines into each backend in mode tcp that those frontends use.
    # haverdict begin tcp-backend 90a0a58a805ab1ee
    # errors that the client causes: a message larger than a frame (3, 259), or it hung up (4, 5, 255)
    tcp-response content reject if { var(txn.haverdict.error) -m int 3 259 4 5 255 }
    # policy closed: no request passes when the agent could not be asked
    # (var(txn.haverdict.error) says why: 1 timeout, 2 or 257 no connection)
    tcp-response content reject if { var(txn.haverdict.error) -m found }
    # nor when it was not asked at all, as after HAProxy's maxerrrate
    tcp-response content reject if ! { var(res.haverdict.action) -m found }

    # dropped: the client gets no answer, not even a closed connection
    tcp-response content silent-drop if { var(res.haverdict.action) -m str drop }

    # a connection has no status and no location: every action that ends something closes it
    tcp-response content reject if { var(res.haverdict.action) -m str deny tarpit drop redirect }
    # haverdict end tcp-backend

# Part 6 of 6: put these two sections at the end of the last file, once: sections below would take these defaults for theirs.
# haverdict begin agents ef2b7f70cd34d5f6
defaults haverdict-agents-defaults
    # nothing of other defaults sections applies to the agents
    log global

backend haverdict-agents from haverdict-agents-defaults
    mode spop
    option spop-check
    # a request never waits for a retry
    retries 0
    timeout connect 1s
    timeout server 180s
    # if global has \`chroot DIR\`: let the agent listen on DIR/PATH, and set haproxy.chroot to DIR
    server agent1 unix@/run/haverdict/agent.sock check inter 500ms fastinter 100ms downinter 200ms fall 2 rise 1
# haverdict end agents
`;

const RECENT_SPOE = [
  'spoe-agent haverdict-agent',
  '    messages others',
  '    groups haverdict-recent login hand',
  'spoe-message check-request',
  'spoe-message sign-in',
  'spoe-message by-hand',
  'spoe-message others',
  '    event on-client-session',
  'spoe-group haverdict-recent',
  '    messages check-request',
  'spoe-group login',
  '    messages sign-in',
  'spoe-group hand',
  '    messages by-hand',
];

const RECENT_LINES = [
  '    http-request set-var(txn.haverdict.allowed_at) src,table_gpt0(haverdict-agents)',
  '    http-request set-var(txn.haverdict.source) str(recent) if { date,sub(txn.haverdict.allowed_at) -m int 0:1 }',
  '    http-request set-var(txn.haverdict.action) str(allow) if { var(txn.haverdict.source) -m found }',
  '    http-request send-spoe-group haverdict haverdict-recent if !{ var(txn.haverdict.action) -m found }',
  '    http-request track-sc1 src table haverdict-agents if { var(txn.haverdict.source) -m str mirror cache backend } { var(txn.haverdict.action) -m str allow } !{ var(txn.haverdict.list) -m found }',
  '    http-request sc-set-gpt0(1) date if { var(txn.haverdict.source) -m str mirror cache backend } { var(txn.haverdict.action) -m str allow } !{ var(txn.haverdict.list) -m found }',
  '    http-request set-var(txn.haverdict.login.allowed_at) req.hdr_ip(x-client),table_gpt0(haverdict-agents)',
  '    http-request set-var(txn.haverdict.login.source) str(recent) if { method POST } { date,sub(txn.haverdict.login.allowed_at) -m int 0:1 }',
  '    http-request set-var(txn.haverdict.login.action) str(allow) if { var(txn.haverdict.login.source) -m found }',
  '    http-request send-spoe-group haverdict login if { method POST } !{ var(txn.haverdict.login.action) -m found }',
  '    http-request track-sc1 req.hdr_ip(x-client) table haverdict-agents if { var(txn.haverdict.login.source) -m str mirror cache backend } { var(txn.haverdict.login.action) -m str allow } !{ var(txn.haverdict.login.list) -m found }',
  '    http-request sc-set-gpt0(1) date if { var(txn.haverdict.login.source) -m str mirror cache backend } { var(txn.haverdict.login.action) -m str allow } !{ var(txn.haverdict.login.list) -m found }',
  '    http-request set-var(txn.haverdict.hand.allowed_at) src,table_gpt0(haverdict-agents)',
  '    http-request set-var(txn.haverdict.hand.source) str(recent) if { date,sub(txn.haverdict.hand.allowed_at) -m int 0:1 }',
  '    http-request set-var(txn.haverdict.hand.action) str(allow) if { var(txn.haverdict.hand.source) -m found }',
  '# Part 2 of 4: put these lines into the same frontends, below your rule that sends group hand, such as http-request send-spoe-group haverdict hand if !{ var(txn.haverdict.hand.action) -m found } { method POST }',
  '    http-request track-sc1 src table haverdict-agents if { var(txn.haverdict.hand.source) -m str mirror cache backend } { var(txn.haverdict.hand.action) -m str allow } !{ var(txn.haverdict.hand.list) -m found }',
  '    http-request sc-set-gpt0(1) date if { var(txn.haverdict.hand.source) -m str mirror cache backend } { var(txn.haverdict.hand.action) -m str allow } !{ var(txn.haverdict.hand.list) -m found }',
  '    stick-table type ipv6 size 5000 expire 2s store gpt0',
];

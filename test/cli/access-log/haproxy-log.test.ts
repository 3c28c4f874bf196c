import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseLogLine } from '../../../cli/access-log/haproxy-log.ts';

const AT = Date.UTC(2026, 1, 6, 12, 14, 14);
const HTTP =
  '[06/Feb/2026:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1"';

describe('parseLogLine', () => {
  const lines: readonly (readonly [string, string, string, number])[] = [
    ['the HTTP format', `10.0.1.2:33317 ${HTTP}`, '10.0.1.2', 655],
    ['the HTTP format behind syslog', `Feb  6 12:14:14 lb1 haproxy[14389]: 10.0.1.2:33317 ${HTTP}`, '10.0.1.2', 655],
    [
      'a syslog host that is an address',
      `Feb  6 12:14:14 10.9.9.9 haproxy[1]: 10.0.1.2:33317 ${HTTP}`,
      '10.0.1.2',
      655,
    ],
    [
      'the syslog of RFC 5424',
      `<134>1 2026-02-06T12:14:15Z 10.9.9.9 haproxy 1 - - 10.0.1.2:333 ${HTTP}`,
      '10.0.1.2',
      655,
    ],
    ['an IPv6 client', `2001:db8::1:33317 ${HTTP}`, '2001:db8::1', 655],
    ['an IPv4 client on a socket of both families', `::ffff:10.0.1.2:33317 ${HTTP}`, '10.0.1.2', 655],
    [
      'the TCP format',
      '10.0.1.2:5 [06/Feb/2026:12:14:14.001] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0',
      '10.0.1.2',
      1,
    ],
    ['CLF', '10.0.1.2 - - [06/Feb/2026:12:14:14 +0000] "GET / HTTP/1.1" 200 5 "" ""', '10.0.1.2', 0],
    [
      'CLF behind syslog',
      'Feb  6 12:14:14 lb haproxy[1]: 10.0.1.2 - - [06/Feb/2026:14:14:14 +0200] "GET /"',
      '10.0.1.2',
      0,
    ],
    ['CLF west of Greenwich', '10.0.1.2 - - [06/Feb/2026:08:44:14 -0330] "GET /"', '10.0.1.2', 0],
    ['an ISO time', '10.0.1.2 2026-02-06T12:14:14.5Z GET /', '10.0.1.2', 500],
    ['an ISO time with a zone, and a port', '10.0.1.2:80 2026-02-06T13:14:14+01:00 GET /', '10.0.1.2', 0],
    ['an address in brackets', '[2001:db8::1]:80 2026-02-06T12:14:14Z', '2001:db8::1', 0],
    ['comma separated values', '"10.0.1.2","2026-02-06T12:14:14Z"', '10.0.1.2', 0],
  ];
  for (const [what, line, address, afterMs] of lines)
    it(`reads ${what}`, () => {
      assert.deepEqual(parseLogLine(line), { address, ipv6: address.includes(':'), atMs: AT + afterMs });
    });

  for (const [what, line] of [
    ['an empty line', ''],
    ['a start message', 'Feb  6 12:14:14 lb haproxy[1]: Proxy http-in started.'],
    ['a client without time', '10.0.1.2 GET /'],
    ['a time without client', '[06/Feb/2026:12:14:14.655] GET /'],
    ['a unix client', `unix:1 ${HTTP}`],
    ['a month that is none', '10.0.1.2:5 [06/Abc/2026:12:14:14.655] x'],
    ['an address that is none', `10.0.1.256:33317 ${HTTP}`],
    ['what comes after a kilobyte', `${'x'.repeat(1024)} 10.0.1.2:33317 ${HTTP}`],
  ] as const)
    it(`finds no request in ${what}`, () => assert.equal(parseLogLine(line), undefined));

  it('takes no time to speak of for a line made to be slow', () => {
    const slow = ['x'.repeat(5000), '1:'.repeat(3000), '[haproxy[1]'.repeat(500), ' '.repeat(5000), '"'.repeat(5000)];
    const startedMs = performance.now();
    for (let round = 0; round < 100; round++) for (const line of slow) parseLogLine(line);
    assert.ok(performance.now() - startedMs < 1000);
  });
});

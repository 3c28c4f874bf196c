import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it, type TestContext } from 'node:test';
import { type Site, startSite, warmUp } from '../../dev/guarded-site.ts';
import { SPOE_FILE } from '../../dev/haproxy.ts';
import type { HaproxyBuild } from '../../dev/haproxy-builds.ts';
import { agentsBackend } from '../../haproxy/generate/agents-backend.ts';
import { frontendRules } from '../../haproxy/generate/frontend.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { knock } from '../support/knock.ts';
import { startTableFunction } from '../support/table-function.ts';

const UPGRADES = ['h2c', 'H2C', ' h2c ', 'websocket, h2c', 'h2c, websocket'];

describeOnEveryHaproxy('a server that takes an upgrade to HTTP/2', (build) => {
  it('is asked for none, and still for a WebSocket', async (t) => {
    const { site, upgrades } = await startUpgradingSite(t, build);
    for (const upgrade of UPGRADES) {
      const { received } = await knock({ ...visitor(site), send: upgradeTo(upgrade), limitMs: 5000 });
      // from 3.0 HAProxy answers 502 itself where a WebSocket was named beside it
      assert.match(received, /^HTTP\/1\.1 (200|502) /, upgrade);
    }
    assert.equal(upgrades.filter((upgrade) => /h2c/i.test(upgrade)).length, 0, upgrades.join());
    await knock({ ...visitor(site), send: upgradeTo('websocket'), limitMs: 5000 });
    assert.equal(upgrades.at(-1), 'websocket');
  });
});

function visitor({ port }: Site) {
  return { port, from: '127.58.0.1' };
}

/** The server closes the connection with its answer, so that nobody waits for more. */
function upgradeTo(protocol: string): string {
  const settings = 'HTTP2-Settings: AAMAAABkAAQAAP__';
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  return `GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\n${settings}\r\n${key}\r\n\r\n`;
}

async function startUpgradingSite(t: TestContext, haproxy: HaproxyBuild) {
  const upgrades: string[] = [];
  const server = createServer((_request, response) => {
    response.setHeader('connection', 'close');
    response.end('plain');
  });
  server.on('upgrade', (request, socket) => {
    upgrades.push(request.headers.upgrade ?? '');
    socket.on('error', () => undefined); // HAProxy resets what it wants no more
    // what a tunnel would begin with; what follows in it is asked about by nobody
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  const table = await startTableFunction();
  const site: Site = await startSite({
    ...{ haproxy, backendUrl: table.url },
    config: { policy: 'closed', deadlineMs: 5000, messages: { check: { subjects: { ip: 'src', path: 'path' } } } },
    haproxyConfig: (settings, at) => `global
    log stdout format raw daemon

defaults
    log global
    mode http
    timeout connect 2s
    timeout client 10s
    option httpclose
    timeout server 10s
    timeout tunnel 10s

frontend web
    bind 127.0.0.1:${at}
${frontendRules(settings, SPOE_FILE)}
    http-after-response set-header x-haverdict-source %[var(txn.haverdict.source)] if { var(txn.haverdict.source) -m found }
    default_backend origin

backend origin
    server o 127.0.0.1:${port}

${agentsBackend(settings)}`,
  });
  t.after(async () => {
    await site.stop();
    await table.close();
    server.closeAllConnections();
    server.close();
  });
  await warmUp(site);
  return { site, upgrades };
}

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { clientHello, isAnswered } from '../support/client-hello.ts';
import { describeOnEveryHaproxy } from '../support/every-haproxy.ts';
import { startTableSite, type TableSite } from '../support/table-site.ts';

const CONNECTIONS = 40;
/** A record of TLS has these bytes before its content (RFC 8446 5.1). */
const RECORD_HEADER = 5;

describeOnEveryHaproxy('the server name of a TLS connection that HAProxy does not end', (build) => {
  let place: TableSite;
  before(async () => {
    const messages = { 'check-sni': { group: 'sni', subjects: { host: 'req.ssl_sni' }, policy: 'open' } };
    const config = { deadlineMs: 2000, backend: { timeoutMs: 2000 }, messages };
    place = await startTableSite({ haproxy: build, config, mode: 'tcp' });
    place.table.type({ subject: 'host:bad.example', action: 'deny' });
  });
  after(() => place?.stop());

  it(`stops ${CONNECTIONS} of ${CONNECTIONS} that are listed, and none that is not`, async () => {
    const bad = await Promise.all(names('bad.example').map(clientHello));
    const good = await Promise.all(names('good.example').map(clientHello));
    assert.deepEqual(
      await Promise.all(bad.map((hello) => passes([hello]))),
      bad.map(() => false),
    );
    assert.deepEqual(
      await Promise.all(good.map((hello) => passes([hello]))),
      good.map(() => true),
    );
  });

  it('waits for a ClientHello that comes in parts', async () => {
    for (const [name, expected] of [
      ['bad.example', false],
      ['good.example', true],
    ] as const) {
      const hello = await clientHello(name);
      for (const at of [1, RECORD_HEADER, 50, hello.length - 1])
        assert.equal(await passes([hello.subarray(0, at), hello.subarray(at)]), expected, `${name}, cut at ${at}`);
    }
  });

  it('stops a listed one whose ClientHello is cut into several records', async () => {
    const hello = await clientHello('bad.example');
    assert.equal(await passes([inRecords(hello, 40)]), false);
    assert.equal(await passes([inRecords(hello, hello.length - RECORD_HEADER - 1)]), false);
  });

  it('stops what is not TLS', async () => {
    assert.equal(await passes([Buffer.from('GET / HTTP/1.1\r\nHost: bad.example\r\n\r\n')]), false);
  });

  const passes = (parts: readonly Buffer[]) => isAnswered(place.site.port, parts);
});

/** In the spellings that a client may choose. */
function names(name: string): string[] {
  return Array.from({ length: CONNECTIONS }, (_, index) => (index % 4 === 0 ? name.toUpperCase() : name));
}

/** The same handshake message in two records. */
function inRecords(hello: Buffer, at: number): Buffer {
  const content = hello.subarray(RECORD_HEADER);
  return Buffer.concat(
    [content.subarray(0, at), content.subarray(at)].flatMap((part) => [header(hello, part.length), part]),
  );
}

function header(hello: Buffer, length: number): Buffer {
  const bytes = Buffer.from(hello.subarray(0, RECORD_HEADER));
  bytes.writeUInt16BE(length, 3);
  return bytes;
}

// A backend whose mirror lists the addresses of odd rank: `node bench/mirror-backend.ts PORT ADDRESSES FAMILY`.
import { createServer } from 'node:http';
import { formatAddress } from '../contract/address.ts';
import { changeOf, MirrorBackend } from '../test/support/mirror-backend.ts';
import { addressOf, isListed, type PoolOptions } from './notify-pool.ts';

const [port = '', addresses = '', family = 'ipv4'] = process.argv.slice(2);
const backend = new MirrorBackend();
for (let rank = 0; rank < Number(addresses); rank++)
  if (isListed(rank))
    backend.put(changeOf(`ip:${formatAddress(addressOf(rank, family as PoolOptions['family']))}`, { reason: 'bench' }));
backend.build('bench');
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (!backend.answer(url, response)) response.writeHead(404).end();
});
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));

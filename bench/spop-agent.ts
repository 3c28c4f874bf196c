// An agent of `createAgent` that does what bench/agent.ts does, by a set of addresses:
// `node bench/spop-agent.ts PORT|unix:PATH at-once|promise ADDRESSES FAMILY`.
import { createAgent, formatAddress, message } from '../spop/spop.ts';
import { addressOf, isListed, type PoolOptions } from './notify-pool.ts';

const [target = '9000', how = 'at-once', addresses = '200000', family = 'ipv4'] = process.argv.slice(2);
const ranks = Array.from({ length: Number(addresses) }, (_, rank) => rank);
const listed = new Set(
  ranks.filter(isListed).map((rank) => formatAddress(addressOf(rank, family as PoolOptions['family']))),
);
const decide = (ip: string | null, set: (name: 'action' | 'source', value: string) => void) => {
  set('action', ip !== null && listed.has(ip) ? 'deny' : 'allow');
  set('source', 'cache');
};
const declared = { args: { ip: 'address' }, vars: { action: 'text', source: 'text' } } as const;
const agent = createAgent({
  'check-request':
    how === 'promise'
      ? message(declared, async ({ args, set }) => {
          await undefined; // what it waits for is there
          decide(args.ip, set);
        })
      : message(declared, ({ args, set }) => decide(args.ip, set)),
});
await agent.listen(target.startsWith('unix:') ? { path: target.slice(5) } : { port: Number(target) });
console.log('listening');
process.on('SIGTERM', () => process.exit(0));

import { lastOf, optionOf } from '../parse/proxy.ts';
import { hasNativeSpop } from '../versions.ts';
import type { Checks, Occurrence } from './check.ts';
import { type Installation, sentMessages } from './installation.ts';

const DEFAULT_BUFFER_BYTES = 16_384;
/** HAProxy reserves these bytes of a buffer for the length of a frame. */
const PREFIX_BYTES = 4;
const MIN_FRAME_BYTES = 256;
/** Arguments of a fixed size, such as addresses and numbers, whatever the client sends. */
const FIXED_SIZE = /^(src|dst|src_port|dst_port|src_is_local|ssl_fc|status|bool|int|rand|date)\b/;

/** Do options of the spoe-agent section harm with this agent? */
export const ENGINE_CHECKS = {
  'fragments-on': {
    severity: 'error',
    why: 'before HAProxy 3.1 a message that is too large causes thousands of reconnects per second instead of one error',
    write: 'no option send-frag-payload',
    find: (installation) => leftOn(installation, 'send-frag-payload'),
  },
  'async-on': {
    severity: 'warning',
    why: 'before HAProxy 3.1 an answer may come on another connection if the agent supports it: a lost connection then costs the whole timeout',
    write: 'no option async',
    find: (installation) => leftOn(installation, 'async'),
  },
  'pipelining-off': {
    severity: 'warning',
    why: 'HAProxy opens a connection for each waiting request',
    write: 'option pipelining',
    *find({ engines }) {
      for (const { agent } of engines) {
        const option = optionOf(agent.lines, 'pipelining');
        if (option?.on === false) yield { place: option.line.place, what: 'pipelining is off' };
      }
    },
  },
  'error-rate-limited': {
    severity: 'error',
    why: 'before HAProxy 3.1, above this rate of errors it stops asking without setting the error variable: under policy open everything passes',
    write: 'remove the maxerrrate line from the spoe-agent',
    find: (installation) => limited(installation, 'maxerrrate'),
  },
  'connection-rate-limited': {
    severity: 'warning',
    why: 'before HAProxy 3.1, above this rate of new connections requests fail with an error, for example after each reload',
    write: 'remove the maxconnrate line from the spoe-agent',
    find: (installation) => limited(installation, 'maxconnrate'),
  },
  'frame-size-small': {
    severity: 'error',
    why: 'a request with headers larger than a frame is not checked: under policy open it passes',
    write: 'max-frame-size <bytes>',
    *find({ engines, config }) {
      const largest = largestFrame(config);
      for (const engine of engines) {
        const line = lastOf(engine.agent.lines, 'max-frame-size');
        const bytes = Number(line?.words[1]);
        const grows = sentMessages(engine).some(({ args }) =>
          args.some(({ expression }) => !FIXED_SIZE.test(expression)),
        );
        if (line && bytes >= MIN_FRAME_BYTES && bytes < largest && grows)
          yield {
            place: line.place,
            what: `frames of ${bytes} bytes, requests of up to ${largest}`,
            values: { bytes: largest },
          };
      }
    },
  },
  'frame-size-invalid': {
    severity: 'error',
    why: 'HAProxy allows 256 to tune.bufsize - 4; otherwise it refuses the file and keeps its old configuration',
    write: 'max-frame-size <bytes>',
    *find({ engines, config }) {
      const largest = largestFrame(config);
      for (const { agent } of engines) {
        const line = lastOf(agent.lines, 'max-frame-size');
        const bytes = Number(line?.words[1]);
        if (line && (bytes > largest || bytes < MIN_FRAME_BYTES))
          yield {
            place: line.place,
            what: `${bytes} is not between ${MIN_FRAME_BYTES} and ${largest}`,
            values: { bytes: largest },
          };
      }
    },
  },
  'errors-unlogged': {
    severity: 'warning',
    why: 'HAProxy does not log when the agent cannot be asked: unchecked requests go unnoticed',
    write: 'log global',
    *find({ engines }) {
      for (const { agent } of engines)
        if (!agent.lines.some(({ words }) => words[0] === 'log'))
          yield { place: agent.place, what: `spoe-agent ${agent.name} has no log` };
    },
  },
} satisfies Checks;

/** Both are on by default; they do not exist from 3.1. */
function* leftOn({ engines, settings }: Installation, name: string): Iterable<Occurrence> {
  if (hasNativeSpop(settings.haproxy.version)) return;
  for (const { agent } of engines) {
    const option = optionOf(agent.lines, name);
    if (option?.on !== false) yield { place: option?.line.place ?? agent.place, what: `option ${name} is on` };
  }
}

function* limited({ engines, settings }: Installation, keyword: string): Iterable<Occurrence> {
  if (hasNativeSpop(settings.haproxy.version)) return;
  for (const { agent } of engines) {
    const line = lastOf(agent.lines, keyword);
    if (line) yield { place: line.place, what: line.words.join(' ') };
  }
}

function largestFrame({ global }: Installation['config']): number {
  const bytes = Number(lastOf(global, 'tune.bufsize')?.words[1] ?? DEFAULT_BUFFER_BYTES);
  return (Number.isNaN(bytes) ? DEFAULT_BUFFER_BYTES : bytes) - PREFIX_BYTES;
}

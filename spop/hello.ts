import { invalidFrame, SpopError, SpopStatus } from './errors.ts';
import { encodeFrame, type Frame, FrameType, NO_IDS } from './frame.ts';
import { expectConnectionFrame, isInteger, optionalText, readKeyValues, words } from './key-values.ts';
import { PayloadWriter } from './payload-writer.ts';
import type { ReceivedData } from './typed-data.ts';
import { writeData } from './typed-data.ts';

/**
 * The only version of SPOP there is.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { SPOP_VERSION } from 'haverdict-spop';
 *
 * assert.equal(SPOP_VERSION, '2.0');
 * ```
 */
export const SPOP_VERSION = '2.0';
/**
 * The smallest frame size that either side may announce (SPOE.txt 3.2.4).
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { MIN_MAX_FRAME_SIZE } from 'haverdict-spop';
 *
 * assert.equal(MIN_MAX_FRAME_SIZE, 256);
 * ```
 */
export const MIN_MAX_FRAME_SIZE = 256;

/**
 * The first frame of HAProxy on every connection.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { answerHello, type HaproxyHello } from 'haverdict-spop';
 *
 * const hello: HaproxyHello = {
 *   supportedVersions: ['2.0'],
 *   maxFrameSize: 16_380,
 *   capabilities: ['pipelining'],
 *   healthcheck: false,
 * };
 * assert.equal(answerHello(hello, 65_536).maxFrameSize, 16_380);
 * ```
 */
export interface HaproxyHello {
  readonly supportedVersions: readonly string[];
  /** The largest frame that HAProxy sends and takes, in bytes without the length prefix. */
  readonly maxFrameSize: number;
  readonly capabilities: readonly string[];
  /** One for each thread up to HAProxy 3.0, one for each spoe-agent section from 3.1. */
  readonly engineId?: string;
  /** True only in `option spop-check`: answer a HELLO and nothing else, HAProxy closes with a reset. */
  readonly healthcheck: boolean;
}

/**
 * The answer of the agent; HAProxy accepts no other frame before it.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { type AgentHello, encodeAgentHello, FrameType } from 'haverdict-spop';
 *
 * const hello: AgentHello = { version: '2.0', maxFrameSize: 16_380, capabilities: ['pipelining'] };
 * assert.equal(encodeAgentHello(hello)[4], FrameType.agentHello);
 * ```
 */
export interface AgentHello {
  readonly version: string;
  readonly maxFrameSize: number;
  readonly capabilities: readonly string[];
}

/**
 * Decodes HAPROXY-HELLO; throws a `SpopError` with the specific status for a missing or invalid item.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { decodeHaproxyHello, FrameReader, SpopStatus } from 'haverdict-spop';
 *
 * const notify = Buffer.from('0000000701000000010000', 'hex'); // a HAPROXY-HELLO without any key
 * const reader = new FrameReader(16_380);
 * reader.push(notify);
 * const frame = reader.next();
 * assert.throws(() => frame && decodeHaproxyHello(frame), { name: 'SpopError', status: SpopStatus.noVersion });
 * ```
 */
export function decodeHaproxyHello(frame: Frame): HaproxyHello {
  expectConnectionFrame(frame);
  const values = readKeyValues(frame);
  const versions = optionalText(values, 'supported-versions');
  if (versions === undefined) throw new SpopError(SpopStatus.noVersion, 'supported-versions is missing');
  const supportedVersions = words(versions);
  if (!supportedVersions.some((version) => /^2\.\d+$/.test(version))) {
    throw new SpopError(SpopStatus.unsupportedVersion, `none of "${versions}" is version 2`);
  }
  const maxFrameSize = readMaxFrameSize(values.get('max-frame-size'));
  const capabilities = optionalText(values, 'capabilities');
  if (capabilities === undefined) throw new SpopError(SpopStatus.noCapabilities, 'capabilities is missing');
  const engineId = optionalText(values, 'engine-id');
  return {
    supportedVersions,
    maxFrameSize,
    capabilities: words(capabilities),
    ...(engineId === undefined ? {} : { engineId }),
    healthcheck: readHealthcheck(values.get('healthcheck')),
  };
}

/**
 * Decodes AGENT-HELLO, for HAProxy's side of the protocol.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { decodeAgentHello, encodeAgentHello, FrameReader } from 'haverdict-spop';
 *
 * const hello = { version: '2.0', maxFrameSize: 16_380, capabilities: ['pipelining'] };
 * const reader = new FrameReader(16_380);
 * reader.push(encodeAgentHello(hello));
 * const frame = reader.next();
 * assert.deepEqual(frame && decodeAgentHello(frame), hello);
 * ```
 */
export function decodeAgentHello(frame: Frame): AgentHello {
  expectConnectionFrame(frame);
  const values = readKeyValues(frame);
  const version = optionalText(values, 'version');
  if (version === undefined) throw new SpopError(SpopStatus.noVersion, 'version is missing');
  const maxFrameSize = readMaxFrameSize(values.get('max-frame-size'));
  return { version, maxFrameSize, capabilities: words(optionalText(values, 'capabilities') ?? '') };
}

/**
 * The agent's answer to a HELLO. `pipelining` may be announced whatever HAProxy offered, as it asks for nothing; `async`
 * never, since on 2.6 to 3.0 a connection lost with it makes HAProxy wait out `timeout processing`; `fragmentation`
 * never, since 3.1 dropped it.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { answerHello } from 'haverdict-spop';
 *
 * const hello = {
 *   supportedVersions: ['2.0'],
 *   maxFrameSize: 16_380,
 *   capabilities: ['pipelining'],
 *   healthcheck: false,
 * };
 * assert.deepEqual(answerHello(hello, 4096), { version: '2.0', maxFrameSize: 4096, capabilities: ['pipelining'] });
 * ```
 */
export function answerHello(hello: HaproxyHello, maxFrameSize: number, isPipelined = true): AgentHello {
  // From 3.1 a health check announces 16380 whatever tune.bufsize is, and refuses an echo of it: the least always fits.
  const size = hello.healthcheck ? MIN_MAX_FRAME_SIZE : Math.min(hello.maxFrameSize, maxFrameSize);
  return { version: SPOP_VERSION, maxFrameSize: size, capabilities: isPipelined ? ['pipelining'] : [] };
}

/**
 * The whole AGENT-HELLO frame. Write it with one write: 3.2.0, 3.4.0 and 3.5-dev5 refuse one that comes in pieces.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { encodeAgentHello } from 'haverdict-spop';
 *
 * const frame = encodeAgentHello({ version: '2.0', maxFrameSize: 16_380, capabilities: ['pipelining'] });
 * assert.equal(frame.length, 68);
 * ```
 */
export function encodeAgentHello(hello: AgentHello): Uint8Array {
  const out = new PayloadWriter();
  writeData(out.text('version'), { type: 'string', value: hello.version });
  writeData(out.text('max-frame-size'), { type: 'uint32', value: BigInt(hello.maxFrameSize) });
  writeData(out.text('capabilities'), { type: 'string', value: hello.capabilities.join(',') });
  return encodeFrame(FrameType.agentHello, NO_IDS, out.finish());
}

function readMaxFrameSize(data: ReceivedData | undefined): number {
  if (data === undefined) throw new SpopError(SpopStatus.noMaxFrameSize, 'max-frame-size is missing');
  if (!isInteger(data))
    throw new SpopError(SpopStatus.badMaxFrameSize, `max-frame-size is of type ${data.type}, not an integer`);
  if (data.value < BigInt(MIN_MAX_FRAME_SIZE)) {
    throw new SpopError(SpopStatus.badMaxFrameSize, `max-frame-size ${data.value} is below ${MIN_MAX_FRAME_SIZE}`);
  }
  return Number(data.value > 0xffffffffn ? 0xffffffffn : data.value);
}

function readHealthcheck(data: ReceivedData | undefined): boolean {
  if (data === undefined) return false;
  if (data.type !== 'bool') throw invalidFrame(`healthcheck is of type ${data.type}, not bool`);
  return data.value;
}

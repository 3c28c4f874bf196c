import { encodeFrame, FrameType, NO_IDS } from '../../spop/frame.ts';
import { PayloadWriter } from '../../spop/payload-writer.ts';
import { type TypedData, writeData } from '../../spop/typed-data.ts';

/** One value of a NOTIFY under the name of its argument. */
export interface SentArgument {
  readonly name: string;
  readonly value: TypedData;
}

const IDS = Uint8Array.of(1, 1);

/** HAPROXY-HELLO as HAProxy sends it to check a server, or before its first NOTIFY. */
export function encodeHaproxyHello(maxFrameSize: number, healthcheck: boolean): Uint8Array {
  const out = new PayloadWriter();
  writeData(out.text('supported-versions'), { type: 'string', value: '2.0' });
  writeData(out.text('max-frame-size'), { type: 'uint32', value: BigInt(maxFrameSize) });
  writeData(out.text('capabilities'), { type: 'string', value: healthcheck ? '' : 'pipelining' });
  if (healthcheck) writeData(out.text('healthcheck'), { type: 'bool', value: true });
  return encodeFrame(FrameType.haproxyHello, NO_IDS, out.finish());
}

/** A NOTIFY with one message, the first of its connection. */
export function encodeNotify(message: string, args: readonly SentArgument[]): Uint8Array {
  const out = new PayloadWriter().text(message).byte(args.length);
  for (const { name, value } of args) writeData(out.text(name), value);
  return encodeFrame(FrameType.notify, IDS, out.finish());
}

const NAME = 'probe.haverdict.invalid';

/** A valid value of each kind that belongs to nobody: reserved for documentation or private use, or made up. */
const UNUSED_VALUES: Readonly<Record<string, TypedData>> = {
  ip: { type: 'ipv4', value: Uint8Array.of(192, 0, 2, 1) }, // RFC 5737
  host: text(NAME), // RFC 2606
  path: text('/probe.haverdict.invalid'),
  method: text('HAVERDICT-PROBE'), // any token is a method
  country: text('ZZ'), // ISO 3166-1 leaves it to users
  asn: text('64496'), // RFC 5398
  ja4: text('t13d0000h0_000000000000_000000000000'),
};

/** For kinds without a syntax of their own, and for arguments, any text will do. */
export function unusedValue(kind: string): TypedData {
  return UNUSED_VALUES[kind] ?? text(NAME);
}

function text(value: string): TypedData {
  return { type: 'string', value };
}

/** The text of a reference id that comes so many after its first one, by another hand than ours. */
export function referenceOf(start: Uint8Array, count: number): string {
  const first = start.reduce((sum, byte) => sum * 32n + BigInt(byte % 32), 0n);
  const number = BigInt.asUintN(60, first + BigInt(count));
  const crockford = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from({ length: 12 }, (_, at) => crockford[Number((number >> BigInt(55 - 5 * at)) & 31n)]).join('');
}

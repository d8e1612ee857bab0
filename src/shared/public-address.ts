// Which addresses belong to the open internet. It looks at numbers, never at how somebody wrote them.
import { BlockList, isIP } from 'node:net';

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv4');

// Of IPv6 only what is global unicast at all, less what embeds or documents something else.
const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');
const SPECIAL = new BlockList();
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  SPECIAL.addSubnet(network, bits, 'ipv6');

/** An address of the open internet. Anything else, also what is no address, is not. */
export function isPublicAddress(address: string): boolean {
  const bare = address.replace(/^::ffff:(?=[\d.]+$)/i, '').replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 4) return !PRIVATE.check(bare, 'ipv4');
  // IPv4 in IPv6's other clothes lies outside 2000::/3, and so do loopback, link-local and unique local addresses.
  return family === 6 && GLOBAL.check(bare, 'ipv6') && !SPECIAL.check(bare, 'ipv6');
}

// Where a browser finds this server: as it was set, else where it listens on this machine.
import type { AddressInfo } from 'node:net';

export interface OwnAddressSettings {
  HOST: string;
  VENOM_PUBLIC_URL: string;
}

const EVERYWHERE = new Set(['0.0.0.0', '::', 'localhost']);

/** Without a slash at its end. @param listening  null before we listen */
export function ownAddress(
  { HOST, VENOM_PUBLIC_URL }: OwnAddressSettings,
  listening: AddressInfo | string | null,
): string {
  if (VENOM_PUBLIC_URL) return VENOM_PUBLIC_URL;
  const port = typeof listening === 'object' && listening ? listening.port : 0;
  // By number: authorization servers compare it letter by letter, and `localhost` may stand for another address.
  const host = EVERYWHERE.has(HOST) ? '127.0.0.1' : HOST.includes(':') ? `[${HOST}]` : HOST;
  return `http://${host}:${port}`;
}

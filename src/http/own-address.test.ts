import { expect, it } from 'vitest';
import { ownAddress } from './own-address.js';

const listening = { address: '127.0.0.1', family: 'IPv4', port: 8123 };

it.each([
  ['127.0.0.1', '', 'http://127.0.0.1:8123'],
  ['localhost', '', 'http://127.0.0.1:8123'],
  ['0.0.0.0', '', 'http://127.0.0.1:8123'],
  ['::1', '', 'http://[::1]:8123'],
  ['192.168.1.5', '', 'http://192.168.1.5:8123'],
  ['0.0.0.0', 'https://venom.example.org', 'https://venom.example.org'],
])('a server at %s with the public address %j is found at %s', (HOST, VENOM_PUBLIC_URL, expected) => {
  expect(ownAddress({ HOST, VENOM_PUBLIC_URL }, listening)).toBe(expected);
});

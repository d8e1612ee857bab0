import { describe, expect, it } from 'vitest';
import { isInOwnNetwork } from './own-network.js';

const names: Record<string, string[]> = {
  vllm: ['172.18.0.3'],
  'gpu.lan': ['192.168.1.20', 'fd00::20'],
  localhost: ['::1', '127.0.0.1'],
  'api.example.com': ['203.0.114.7'],
  'both.example.com': ['10.0.0.1', '8.8.8.8'],
};
/** As the system does it: an address stands for itself. */
const resolve = async (host: string) => {
  if (/^[\d.]+$|:/.test(host)) return [{ address: host }];
  if (!names[host]) throw new Error('ENOTFOUND');
  return (names[host] as string[]).map((address) => ({ address }));
};

describe('isInOwnNetwork', () => {
  it.each([
    ['http://127.0.0.1:8001/v1', true],
    ['http://localhost:8080', true],
    ['http://192.168.1.20:8000/v1', true],
    ['http://[::1]:9000', true],
    ['http://[fd00::2]/v1', true],
    ['http://vllm:8000/v1', true],
    ['http://gpu.lan/v1', true],
    ['http://172.32.0.4', false],
    ['http://8.8.8.8/v1', false],
    ['http://[2606:4700::1]', false],
    ['https://api.example.com/v1', false],
    ['http://both.example.com', false],
    ['http://nobody.knows/v1', false],
    ['not an address', false],
    ['', false],
  ])('%s: %s', async (endpoint, own) => {
    expect(await isInOwnNetwork(endpoint, resolve)).toBe(own);
  });

  it('waits for no name for ever', async () => {
    expect(await isInOwnNetwork('http://slow', () => new Promise(() => {}))).toBe(false);
  });
});

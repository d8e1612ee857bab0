import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CloudKeyStore, type CloudKeyStoreOptions } from './cloud-key-store.js';
import { type Keyring, SystemKeyring } from './system-keyring.js';

const KEY = 'sk-entered-by-hand-0123456789';
const NONE = { openai: '', google: '', 'cloud-compatible': '' };

class MemoryKeyring implements Keyring {
  readonly secrets = new Map<string, string>();
  locked = false;
  asked = 0;
  async get(account: string) {
    this.#check();
    return this.secrets.get(account) ?? null;
  }
  async set(account: string, secret: string) {
    this.#check();
    this.secrets.set(account, secret);
  }
  async delete(account: string) {
    this.#check();
    this.secrets.delete(account);
  }
  #check() {
    this.asked += 1;
    if (this.locked) throw new Error('locked');
  }
}

let folder: string;
let now = 1_000_000;
const failures: unknown[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-keys-'));
  failures.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = async (keyring: Keyring | null, changes: Partial<CloudKeyStoreOptions> = {}) => {
  const store = new CloudKeyStore({
    path: join(folder, 'keys.json'),
    environment: NONE,
    keyring,
    installation: folder,
    now: () => now,
    onKeyringFailed: (error) => failures.push(error),
    ...changes,
  });
  await store.load();
  return store;
};
const file = () => readFileSync(join(folder, 'keys.json'), 'utf8');

describe('CloudKeyStore', () => {
  it('keeps a key in the keyring and not in the file, finds it again, and takes it out of both', async () => {
    const keyring = new MemoryKeyring();
    const store = await open(keyring);
    expect(keyring.asked).toBe(0);
    await store.set('openai', KEY);
    expect([store.get('openai'), store.source('openai')]).toEqual([KEY, 'keyring']);
    expect(file()).not.toContain(KEY);
    expect(statSync(join(folder, 'keys.json')).mode & 0o777).toBe(0o600);
    const again = await open(keyring);
    expect(again.get('openai')).toBe(KEY);
    expect(await again.delete('openai')).toBe(true);
    expect(keyring.secrets.size).toBe(0);
    expect([again.get('openai'), again.source('openai'), file().trim()]).toEqual(['', null, '{}']);
  });

  it('keeps it in the file where there is no keyring, or it does not take it', async () => {
    const keyring = new MemoryKeyring();
    keyring.locked = true;
    for (const [given, failed] of [
      [null, 0],
      [keyring, 1],
    ] as const) {
      const store = await open(given);
      await store.set('google', KEY);
      expect([store.get('google'), store.source('google')]).toEqual([KEY, 'file']);
      expect(file()).toContain(KEY);
      expect(failures).toHaveLength(failed);
      await store.delete('google');
    }
  });

  it('says that a key is missing while the keyring is locked, and has it once it is open', async () => {
    const keyring = new MemoryKeyring();
    await (await open(keyring)).set('openai', KEY);
    keyring.locked = true;
    const store = await open(keyring);
    expect([store.get('openai'), failures.length]).toEqual(['', 1]);
    keyring.locked = false;
    expect(store.get('openai')).toBe('');
    now += 11_000;
    store.get('openai');
    await expect.poll(() => store.get('openai')).toBe(KEY);
    keyring.locked = true;
    await expect(store.delete('openai')).rejects.toThrow('locked');
    expect(store.source('openai')).toBe('keyring');
  });

  it('lets the environment go first', async () => {
    const store = await open(new MemoryKeyring(), { environment: { ...NONE, openai: 'sk-environment' } });
    await store.set('openai', KEY);
    expect([store.get('openai'), store.source('openai')]).toEqual(['sk-environment', 'environment']);
  });
});

describe('SystemKeyring', () => {
  // With a Secret Service behind it: dbus-run-session, gnome-keyring-daemon --unlock, and this.
  const there = process.env['VENOM_TEST_KEYRING'] === 'true';
  if (!there) console.log('without a real keyring: set VENOM_TEST_KEYRING=true in a session that has one');

  it.runIf(there)('keeps, gives and forgets a secret', async () => {
    const keyring = new SystemKeyring();
    const account = `test ${crypto.randomUUID()}`;
    expect(await keyring.get(account)).toBeNull();
    await keyring.set(account, KEY);
    expect(await keyring.get(account)).toBe(KEY);
    await keyring.delete(account);
    expect(await keyring.get(account)).toBeNull();
  });

  it.runIf(!there && process.platform === 'linux')('says within seconds that there is none', async () => {
    const address = process.env['DBUS_SESSION_BUS_ADDRESS'];
    process.env['DBUS_SESSION_BUS_ADDRESS'] = 'unix:path=/nonexistent';
    await expect(new SystemKeyring().get('anything')).rejects.toMatchObject({ code: 'store_unavailable' });
    if (address === undefined) delete process.env['DBUS_SESSION_BUS_ADDRESS'];
    else process.env['DBUS_SESSION_BUS_ADDRESS'] = address;
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pipConfiguration, uvIndexVariables } from './pip-configuration.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'venom-pip-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
const places = (environment: Record<string, string> = {}) => ({
  environment: { XDG_CONFIG_DIRS: join(folder, 'xdg'), ...environment },
  home: join(folder, 'home'),
  machine: join(folder, 'machine.conf'),
  python: join(folder, 'python'),
});
const USER = 'home/.config/pip/pip.conf';

describe('the settings of pip', () => {
  it('are read in the order pip has: machine, person, Python, the file that is named, variables', () => {
    const index = (environment?: Record<string, string>) => pipConfiguration(places(environment))['index-url'];
    const file = (name: string) =>
      written(name, `[global]\nindex-url = https://${name.split('/')[0]}.example/simple\n`);
    const one = (name: string) => `https://${name}.example/simple`;
    file('xdg/pip/pip.conf');
    expect(index()).toBe(one('xdg'));
    written('machine.conf', '[global]\nindex-url = https://machine.example/simple\n');
    expect(index()).toBe(one('machine'));
    file('home/.pip/pip.conf');
    expect(index()).toBe(one('home'));
    file('python/pip.conf');
    expect(index()).toBe(one('python'));
    const named = file('named/pip.conf');
    expect(index({ PIP_CONFIG_FILE: named })).toBe(one('named'));
    expect(index({ PIP_CONFIG_FILE: named, PIP_INDEX_URL: one('variable') })).toBe(one('variable'));
    expect(index({ PIP_CONFIG_FILE: '/dev/null' })).toBeUndefined();
  });

  it('of a person do not count where another file is named', () => {
    written(USER, '[global]\nextra-index-url = https://person.example/simple\n');
    const named = written('named.conf', '[global]\nindex-url = https://named.example/simple\n');
    expect(pipConfiguration(places({ PIP_CONFIG_FILE: named }))).toEqual({
      'index-url': 'https://named.example/simple',
    });
  });

  it('may go over several lines, be written with underscores, hold comments, and be for installing alone', () => {
    written(
      USER,
      `# mine
[global]
index_url: https://everywhere.example/simple
extra-index-url =
    https://one.example/simple
    # not this one
    https://two.example/simple
[install]
index-url = https://installing.example/simple
[freeze]
index-url = https://freezing.example/simple
`,
    );
    expect(pipConfiguration(places())).toEqual({
      'index-url': 'https://installing.example/simple',
      'extra-index-url': 'https://one.example/simple\nhttps://two.example/simple',
    });
  });
});

describe('what uv is told', () => {
  const conf = `[global]
index-url = http://127.0.0.1:1/simple
extra-index-url = https://one.example/simple
  https://two.example/simple
find-links = /wheels
trusted-host = 127.0.0.1
cert = /certificates.pem
`;
  const told = (environment: Record<string, string> = {}, uvConfig?: string) =>
    uvIndexVariables({ ...places(environment), uvConfig });

  it('is where pip looks', () => {
    written(USER, conf);
    expect(told()).toEqual({
      UV_DEFAULT_INDEX: 'http://127.0.0.1:1/simple',
      UV_INDEX: 'https://one.example/simple https://two.example/simple',
      UV_FIND_LINKS: '/wheels',
      UV_INSECURE_HOST: '127.0.0.1',
      SSL_CERT_FILE: '/certificates.pem',
    });
    expect(told({ PIP_INDEX_URL: 'https://variable.example/simple', SSL_CERT_FILE: '/mine.pem' })).toMatchObject({
      UV_DEFAULT_INDEX: 'https://variable.example/simple',
    });
    expect(told({ SSL_CERT_FILE: '/mine.pem' })['SSL_CERT_FILE']).toBeUndefined();
    expect(told({ PIP_NO_INDEX: 'true' })).toMatchObject({ UV_OFFLINE: '1' });
  });

  it.each(['UV_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX'])('is nothing where it has %s', (name) => {
    written(USER, conf);
    expect(told({ [name]: 'https://mine.example/simple' })).toEqual({});
  });

  it.each([
    ['index-url = "https://mine.example/simple"', {}],
    ['[[index]]\nurl = "https://mine.example/simple"', {}],
    ['[pip]\nindex-url = "https://mine.example/simple"', {}],
    ['offline = false', { UV_DEFAULT_INDEX: 'http://127.0.0.1:1/simple' }],
  ])('heeds its own file: %s', (text, expected) => {
    written(USER, conf);
    const found = told({}, written('uv.toml', text));
    expect(found['UV_DEFAULT_INDEX']).toBe((expected as Record<string, string>)['UV_DEFAULT_INDEX']);
  });
});

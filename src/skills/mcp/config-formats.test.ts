import { describe, expect, it } from 'vitest';
import { writeConfig } from './config-export.js';
import { parseConfig, readConfig } from './config-formats.js';
import type { ImportRequest } from './import-request.js';
import type { Launch, ServerRecord } from './server-definition.js';

const read = (servers: Record<string, unknown>, keepSecrets = false) =>
  readConfig({ mcpServers: servers }, { keepSecrets, home: '/home/me' });
const one = (entry: unknown): ImportRequest => read({ it: entry }).requests[0] as ImportRequest;
const why = (entry: unknown): string => read({ it: entry }).skipped[0]?.reason ?? '';
/** As configurations name a variable. */
const variable = (name: string) => ['$', `{${name}}`].join('');

describe('a configuration of another program', () => {
  it('is read with comments and a comma too many, in each of its forms', () => {
    const config = parseConfig(`{
      // of an editor
      "mcp": { "servers": { "a": { "url": "https://x.example/mcp", }, }, },
    }`);
    expect(readConfig(config, { keepSecrets: false, home: '/' }).requests.map(({ name }) => name)).toEqual(['a']);
    expect(() => parseConfig('[]')).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    expect(() => parseConfig('{"a": }')).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  it('keeps folder, variables, numbers and the name people gave it', () => {
    const { requests } = read({
      'My Notes': {
        type: 'stdio',
        command: 'node',
        args: ['server.js', variable('userHome')],
        cwd: '~/notes',
        env: { PORT: 8080, VERBOSE: true, PATH: '/x', DIR: '~/d' },
      },
    });
    expect(requests[0]).toMatchObject({
      name: 'my-notes',
      title: 'My Notes',
      source: { kind: 'config', command: 'node', args: ['server.js', '/home/me'], cwd: '/home/me/notes' },
      grants: { environment: { PORT: '8080', VERBOSE: 'true', DIR: '/home/me/d' }, network: false },
      notes: [expect.stringContaining('PATH')],
    });
    expect(requests[0]?.grants.environment).not.toHaveProperty('PATH');
  });

  it.each([
    [{ disabled: true }, true],
    [{ enabled: false }, true],
    [{ disabled: false }, undefined],
    [{}, undefined],
  ])('that says %j is imported accordingly', (more, disabled) => {
    expect(one({ command: 'x', ...more }).disabled).toBe(disabled);
    expect(one({ url: 'https://x.example/', ...more }).disabled).toBe(disabled);
  });

  it.each([
    [{ type: 'http', url: 'https://x.example/mcp' }],
    [{ type: 'sse', url: 'https://x.example/mcp' }],
    [{ serverUrl: 'https://x.example/mcp' }],
    [{ httpUrl: 'https://x.example/mcp' }],
  ])('that names an address as %j is a remote server', (entry) => {
    expect(one(entry).source).toMatchObject({ kind: 'remote', url: 'https://x.example/mcp' });
  });

  it.each([
    ['npx', ['-y', '@a/b@1.2.0', '-y', 'x'], { kind: 'npm', package: '@a/b', version: '1.2.0', args: ['-y', 'x'] }],
    ['npx', ['b@latest'], { kind: 'npm', package: 'b', version: null, args: [] }],
    ['cmd', ['/c', 'npx', '-y', 'b'], { kind: 'npm', package: 'b', version: null, args: [] }],
    [
      'uvx',
      ['mcp-server-time==1.0', '--x'],
      { kind: 'pypi', package: 'mcp-server-time', version: '1.0', args: ['--x'] },
    ],
    ['npx', ['--package', 'a', 'b'], { kind: 'config', command: 'npx' }],
    ['docker', ['run', 'x'], { kind: 'config', command: 'docker' }],
  ])('that starts %s %j is imported as what that means', (command, args, source) => {
    expect(one({ command, args }).source).toMatchObject(source);
  });

  it('turns what asks for a secret into the name of one', () => {
    expect(
      one({
        url: 'https://x.example/',
        headers: { Authorization: `Bearer ${variable('input:token')}`, 'X-Key': variable('env:KEY'), Plain: 'yes' },
      }),
    ).toMatchObject({
      source: { headers: { Plain: 'yes' } },
      grants: { secrets: { Authorization: 'token', 'X-Key': 'KEY' } },
    });
  });

  it('leaves out a server whose secret is written out, or keeps the secret', () => {
    const servers = { 'My Search': { command: 'x', env: { API_KEY: 'written-out', EMPTY_TOKEN: '' } } };
    expect(read(servers)).toMatchObject({ requests: [], skipped: [{ name: 'My Search' }], secrets: [] });
    const kept = read(servers, true);
    expect(kept).toMatchObject({
      skipped: [],
      secrets: [{ name: 'my-search.API_KEY', value: 'written-out' }],
      requests: [{ grants: { secrets: { API_KEY: 'my-search.API_KEY' }, environment: { EMPTY_TOKEN: '' } } }],
    });
    expect(JSON.stringify(kept.requests)).not.toContain('written-out');
  });

  it('says why a server cannot be taken, and takes the others', () => {
    expect(why({ command: 'x', args: [variable('input:key')] })).toContain('arguments hold a variable');
    expect(why({ command: 'x', cwd: variable('workspaceFolder') })).toContain('known to an editor only');
    expect(why({ command: 'x', envFile: '.env' })).toContain('in a file (.env)');
    expect(why({ command: 'x', env: { A: `x${variable('B')}` } })).toContain('mixes a variable');
    expect(why({ args: [] })).toContain('cannot be read');
    expect(read({ a: {}, b: { command: 'x' } })).toMatchObject({ requests: [{ name: 'b' }], skipped: [{ name: 'a' }] });
  });
});

describe('the configuration for other programs', () => {
  const stdio = (more: object = {}): Launch => ({
    kind: 'stdio',
    command: '/data/imports/x/node',
    args: ['/data/imports/x/index.js', '/data/imports/x/workspace/m.json'],
    cwd: '/data/imports/x/workspace',
    environment: { MODE: 'a' },
    secrets: { API_KEY: 'x.key' },
    network: false,
    readable: [],
    writable: [],
    ...more,
  });
  const record = (name: string, launch: Launch, more: Partial<ServerRecord> = {}): ServerRecord => ({
    name,
    title: name,
    enabled: true,
    trusted: false,
    allowPlain: false,
    protocol: 'auto',
    active: {
      versionId: '1',
      createdAt: 0,
      source: { kind: 'npm', location: 'pkg', version: '1.2.3' },
      launch,
      directory: null,
      planHash: '',
      manifest: null,
    },
    former: [],
    ...more,
  });
  const grants = {
    environment: {},
    secrets: {},
    network: false,
    readable: [],
    writable: [],
    trusted: false,
    allowPlain: false,
  };
  const npm = {
    name: 'memory',
    grants,
    source: {
      kind: 'npm' as const,
      package: '@a/memory',
      version: null,
      program: null,
      args: ['{workspace}/m.json'],
    },
  };
  const remote: Launch = {
    kind: 'http',
    url: 'https://x.example/mcp',
    headers: { Plain: 'yes' },
    secrets: { Authorization: 'token' },
    allowPrivate: false,
  };

  it('starts a package as anybody would, pinned, and names its secrets', () => {
    expect(
      writeConfig([record('memory', stdio(), { origin: npm, title: 'Memory', enabled: false })], 'mcpServers'),
    ).toEqual({
      mcpServers: {
        Memory: {
          command: 'npx',
          args: ['-y', '@a/memory@1.2.3', '/data/imports/x/workspace/m.json'],
          env: { MODE: 'a', API_KEY: variable('x.key') },
          disabled: true,
        },
      },
    });
  });

  it('asks for secrets where VS Code reads it', () => {
    expect(writeConfig([record('far', remote)], 'vscode')).toEqual({
      inputs: [{ type: 'promptString', id: 'token', description: 'token', password: true }],
      servers: {
        far: {
          type: 'http',
          url: 'https://x.example/mcp',
          headers: { Plain: 'yes', Authorization: `Bearer ${variable('input:token')}` },
        },
      },
    });
  });

  it('comes back as it was', () => {
    const exported = writeConfig(
      [
        record('memory', stdio(), { origin: npm, title: 'Memory', enabled: false }),
        record('far', remote),
        record('own', stdio({ command: '/usr/bin/x', args: ['a'] }), {
          origin: { name: 'own', grants, source: { kind: 'config', command: 'x', args: ['a'], cwd: '/srv' } },
        }),
      ],
      'mcpServers',
    );
    const { requests, skipped } = readConfig(exported, { keepSecrets: false, home: '/' });
    expect(skipped).toEqual([]);
    expect(requests).toMatchObject([
      {
        name: 'memory',
        title: 'Memory',
        disabled: true,
        source: { kind: 'npm', package: '@a/memory', version: '1.2.3' },
        grants: { environment: { MODE: 'a' }, secrets: { API_KEY: 'x.key' } },
      },
      { name: 'far', source: { headers: { Plain: 'yes' } }, grants: { secrets: { Authorization: 'token' } } },
      { name: 'own', source: { kind: 'config', command: '/usr/bin/x', args: ['a'], cwd: '/srv' } },
    ]);
  });
});

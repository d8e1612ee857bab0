import { describe, expect, it } from 'vitest';
import { EMPTY_DRAFT, fromRegistry, isComplete, nameFrom, optionsOf, toRequest } from './import-draft';

it.each([
  ['https://example.org/some/Weather_Server.git', 'weather-server'],
  ['git@example.org:some/files.git', 'files'],
  ['file:///srv/repos/notes/', 'notes'],
  ['@modelcontextprotocol/server-memory', 'server-memory'],
  ['https://mcp.linear.app/mcp', 'linear'],
  ['https://example.org/team/search', 'search'],
  ['42', ''],
  ['', ''],
])('from %s comes the name "%s"', (text, name) => {
  expect(nameFrom(text)).toBe(name);
});

describe('toRequest', () => {
  it('keeps typed secrets out of what is asked for', () => {
    const secret = { id: 0, variable: 'API_KEY', secret: 'weather.API_KEY', value: 'typed', about: '', required: true };
    const { wanted, values } = toRequest({
      ...EMPTY_DRAFT,
      kind: 'npm',
      package: '@example/weather',
      secrets: [secret, { ...secret, variable: 'KNOWN', secret: 'known', value: '' }],
      variables: [{ id: 0, name: 'MODE', value: 'fast', about: '', required: false }],
    });
    expect(values).toEqual({ 'weather.API_KEY': 'typed' });
    expect(JSON.stringify(wanted)).not.toContain('typed');
    expect(wanted).toMatchObject({
      name: 'weather',
      source: { kind: 'npm', package: '@example/weather', version: null, program: null, args: [] },
      environment: { MODE: 'fast' },
      secrets: { API_KEY: 'weather.API_KEY', KNOWN: 'known' },
    });
  });

  it('grants a remote server nothing of this machine, and sends its variables as headers', () => {
    const { wanted } = toRequest({
      ...EMPTY_DRAFT,
      kind: 'remote',
      address: 'https://mcp.example.org/mcp',
      network: true,
      readable: ['/home'],
      variables: [{ id: 0, name: 'X-Team', value: 'red', about: '', required: false }],
    });
    expect(wanted).toMatchObject({
      name: 'example',
      source: { kind: 'remote', headers: { 'X-Team': 'red' } },
      environment: {},
      network: false,
      readable: [],
    });
  });
});

it('knows what of a registry entry can be imported, and fills it in', () => {
  const value = { name: 'KEY', description: 'Yours', required: true, secret: true, value: null };
  const entry = {
    name: 'io.example/weather',
    title: 'Weather',
    description: '',
    version: '2.0.0',
    state: 'active',
    repository: null,
    updated_at: null,
    packages: [
      { kind: 'oci', identifier: 'x', version: null, args: [], environment: [] },
      {
        kind: 'npm',
        identifier: '@example/weather',
        version: '2.0.0',
        args: ['--all'],
        environment: [value, { ...value, name: 'PLACE', secret: false, value: '{place}' }],
      },
    ],
    remotes: [{ url: 'https://weather.example.org/mcp', headers: [] }],
  };
  const options = optionsOf(entry);
  expect(options).toEqual([
    { kind: 'npm', index: 1 },
    { kind: 'remote', index: 0 },
  ]);
  const draft = fromRegistry(entry, { kind: 'npm', index: 1 });
  expect(draft).toMatchObject({
    kind: 'npm',
    name: 'weather',
    package: '@example/weather',
    version: '2.0.0',
    args: ['--all'],
    variables: [{ name: 'PLACE', value: '' }],
    secrets: [{ variable: 'KEY', secret: 'weather.KEY', required: true, about: 'Yours' }],
  });
  expect(isComplete(draft)).toBe(false);
  expect(isComplete({ ...draft, variables: draft.variables.map((each) => ({ ...each, value: 'Bonn' })) })).toBe(true);
});

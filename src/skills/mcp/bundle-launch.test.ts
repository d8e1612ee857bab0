// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of manifests
import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../../test/stand-ins/bundles.js';
import { bundleLaunch } from './bundle-launch.js';
import { readBundleManifest } from './bundle-manifest.js';
import type { BundleAnswers } from './import-request.js';

const here = { platform: 'linux', home: '/home/ada' };
const launched = (more: Record<string, unknown>, answers: Partial<BundleAnswers> = {}, where = here) =>
  bundleLaunch(readBundleManifest(JSON.stringify(manifestOf(more))), { values: {}, secrets: {}, ...answers }, where);
const server = (mcp_config: Record<string, unknown>, type = 'node') => ({
  server: { type, entry_point: 'server/index.mjs', mcp_config },
});
const setting = (more: Record<string, unknown>) => ({ title: 'T', description: 'D', type: 'string', ...more });

describe('how a bundle starts', () => {
  it('is by our own node, an environment of its own, or its own file', () => {
    expect(launched({})).toMatchObject({ command: '{node}', args: ['{source}/server/index.mjs'], build: [] });
    expect(
      launched({
        server: {
          type: 'python',
          entry_point: 'main.py',
          mcp_config: { command: 'python3', args: ['${__dirname}/main.py'] },
        },
      }),
    ).toMatchObject({ command: '{env}/bin/python', args: ['{source}/main.py'], build: [{ command: ['{make-env}'] }] });
    expect(
      launched({ server: { type: 'binary', entry_point: 'bin/run', mcp_config: { command: '${__dirname}/bin/run' } } }),
    ).toMatchObject({ command: '{source}/bin/run', executables: ['bin/run'] });
    expect(launched({ server: { type: 'node', entry_point: 'server/index.mjs' } })).toMatchObject({
      args: ['{source}/server/index.mjs'],
    });
  });

  it.each<[string, readonly string[] | undefined, string, readonly string[]]>([
    ['is not said', undefined, 'python src/server.py', []],
    ['is a file', ['run', 'main.py', '--loud'], 'python main.py', ['--loud']],
    ['names its folder before', ['--directory', '${__dirname}', 'run', 'main.py'], 'python main.py', []],
    ['names its folder after', ['run', '--quiet', '--project', '${__dirname}/', '--', 'main.py'], 'python main.py', []],
    ['names python', ['run', '--python', '3.12', 'python', '${__dirname}/main.py', '-v'], 'python main.py', ['-v']],
    ['is a module', ['run', '-m', 'notes.server', '-v'], 'python -m notes.server', ['-v']],
    ['is a script of it', ['run', '--frozen', 'notes-server', '-v'], 'notes-server', ['-v']],
    ['takes an option after its file for its own', ['run', 'main.py', '--quiet'], 'python main.py', ['--quiet']],
  ])('of type uv is by Python, where what uv would run %s', (_what, args, entrypoint, own) => {
    const mcp_config = args && { command: 'uv', args };
    expect(
      launched({ server: { type: 'uv', entry_point: 'src/server.py', ...(mcp_config ? { mcp_config } : {}) } }),
    ).toMatchObject({ command: '{env}/bin/python', entrypoint, args: own, executables: [] });
  });

  it('differs by platform where it says so', () => {
    const config = server({
      command: 'node',
      args: ['usual'],
      env: { MODE: 'usual' },
      platform_overrides: { linux: { args: ['here'] }, win32: { command: 'evil.exe' } },
    });
    expect(launched(config)).toMatchObject({ args: ['here'], environment: { MODE: 'usual' } });
    expect(launched(config, {}, { ...here, platform: 'darwin' })).toMatchObject({ args: ['usual'] });
  });

  it.each<[string, Record<string, unknown>]>([
    ['a program of this machine', server({ command: '/bin/sh', args: ['-c', 'id'] }, 'binary')],
    ['a program outside of it', server({ command: '${__dirname}/../../bin/sh' }, 'binary')],
    ['a shell that calls itself node', server({ command: 'sh', args: ['-c', 'node'] })],
    ['a shell that calls itself python', server({ command: 'bash' }, 'python')],
    ['another platform', { compatibility: { platforms: ['win32', 'darwin'] } }],
    ['uv that is to do something else', server({ command: 'uv', args: ['pip', 'install', 'x'] }, 'uv')],
    ['uv with packages beside its own', server({ command: 'uv', args: ['run', '--with', 'evil', 'server.py'] }, 'uv')],
    ['uv in another folder', server({ command: 'uv', args: ['run', '--directory', '/etc', 'server.py'] }, 'uv')],
    ['uv with a file outside of it', server({ command: 'uv', args: ['run', '../server.py'] }, 'uv')],
    ['a shell that calls itself uv', server({ command: 'sh', args: ['run', 'server.py'] }, 'uv')],
    ['a placeholder nobody knows', server({ command: 'node', args: ['${PASSWORD}'] })],
    ['a setting it does not ask for', server({ command: 'node', args: ['${user_config.no}'] })],
    ['an entry outside of it', { server: { type: 'node', entry_point: '../index.mjs' } }],
    ['a newer form', { manifest_version: '9.0' }],
    ['no version', { version: undefined }],
    ['a setting named like a path', { user_config: { '../a': setting({}) } }],
    [
      'too many variables',
      server({
        command: 'node',
        env: Object.fromEntries(Array.from({ length: 101 }, (_one, index) => [`V${index}`, ''])),
      }),
    ],
  ])('with %s it is refused', (_what, more) => {
    expect(() => launched(more)).toThrow(expect.objectContaining({ code: 'mcp_import_failed' }));
  });
});

describe('what a bundle asks a person for', () => {
  const asking = {
    ...server({
      command: 'node',
      args: ['index', '${user_config.folders}', '--limit=${user_config.limit}', '${user_config.extra}'],
      env: { KEY: '${user_config.key}', LOUD: '${user_config.loud}', EXTRA: '${user_config.extra}' },
    }),
    user_config: {
      folders: setting({ type: 'directory', multiple: true, default: ['${HOME}/Desktop'] }),
      limit: setting({ type: 'number', min: 1, max: 10, required: true }),
      loud: setting({ type: 'boolean', default: false }),
      key: setting({ sensitive: true, required: true }),
      extra: setting({}),
    },
  };

  it('goes where the manifest wants it; secrets by their name alone', () => {
    expect(
      launched(asking, { values: { folders: ['/a', '/b'], limit: 5, loud: true }, secrets: { key: 'stored' } }),
    ).toMatchObject({
      args: ['index', '/a', '/b', '--limit=5'],
      environment: { LOUD: 'true' },
      secrets: { KEY: 'stored' },
      readable: ['/a', '/b'],
      missing: [],
    });
  });

  it('is named where it is missing, and defaults are filled in', () => {
    const { missing, args, environment, settings } = launched(asking);
    expect(missing).toEqual(['limit', 'key']);
    expect(args).toEqual(['index', '/home/ada/Desktop', '--limit=']);
    expect(environment).toEqual({ LOUD: 'false' });
    expect(settings.find(({ name }) => name === 'key')).toMatchObject({ sensitive: true, value: null, secret: null });
  });

  it.each<[string, Partial<BundleAnswers>]>([
    ['of another kind', { values: { limit: 'five' } }],
    ['too large', { values: { limit: 11 } }],
    ['too small', { values: { limit: 0 } }],
    ['several for one', { values: { extra: ['a', 'b'] } }],
    ['no path', { values: { folders: ['relative/path'] } }],
    ['nobody asked for', { values: { other: 'x' } }],
    ['a secret written out', { values: { key: 'sk-written-out' } }],
    ['a stored secret for what is none', { secrets: { extra: 'stored' } }],
    ['with a NUL', { values: { extra: 'a\0b' } }],
  ])('an answer that is %s is refused', (_what, answers) => {
    expect(() => launched(asking, answers)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  it.each([
    ['an argument', { args: ['--key=${user_config.key}'] }],
    ['an argument of its own', { args: ['${user_config.key}'] }],
    ['other text of a variable', { env: { URL: 'https://${user_config.key}@host' } }],
  ])('a secret in %s is refused: others could read it', (_what, more) => {
    const config = { ...server({ command: 'node', ...more }), user_config: { key: setting({ sensitive: true }) } };
    expect(() => launched(config, { secrets: { key: 'stored' } })).toThrow(
      expect.objectContaining({ code: 'mcp_import_failed' }),
    );
  });

  it('keeps what is written in an answer from becoming a placeholder', () => {
    const config = {
      ...server({ command: 'node', args: ['${user_config.extra}'] }),
      user_config: { extra: setting({}) },
    };
    expect(launched(config, { values: { extra: '${__dirname}' } }).args).toEqual(['${__dirname}']);
  });
});

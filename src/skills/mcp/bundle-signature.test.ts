import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle, manifestOf, signed } from '../../../test/stand-ins/bundles.js';
import { type BundleSignature, judgeSignature } from './bundle-signature.js';
import { findOnPath } from './isolation.js';

const openssl = findOnPath('openssl', process.env['PATH']);
const DAY_MS = 86_400_000;
let folder: string;
let dir: string;

const run = (...args: string[]) => execFileSync(openssl as string, args, { cwd: folder, stdio: 'pipe' });
const archive = bundle(manifestOf());

/** A certificate of `name`, by `issuer` or by itself, for what `uses` says. */
function certificate(
  name: string,
  { issuer, uses = 'extendedKeyUsage=codeSigning' }: { issuer?: string; uses?: string } = {},
) {
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-subj', `/CN=${name}`, '-addext', uses];
  if (issuer === undefined) return void run('req', '-x509', ...key, '-days', '30', '-out', `${name}.pem`);
  run('req', '-new', ...key, '-out', `${name}.csr`);
  const by = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial', '-copy_extensions', 'copy'];
  run('x509', '-req', '-in', `${name}.csr`, ...by, '-days', '30', '-out', `${name}.pem`);
}

const file = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const signedBy = (name: string) => signed(archive, { folder, name });
const judge = (
  bytes: Uint8Array,
  more: { openssl?: string | null; authority?: string; now?: number } = {},
): Promise<BundleSignature> =>
  judgeSignature(
    file('one.mcpb', bytes),
    {
      openssl: more.openssl === undefined ? openssl : more.openssl,
      environment: {
        PATH: process.env['PATH'],
        SSL_CERT_DIR: '/nonexistent',
        ...(more.authority ? { SSL_CERT_FILE: join(folder, `${more.authority}.pem`) } : {}),
      },
      dir,
      now: () => more.now ?? Date.now(),
    },
    new AbortController().signal,
  );

describe.skipIf(openssl === null)('the signature of a bundle', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'venom-signatures-'));
    dir = mkdtempSync(join(tmpdir(), 'venom-judged-'));
    certificate('Authority', { uses: 'basicConstraints=critical,CA:TRUE' });
    certificate('Publisher', { issuer: 'Authority' });
    certificate('Website', { issuer: 'Authority', uses: 'extendedKeyUsage=serverAuth' });
    certificate('Anybody');
  });
  afterAll(() => {
    for (const each of [folder, dir]) rmSync(each, { recursive: true, force: true });
  });

  it('is none where nothing stands behind the archive, or something else does', async () => {
    expect(await judge(archive)).toEqual({ state: 'unsigned' });
    expect(await judge(Buffer.concat([archive, Buffer.from('MCPB_SIG_V1 and no end')]))).toEqual({ state: 'unsigned' });
    expect(await judge(Buffer.from('x'))).toEqual({ state: 'unsigned' });
  });

  it('counts where it fits and an authority of this machine vouches for the signer', async () => {
    expect(await judge(signedBy('Publisher'), { authority: 'Authority' })).toEqual({
      state: 'signed',
      signer: {
        subject: 'Publisher',
        issuer: 'Authority',
        validUntil: expect.closeTo(Date.now() + 30 * DAY_MS, -6),
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
  });

  it.each([
    ['who made the certificate is who signed', 'Anybody', {}, 'self_signed'],
    ['nobody here knows who issued it', 'Publisher', {}, 'unknown_authority'],
    ['it is for websites', 'Website', { authority: 'Authority' }, 'not_for_code'],
    ['its time is over', 'Publisher', { authority: 'Authority', now: Date.now() + 31 * DAY_MS }, 'out_of_date'],
  ])('is not verified where %s, and still says a name', async (_why, name, more, reason) => {
    expect(await judge(signedBy(name), more)).toMatchObject({
      state: 'not_verified',
      reason,
      signer: { subject: name },
    });
  });

  it('is not verified, and says no name, where there is no openssl', async () => {
    expect(await judge(signedBy('Publisher'), { openssl: null })).toEqual({
      state: 'not_verified',
      reason: 'no_openssl',
      signer: null,
    });
  });

  it('of other bytes, or of none, is refused', async () => {
    const whole = signedBy('Publisher');
    const changed = Buffer.from(whole);
    changed[10] = (changed[10] ?? 0) ^ 1;
    const another = Buffer.concat([bundle(manifestOf({ version: '2.0.0' })), whole.subarray(archive.length)]);
    const nonsense = Buffer.concat([
      archive,
      Buffer.from('MCPB_SIG_V1'),
      Buffer.from([4, 0, 0, 0]),
      Buffer.from('none'),
      Buffer.from('MCPB_SIG_END'),
    ]);
    for (const bytes of [changed, another, nonsense])
      await expect(judge(bytes, { authority: 'Authority' })).rejects.toMatchObject({ code: 'mcp_import_failed' });
    expect(readdirSync(dir)).toEqual([]);
  });

  it('holds its own content for nothing', async () => {
    // A signature that carries the bytes it is of, behind an archive that has others.
    file('content', Buffer.from('what was signed'));
    run(
      ...[
        'cms',
        '-sign',
        '-binary',
        '-nodetach',
        '-in',
        'content',
        '-signer',
        'Publisher.pem',
        '-inkey',
        'Publisher.key',
      ],
      ...['-outform', 'DER', '-out', 'carrying.der'],
    );
    const block = readFileSync(join(folder, 'carrying.der'));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    const bytes = Buffer.concat([archive, Buffer.from('MCPB_SIG_V1'), length, block, Buffer.from('MCPB_SIG_END')]);
    await expect(judge(bytes, { authority: 'Authority' })).rejects.toMatchObject({ code: 'mcp_import_failed' });
  });
});

// Who signed a bundle, as far as this machine can tell. OpenSSL reads the signature (CMS, formerly PKCS#7) in a process of its
// own: whether it fits the archive's bytes, and whether an authority this machine trusts says whose it is.
import { X509Certificate } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../shared/errors.js';
import { runCommand } from '../../shared/run-command.js';
import { archiveExtent } from './bundle-archive.js';

const CHECK_MS = 30_000;
const CERTIFICATE_BYTES_MAX = 100_000;
/** Extended key usage: signing of code. */
const SIGNS_CODE = '1.3.6.1.5.5.7.3.3';

/**
 * - `unsigned`: nobody says it is theirs.
 * - `not_verified`: there is a signature, and nothing vouches for it; the names in it are whatever its maker wrote.
 * - `signed`: it fits these very bytes, and an authority this machine trusts vouches for the signer.
 */
export type BundleSignature =
  | { state: 'unsigned' }
  | { state: 'signed'; signer: BundleSigner }
  | {
      state: 'not_verified';
      reason: 'no_openssl' | 'self_signed' | 'unknown_authority' | 'out_of_date' | 'not_for_code';
      signer: BundleSigner | null;
    };

export interface BundleSigner {
  subject: string;
  issuer: string;
  /** Milliseconds since the epoch, UTC. */
  validUntil: number;
  /** SHA-256 of the certificate. */
  fingerprint: string;
}

export interface SignatureJudgeOptions {
  /** The program; null where it is not there. */
  openssl: string | null;
  /** Where the authorities of this machine are said to be. */
  environment: Readonly<Record<string, string | undefined>>;
  /** For what OpenSSL reads meanwhile. */
  dir: string;
  now: () => number;
}

/** @throws AppError `mcp_import_failed` for a signature that is not of these bytes, `cancelled` */
export async function judgeSignature(
  path: string,
  { openssl, environment, dir, now }: SignatureJudgeOptions,
  signal: AbortSignal,
): Promise<BundleSignature> {
  const { bytes, signature } = await archiveExtent(path);
  if (signature === null) return { state: 'unsigned' };
  if (openssl === null) return { state: 'not_verified', reason: 'no_openssl', signer: null };
  const folder = await mkdtemp(join(dir, 'signature-'));
  try {
    const [content, block, certificate] = ['content', 'signature', 'signer.pem'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await pipeline(createReadStream(path, { end: bytes - 1 }), createWriteStream(content, { mode: 0o600 }), { signal });
    await writeFile(block, signature, { mode: 0o600 });
    const verify = async (...more: string[]) => {
      const command = [openssl, 'cms', '-verify', '-binary', '-inform', 'DER', '-in', block, '-content', content];
      const result = await runCommand([...command, '-out', '/dev/null', ...more], {
        environment: authorities(environment),
        timeoutMs: CHECK_MS,
        signal,
      });
      signal.throwIfAborted();
      return result.ok;
    };
    if (!(await verify('-noverify', '-signer', certificate)))
      throw new AppError(
        'mcp_import_failed',
        'This bundle cannot be imported: its signature is not of these bytes. They were changed after it was signed, or it is no signature at all.',
      );
    const signer = new X509Certificate((await readFile(certificate)).subarray(0, CERTIFICATE_BYTES_MAX));
    // Which use a certificate is for is asked below: older OpenSSLs do not know that of code.
    const vouched = await verify('-purpose', 'any');
    return judged(signer, vouched, now());
  } catch (error) {
    if (signal.aborted) throw new AppError('cancelled', 'The import was cancelled.');
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function judged(certificate: X509Certificate, vouched: boolean, now: number): BundleSignature {
  const signer = {
    subject: nameIn(certificate.subject),
    issuer: nameIn(certificate.issuer),
    validUntil: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
  if (now > signer.validUntil || now < Date.parse(certificate.validFrom))
    return { state: 'not_verified', reason: 'out_of_date', signer };
  if (!vouched) {
    const reason = certificate.checkIssued(certificate) ? 'self_signed' : 'unknown_authority';
    return { state: 'not_verified', reason, signer };
  }
  if (!certificate.keyUsage?.includes(SIGNS_CODE)) return { state: 'not_verified', reason: 'not_for_code', signer };
  return { state: 'signed', signer };
}

/** What a certificate calls somebody: the common name, else the whole of it. */
const nameIn = (lines: string): string => (/^CN=(.+)$/m.exec(lines)?.[1] ?? lines.split('\n').join(', ')).slice(0, 200);

const authorities = (environment: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    ['PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'OPENSSL_CONF'].flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );

// A bundle for venom mcp import: its file is uploaded, and answers from the command line become what it asks for.
import { openAsBlob } from 'node:fs';
import { AppError } from '../../shared/errors.js';
import type { ApiClient } from '../api-client.js';

const UPLOAD_MS = 600_000;

export interface BundleSetting {
  name: string;
  type: string;
  title: string;
  required: boolean;
  sensitive: boolean;
  multiple: boolean;
  value?: unknown;
  secret?: string | null;
}

/** @returns the source of an import */
export interface BundleSignature {
  state: 'unsigned' | 'not_verified' | 'signed';
  reason: string | null;
  signer: { subject: string; issuer: string; fingerprint: string } | null;
}

const NOT_VERIFIED: Readonly<Record<string, string>> = {
  no_openssl: 'openssl is not installed here, so nobody can tell',
  self_signed: 'whoever made the certificate wrote that name',
  unknown_authority: 'this machine does not know who issued the certificate',
  out_of_date: 'its certificate is out of date',
  not_for_code: 'its certificate is not for signing code',
};

export function describeSignature({ state, reason, signer }: BundleSignature): string {
  const name = signer === null ? '' : `${signer.subject} (issued by ${signer.issuer})`;
  if (state === 'unsigned') return 'no';
  if (state === 'signed') return `yes, by ${name}`;
  const why = NOT_VERIFIED[reason ?? ''] ?? 'it could not be judged';
  return name === '' ? `not verified: ${why}` : `not verified, says ${name}: ${why}`;
}

export async function uploadBundle(
  client: ApiClient,
  file: string,
  { set, setSecret }: { set: readonly string[]; setSecret: readonly string[] },
): Promise<Record<string, unknown>> {
  let bytes: Blob;
  try {
    bytes = await openAsBlob(file, { type: 'application/octet-stream' });
  } catch (cause) {
    throw new AppError('invalid_input', `${file} cannot be read.`, { cause });
  }
  const response = await client.request('/api/v1/mcp/bundles', { method: 'POST', body: bytes }, UPLOAD_MS);
  const { bundle, manifest } = (await response.json()) as {
    bundle: string;
    manifest: { user_config: BundleSetting[] };
  };
  const values: Record<string, unknown> = {};
  for (const [name, text] of set.map((pair) => split(pair, '--set'))) {
    const setting = manifest.user_config.find((known) => known.name === name);
    const value = setting?.type === 'number' ? Number(text) : setting?.type === 'boolean' ? text === 'true' : text;
    const before = Object.hasOwn(values, name) ? [values[name]].flat() : [];
    values[name] = setting?.multiple ? [...before, value] : value;
  }
  const secrets = Object.fromEntries(setSecret.map((pair) => split(pair, '--set-secret')));
  return { kind: 'bundle', bundle, user_config: values, user_secrets: secrets };
}

/** Of a plan: what was answered, and how to answer what is missing. */
export function describeSettings(settings: readonly BundleSetting[], missing: readonly string[]): string[] {
  return settings.map(({ name, title, sensitive, value, secret }) => {
    const answered = sensitive
      ? secret
        ? `the secret ${secret}`
        : null
      : value == null
        ? null
        : JSON.stringify(value);
    const how = sensitive ? `--set-secret ${name}=SECRET` : `--set ${name}=VALUE`;
    const need = missing.includes(name) ? 'needed' : 'may be left out';
    return `  asks:     ${title}: ${answered ?? `${need}, import again with ${how}`}`;
  });
}

function split(pair: string, option: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  if (at < 1) throw new AppError('invalid_input', `${option} is written NAME=VALUE.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

// MCP bundles made by hand, so that a test can say what is in them and what is wrong with them.
import { execFileSync } from 'node:child_process';
import { crc32, deflateRawSync } from 'node:zlib';
import { zip } from './documents.js';

export interface BundleFile {
  name: string;
  text: string;
  /** Kind and rights, as Unix has them. */
  mode?: number;
  flags?: number;
  /** As the archive claims. */
  size?: number;
}

export const manifestOf = (more: Record<string, unknown> = {}) => ({
  manifest_version: '0.3',
  name: 'weather',
  version: '1.0.0',
  description: 'Tells the weather',
  author: { name: 'Somebody' },
  server: {
    type: 'node',
    entry_point: 'server/index.mjs',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a placeholder of the manifest
    mcp_config: { command: 'node', args: ['${__dirname}/server/index.mjs'], env: {} },
  },
  ...more,
});

export function archive(files: readonly BundleFile[]): Buffer {
  return zip(
    files.map(({ name, text, size, ...more }) => {
      const plain = Buffer.from(text);
      return {
        name,
        data: deflateRawSync(plain),
        method: 8 as const,
        size: size ?? plain.length,
        crc: crc32(plain),
        ...more,
      };
    }),
  );
}

export const bundle = (manifest: unknown, files: readonly BundleFile[] = []): Buffer =>
  archive([{ name: 'manifest.json', text: JSON.stringify(manifest) }, ...files]);

/** With the signature that official tools append, by the key and certificate `name` in `folder`. */
export function signed(bytes: Buffer, { folder, name }: { folder: string; name: string }): Buffer {
  const block = execFileSync(
    'openssl',
    ['cms', '-sign', '-binary', '-outform', 'DER', '-signer', `${name}.pem`, '-inkey', `${name}.key`],
    { cwd: folder, input: bytes },
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(block.length);
  return Buffer.concat([bytes, Buffer.from('MCPB_SIG_V1'), length, block, Buffer.from('MCPB_SIG_END')]);
}

// manifest.json of an MCP bundle (.mcpb, formerly .dxt), as far as it is used: what it is, how it starts, and what it asks a
// person for. Nothing of it is run.
import { z } from 'zod';
import { AppError } from '../../shared/errors.js';

const VERSIONS = ['0.1', '0.2', '0.3', '0.4'];
export const SETTING_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,99}$/;

const Text = z
  .string()
  .max(4_000)
  .refine((text) => !text.includes('\0'), 'it holds a NUL character');
const Command = {
  command: z.string().min(1).max(1_000),
  args: z.array(Text).max(100),
  env: z.record(z.string().max(128), Text).refine((env) => Object.keys(env).length <= 100, 'more than 100 variables'),
};
const McpConfig = z.object({
  command: Command.command,
  args: Command.args.default([]),
  env: Command.env.default({}),
  platform_overrides: z
    .record(z.string().max(20), z.object(Command).partial())
    .refine((overrides) => Object.keys(overrides).length <= 20, 'more than 20 platforms')
    .default({}),
});
const Setting = z.object({
  type: z.enum(['string', 'number', 'boolean', 'directory', 'file']),
  title: z.string().max(200),
  description: z.string().max(2_000).default(''),
  required: z.boolean().default(false),
  default: z.union([Text, z.number(), z.boolean(), z.array(Text).max(100)]).optional(),
  multiple: z.boolean().default(false),
  sensitive: z.boolean().default(false),
  min: z.number().optional(),
  max: z.number().optional(),
});
const Manifest = z
  .object({
    manifest_version: z.string().optional(),
    /** As it was called when bundles were. */
    dxt_version: z.string().optional(),
    name: z.string().min(1).max(200),
    display_name: z.string().max(200).optional(),
    version: z.string().min(1).max(100),
    description: z.string().max(4_000).default(''),
    author: z.object({ name: z.string().max(200) }).optional(),
    license: z.string().max(200).optional(),
    server: z.object({
      type: z.enum(['node', 'python', 'binary', 'uv']),
      entry_point: z.string().min(1).max(500),
      mcp_config: McpConfig.optional(),
    }),
    tools: z
      .array(z.object({ name: z.string().max(256) }))
      .max(1_000)
      .default([]),
    compatibility: z
      .object({
        platforms: z.array(z.string().max(20)).max(20).optional(),
        runtimes: z.record(z.string().max(20), z.string().max(100)).default({}),
      })
      .default({ runtimes: {} }),
    user_config: z
      .record(z.string().regex(SETTING_NAME), Setting)
      .refine((settings) => Object.keys(settings).length <= 50, 'more than 50 settings')
      .default({}),
  })
  .refine((manifest) => VERSIONS.includes(manifest.manifest_version ?? manifest.dxt_version ?? ''), {
    message: `its manifest_version is none of ${VERSIONS.join(', ')}`,
    path: ['manifest_version'],
  });

export type BundleManifest = z.output<typeof Manifest>;
export type BundleSetting = z.output<typeof Setting>;

/** @throws AppError `mcp_import_failed` with the first thing that is wrong */
export function readBundleManifest(text: string): BundleManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AppError('mcp_import_failed', 'This bundle cannot be imported: its manifest.json cannot be read.');
  }
  const parsed = Manifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.').slice(0, 100) || 'manifest.json';
  throw new AppError(
    'mcp_import_failed',
    `This bundle cannot be imported: ${where}: ${(issue?.message ?? 'wrong form').slice(0, 200)}.`,
  );
}

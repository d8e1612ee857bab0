// venom skills list|show|call|allow|deny|approvals|new|own|approve|enable|disable|rollback: tools that models may call, and what waits for your yes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import type * as CustomContract from '../../contract/custom-skills.js';
import type * as Contract from '../../contract/skills.js';
import { AppError } from '../../shared/errors.js';
import { newSkill } from '../../skills/custom/new-skill.js';
import type { CommandContext } from '../command-context.js';
import { openWords as visible } from '../open-words.js';
import { facts, table } from '../terminal.js';

const CALL_MS = 3_600_000;
const INPUT_CHARS = 100;

type Tool = z.output<typeof Contract.ToolItem>;
type ToolDetail = z.output<typeof Contract.ToolDetail>;
type OwnSkill = z.output<typeof CustomContract.CustomSkillItem>;
type Approval = z.output<typeof Contract.ApprovalItem>;

export interface SkillScope {
  session?: string;
}

export async function listSkills(context: CommandContext, words: readonly string[]): Promise<void> {
  const client = await context.server();
  const query = words.length > 0 ? `?${new URLSearchParams({ q: words.join(' ') })}` : '';
  const answer = await client.get<{ tools: Tool[] }>(`/api/v1/skills${query}`);
  const rows = answer.tools.map((tool) => [tool.name, tool.source.kind, tool.permission, risk(tool), tool.description]);
  context.terminal.result(
    answer,
    rows.length === 0 ? 'No tool was found.' : table(['NAME', 'FROM', 'MAY RUN', 'RISK', 'DESCRIPTION'], rows),
  );
}

export async function showSkill(context: CommandContext, name: string): Promise<void> {
  const client = await context.server();
  const { tool } = await client.get<{ tool: ToolDetail }>(`/api/v1/skills/${encodeURIComponent(name)}`);
  context.terminal.result(
    tool,
    facts([
      ['name', tool.name],
      ['description', tool.description],
      ['from', `${tool.source.kind} ${tool.source.id}`],
      ['risk', risk(tool)],
      ['may run', `${tool.permission} (${tool.permission_reason})`],
      ['hash', tool.hash],
      ['input', tool.input_schema],
    ]),
  );
}

/** Who types it wants it, so it counts as approved; a tool that was denied stays so. */
export async function callSkill(
  context: CommandContext,
  name: string,
  input: string | undefined,
  { session }: SkillScope,
): Promise<void> {
  const client = await context.server();
  const answer = await client.post<z.output<typeof Contract.CallAnswer>>(
    `/api/v1/skills/${encodeURIComponent(name)}/call`,
    { input: parsedInput(input), approved: true, ...(session ? { session_id: session } : {}) },
    CALL_MS,
  );
  context.terminal.result(answer, answer.text);
  if (answer.status === 'failed') process.exitCode = 1;
}

export async function permitSkill(
  context: CommandContext,
  name: string,
  permission: 'always' | 'ask' | 'never' | 'default',
  { session }: SkillScope,
): Promise<void> {
  const client = await context.server();
  const { tool } = await client.put<{ tool: ToolDetail }>(`/api/v1/skills/${encodeURIComponent(name)}/permission`, {
    permission,
    ...(session ? { session_id: session } : {}),
  });
  context.terminal.result(tool, `${tool.name}: ${tool.permission}`);
}

export async function listApprovals(context: CommandContext, { all }: { all?: boolean }): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ approvals: Approval[] }>(`/api/v1/skills/approvals${all ? '' : '?state=waiting'}`);
  const waiting = answer.approvals.filter(({ state }) => state === 'waiting');
  const rows = answer.approvals
    .filter(({ state }) => state !== 'waiting')
    .map((each) => [
      each.approval_id,
      each.state,
      each.tool,
      each.created_at,
      JSON.stringify(each.arguments).slice(0, INPUT_CHARS),
    ]);
  const text = [
    ...waiting.map(describeApproval),
    ...(rows.length === 0 ? [] : [table(['ID', 'STATE', 'TOOL', 'SINCE', 'INPUT'], rows)]),
  ];
  context.terminal.result(answer, text.length === 0 ? 'Nothing waits for you.' : text.join('\n\n'));
}

export async function answerApproval(context: CommandContext, id: string, decision: string): Promise<void> {
  const client = await context.server();
  const { approval } = await client.post<{ approval: Approval }>(`/api/v1/skills/approvals/${encodeURIComponent(id)}`, {
    decision,
  });
  context.terminal.result(approval, `${approval.title} (${approval.tool}): ${approval.decision}`);
}

/** In full: a person agrees to this. */
function describeApproval(approval: Approval): string {
  const { title, tool, source, claims, arguments: given, argument_titles: titles } = approval;
  const risks = [
    approval.read_only ? 'only reads' : 'may change something',
    ...(approval.egress ? ['leaves this machine'] : []),
    ...(approval.labels.length > 0 ? ['this conversation is sensitive'] : []),
    ...(approval.reason === 'definition_changed' ? ['has changed since you allowed it'] : []),
  ];
  return [
    `${visible(title)} (${tool})${source?.kind === 'mcp' ? `, a tool of the MCP server ${visible(source.title ?? source.id)}` : ''}`,
    `  waits since ${approval.created_at}`,
    `  ${risks.join(', ')}`,
    ...(claims ? [`  ${claimed(claims)}`] : []),
    ...Object.entries(given).map(([name, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `  ${visible(titles[name] ?? name)}: ${visible(text).replaceAll('\n', '\n    ')}`;
    }),
    `  answer: venom skills approvals ${approval.approval_id} once|session|always|deny`,
  ].join('\n');
}

function claimed({ read_only, destructive, open_world }: NonNullable<Approval['claims']>): string {
  const said = [
    ...(read_only === null ? [] : [read_only ? 'only reads' : 'changes something']),
    ...(destructive === null || read_only ? [] : [destructive ? 'may delete or overwrite' : 'only adds']),
    ...(open_world === null ? [] : [open_world ? 'reaches out' : 'stays within']),
  ];
  return said.length === 0
    ? 'the server does not say whether it changes anything'
    : `the server itself says, unchecked: ${said.join(', ')}`;
}

export async function listOwnSkills(context: CommandContext): Promise<void> {
  const client = await context.server();
  const answer = await client.get<{ skills: OwnSkill[] }>('/api/v1/skills/custom');
  const rows = answer.skills.map((skill) => [
    skill.name,
    skill.state,
    skill.hash?.slice(0, 12) ?? '-',
    skill.versions.map(({ hash }) => hash.slice(0, 12)).join(' ') || '-',
    skill.problem ?? skill.description,
  ]);
  context.terminal.result(
    answer,
    rows.length === 0
      ? 'No skill of your own; begin one with: venom skills new NAME'
      : table(['NAME', 'STATE', 'HASH', 'APPROVED', 'DESCRIPTION'], rows),
  );
}

/** Without a hash, to what lies there now: who types it has the files before their eyes. */
export async function approveOwnSkill(
  context: CommandContext,
  name: string,
  hash: string | undefined,
  action: 'approve' | 'rollback',
): Promise<void> {
  const client = await context.server();
  const at = `/api/v1/skills/custom/${encodeURIComponent(name)}`;
  const { skill: before } = await client.get<{ skill: OwnSkill }>(at);
  const known = [...before.versions.map((version) => version.hash), ...(before.hash ? [before.hash] : [])];
  const full = hash === undefined ? before.hash : known.find((each) => each.startsWith(hash));
  if (!full) throw new AppError('invalid_input', before.problem ?? `${name} has no version ${hash}.`);
  const { skill } = await client.post<{ skill: OwnSkill }>(`${at}/${action}`, { hash: full });
  context.terminal.result(skill, `${name} is in use at ${full.slice(0, 12)}.`);
}

export async function switchOwnSkill(context: CommandContext, name: string, to: 'enable' | 'disable'): Promise<void> {
  const client = await context.server();
  const { skill } = await client.post<{ skill: OwnSkill }>(
    `/api/v1/skills/custom/${encodeURIComponent(name)}/${to}`,
    {},
  );
  context.terminal.result(skill, `${name} is ${to}d.`);
}

/** Needs no server. */
export async function scaffoldSkill(context: CommandContext, name: string): Promise<void> {
  const { settings } = context;
  const folder = join(settings.WORKSPACE_ROOT || join(settings.VENOM_DATA_DIR, 'workspace'), 'custom', name);
  if (existsSync(folder)) throw new AppError('conflict', `${folder} exists already.`);
  const files = await newSkill(folder, name);
  context.terminal.result(
    { folder, files },
    `Wrote ${files.join(', ')} in ${folder}\nTest it: node --test ${folder}\nLet it run: venom skills approve ${name}`,
  );
}

const risk = ({ read_only, egress }: Tool): string =>
  [read_only ? 'reads' : 'changes', ...(egress ? ['goes out'] : [])].join(', ');

function parsedInput(text: string | undefined): unknown {
  try {
    return text === undefined ? {} : JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid_input', 'The input is not valid JSON.', { cause });
  }
}

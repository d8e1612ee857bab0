// GET /skills and one of them, its permission, a call by hand, and the approvals that wait.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import {
  ApprovalAnswer,
  type ApprovalItem,
  ApprovalList,
  ApprovalParams,
  ApprovalQuery,
  CallAnswer,
  CallRequest,
  DecisionRequest,
  PermissionRequest,
  SkillsQuery,
  ToolAnswer,
  type ToolItem,
  ToolList,
  ToolParams,
} from '../../contract/skills.js';
import { AppError } from '../../shared/errors.js';
import type { Owner } from '../../shared/owner.js';
import type { Approvals } from '../../skills/approvals.js';
import type { ToolDescriptor, ToolSource } from '../../skills/ports.js';
import { promptTokens } from '../../skills/prompt-tokens.js';
import type { SkillManager } from '../../skills/skill-manager.js';
import type { Approval } from '../../skills/skill-ports.js';
import type { UserGrants } from '../user-grants.js';
import { whileOpen } from '../while-open.js';
import { argumentTitles, toClaims } from './tool-claims.js';

export interface SkillsRoutesOptions {
  manager: SkillManager;
  approvals: Approvals;
  grants: UserGrants;
  /** Looks for changed skills now. */
  refresh: () => Promise<void>;
}

export const skillsRoutes: FastifyPluginAsyncZod<SkillsRoutesOptions> = async (
  app,
  { manager, approvals, grants, refresh },
) => {
  const tags = ['skills'];
  const toItem = (tool: ToolDescriptor, sessionId: string | undefined): z.output<typeof ToolItem> => {
    const { permission, reason } = manager.permissionOf(tool, sessionId ?? null);
    return {
      name: tool.name,
      title: tool.title,
      description: tool.description,
      source: toSource(tool.source),
      read_only: tool.readOnly,
      egress: tool.egress,
      claims: tool.claims ? toClaims(tool.claims) : null,
      permission,
      permission_reason: reason,
      default_permission: tool.permission,
      hash: tool.hash,
      prompt_tokens: promptTokens(tool),
    };
  };
  const toDetail = (tool: ToolDescriptor, sessionId?: string) => ({
    status: 'success' as const,
    tool: { ...toItem(tool, sessionId), input_schema: { ...tool.inputSchema } },
  });

  const shown = (approval: Approval, owner: Owner) =>
    toApproval(
      approval,
      manager.tools(owner).find(({ name }) => name === approval.tool),
    );

  app.get(
    '/skills',
    { schema: { querystring: SkillsQuery, response: { 200: ToolList }, tags } },
    async ({ query, owner }) => {
      await refresh();
      const tools = query.q === undefined ? manager.tools(owner) : manager.search(query.q, owner);
      return {
        status: 'success' as const,
        tools: tools.map((tool) => toItem(tool, query.session_id)),
        count: tools.length,
      };
    },
  );
  app.get(
    '/skills/approvals',
    { schema: { querystring: ApprovalQuery, response: { 200: ApprovalList }, tags } },
    async ({ query, owner }) => {
      const { state, session_id: sessionId, limit } = query;
      const found = approvals.list({ state, sessionId, limit, viewer: owner });
      const byName = new Map(manager.tools(owner).map((tool) => [tool.name, tool]));
      return {
        status: 'success' as const,
        approvals: found.map((each) => toApproval(each, byName.get(each.tool))),
        count: found.length,
      };
    },
  );
  app.get(
    '/skills/approvals/:approval_id',
    { schema: { params: ApprovalParams, response: { 200: ApprovalAnswer }, tags } },
    async ({ params, owner }) => ({
      status: 'success' as const,
      approval: shown(approvals.get(params.approval_id, owner), owner),
    }),
  );
  app.post(
    '/skills/approvals/:approval_id',
    { schema: { params: ApprovalParams, body: DecisionRequest, response: { 200: ApprovalAnswer }, tags } },
    async ({ params, body, owner }) => {
      const { tool: name, sessionId } = approvals.get(params.approval_id, owner);
      if (owner !== null && body.decision === 'always')
        throw new AppError('forbidden', 'Only the administrator allows a tool for everybody; answer once or session.');
      // A no is safe from whoever may say anything.
      if (owner !== null && body.decision !== 'deny') {
        const tool = manager.tool(name, owner);
        grants.requireTool(owner, tool, manager.permissionOf(tool, sessionId).permission);
      }
      return {
        status: 'success' as const,
        approval: shown(await approvals.decide(params.approval_id, body.decision), owner),
      };
    },
  );
  app.get(
    '/skills/:name',
    { schema: { params: ToolParams, querystring: SkillsQuery, response: { 200: ToolAnswer }, tags } },
    async ({ params, query, owner }) => toDetail(manager.tool(params.name, owner), query.session_id),
  );
  app.put(
    '/skills/:name/permission',
    { schema: { params: ToolParams, body: PermissionRequest, response: { 200: ToolAnswer }, tags } },
    async ({ params, body }) => {
      const tool = manager.tool(params.name, null);
      const permission = body.permission === 'default' ? null : body.permission;
      await manager.setPermission(params.name, permission, body.session_id ?? null);
      return toDetail(tool, body.session_id);
    },
  );
  app.post(
    '/skills/:name/call',
    { schema: { params: ToolParams, body: CallRequest, response: { 200: CallAnswer }, tags } },
    async ({ params, body, owner }, reply) => {
      const signal = whileOpen(reply);
      const sessionId = body.session_id ?? null;
      const tool = manager.tool(params.name, owner);
      const { permission } = manager.permissionOf(tool, sessionId);
      grants.requireTool(owner, tool, permission);
      if (!body.approved && permission === 'ask')
        throw new AppError('approval_required', `${params.name} asks first: repeat the call with approved: true.`);
      const outcome = await manager.call(
        { name: params.name, input: body.input, owner, sessionId, requestId: null, labels: [], signal },
        { approved: body.approved },
      );
      return {
        status: outcome.failed ? ('failed' as const) : ('success' as const),
        text: outcome.text,
        structured: outcome.structured,
        error_code: outcome.errorCode,
        labels: [...outcome.labels],
        untrusted: outcome.untrusted,
      };
    },
  );
};

const toSource = ({ kind, id, title }: ToolSource) => ({ kind, id, title: title ?? null });

/** @param tool  as it is now; of use where it is still the one that was asked for */
function toApproval(approval: Approval, tool: ToolDescriptor | undefined): z.output<typeof ApprovalItem> {
  const same = tool?.hash === approval.hash ? tool : undefined;
  const given = JSON.parse(approval.input) as Record<string, unknown>;
  return {
    approval_id: approval.id,
    tool: approval.tool,
    title: approval.title,
    source: same ? toSource(same.source) : null,
    description: same?.description ?? null,
    claims: same?.claims ? toClaims(same.claims) : null,
    arguments: given,
    argument_titles: same ? argumentTitles(same.inputSchema, given) : {},
    reason: approval.reason,
    read_only: approval.readOnly,
    egress: approval.egress,
    labels: [...approval.labels],
    session_id: approval.sessionId,
    request_id: approval.requestId,
    state: approval.state,
    decision: approval.decision,
    created_at: new Date(approval.createdAt).toISOString(),
    decided_at: approval.decidedAt === null ? null : new Date(approval.decidedAt).toISOString(),
  };
}

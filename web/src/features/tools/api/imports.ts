// Imports of MCP servers: asked for, looked at, agreed to, followed; and the secrets they are given.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { BundleUpload, McpPlanList, type McpPlan as McpPlanShape } from '../../../../../src/contract/mcp-servers';
import { Operation as OperationShape } from '../../../../../src/contract/models';
import { request, send } from '../../../lib/http';
import { isRunning, type Operation } from '../../../lib/operations';
import { at } from './get-servers';

export type McpPlan = z.output<typeof McpPlanShape>;

export type Bundle = z.output<typeof BundleUpload>;

export interface ImportRequest {
  name: string;
  title?: string;
  source: Record<string, unknown>;
  environment: Record<string, string>;
  secrets: Record<string, string>;
  network: boolean;
  readable: string[];
  writable: string[];
  trusted: boolean;
  allow_plain: boolean;
}

const Started = z.object({ operation: OperationShape });
const Read = z.object({
  operations: z.array(OperationShape),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
});
const SecretNames = z.object({ names: z.array(z.string()) });

export const usePlans = () =>
  useQuery({
    queryKey: ['mcp', 'plans'],
    queryFn: async ({ signal }) => (await request('/mcp/plans', McpPlanList, { signal })).plans,
    refetchInterval: 15_000,
  });

/** Asked for on its own: the list of all operations is bounded, and this one may be old. */
export const useOperation = (operationId: string) =>
  useQuery({
    queryKey: ['mcp', 'operations', operationId],
    queryFn: async ({ signal }) =>
      (await request(`/models/operations/${encodeURIComponent(operationId)}`, Started, { signal })).operation,
    refetchInterval: ({ state }) => (state.data && isRunning(state.data) ? 700 : false),
  });

export const useSecretNames = () =>
  useQuery({
    queryKey: ['mcp', 'secrets'],
    queryFn: async ({ signal }) => (await request('/mcp/secrets', SecretNames, { signal })).names,
  });

export function useStoreSecret() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, value }: { name: string; value: string }) => storeSecret(name, value),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['mcp', 'secrets'] }),
  });
}

const storeSecret = (name: string, value: string) =>
  send(`/mcp/secrets/${encodeURIComponent(name)}`, { method: 'PUT', json: { value } });

/** Values that were typed in are stored first: what is asked for names them only. */
export function useImport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ wanted, values }: { wanted: ImportRequest; values: Record<string, string> }) => {
      for (const [name, value] of Object.entries(values)) await storeSecret(name, value);
      return (await request('/mcp/import', Started, { json: wanted })).operation;
    },
    onSettled: () => refreshImports(queries),
  });
}

/** Kept by the server under its hash; nothing of it runs. */
export const useUploadBundle = () =>
  useMutation({
    mutationFn: ({ file, signal }: { file: File; signal: AbortSignal }) =>
      request('/mcp/bundles', BundleUpload, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: file,
        signal,
      }),
  });

export function useImportConfig() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (asked: { config: string; network: boolean; write_named: boolean; keep_secrets: boolean }) =>
      request('/mcp/import/config', Read, { json: asked }),
    onSettled: () => refreshImports(queries),
  });
}

export function useUpdate() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, ref, version }: { name: string; ref?: string; version?: string }) =>
      (
        await request(at(name, '/update'), Started, {
          json: { ...(ref ? { ref } : {}), ...(version ? { version } : {}) },
        })
      ).operation,
    onSettled: () => refreshImports(queries),
  });
}

export function useApprovePlan() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ plan_id: id, hash }: Pick<McpPlan, 'plan_id' | 'hash'>) =>
      (await request(`/mcp/plans/${id}/approve`, Started, { json: { hash } })).operation,
    onSettled: () => refreshImports(queries),
  });
}

export function useDiscardPlan() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (planId: string) => send(`/mcp/plans/${planId}`, { method: 'DELETE' }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => refreshImports(queries),
  });
}

export function useOperationAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, action }: { id: string; action: 'cancel' | 'retry' }) =>
      (await request(`/models/operations/${id}/${action}`, Started, { method: 'POST' })).operation,
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => refreshImports(queries),
  });
}

export const isImport = ({ runtime }: Operation): boolean => runtime === 'mcp';

const refreshImports = (queries: ReturnType<typeof useQueryClient>) =>
  Promise.all(['mcp', 'operations', 'skills'].map((key) => queries.invalidateQueries({ queryKey: [key] })));

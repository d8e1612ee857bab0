// Imported MCP servers, one of them, its tools and what it wrote to stderr; and what is done to them.
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import {
  McpLogin,
  McpServerDetail,
  type McpServerItem,
  McpServerList,
  type McpToolItem,
  McpToolList,
} from '../../../../../src/contract/mcp-servers';
import { ApiError, request, send } from '../../../lib/http';

export type McpServer = z.output<typeof McpServerItem>;
export type McpTool = z.output<typeof McpToolItem>;
export type Permission = McpTool['permission'];

/** Whether whoever looks runs it: others are told what it is, and not where it comes from. */
export const isOperated = ({ source }: McpServer): boolean => source !== null;

const Logs = z.object({ lines: z.array(z.string()) });
const Doctor = z.object({
  isolation: z.object({ best: z.enum(['sandboxed', 'namespaced', 'plain']), available: z.array(z.string()) }),
  programs: z.record(z.string(), z.string().nullable()),
  bundle_bytes_max: z.int(),
});

/** The WebSocket tells of changes of state; figures such as memory change without a word. */
const FIGURES_MS = 5_000;
const LOG_MS = 1_500;

export const at = (name: string, rest = ''): string => `/mcp/servers/${encodeURIComponent(name)}${rest}`;

export const useMcpServers = () =>
  useQuery({
    queryKey: ['mcp', 'servers'],
    queryFn: async ({ signal }) => (await request('/mcp/servers', McpServerList, { signal })).servers,
    refetchInterval: FIGURES_MS,
  });

export const useMcpServer = (name: string) =>
  useQuery({
    queryKey: ['mcp', 'servers', name],
    queryFn: ({ signal }) => request(at(name), McpServerDetail, { signal }),
    refetchInterval: ({ state }) => (state.status === 'error' ? false : FIGURES_MS),
  });

export const useServerTools = (name: string) =>
  useQuery({
    queryKey: ['mcp', 'servers', name, 'tools'],
    queryFn: async ({ signal }) => (await request(at(name, '/tools'), McpToolList, { signal })).tools,
  });

export const useServerLog = (name: string) =>
  useQuery({
    queryKey: ['mcp', 'servers', name, 'log'],
    queryFn: async ({ signal }) => (await request(at(name, '/logs'), Logs, { signal })).lines,
    refetchInterval: LOG_MS,
  });

/** What this machine can isolate, and which programs imports would find. */
export const useDoctor = () =>
  useQuery({
    queryKey: ['mcp', 'doctor'],
    queryFn: ({ signal }) => request('/mcp/doctor', Doctor, { signal }),
    staleTime: 60_000,
  });

type ServerAction = 'enable' | 'disable' | 'restart' | 'stop' | 'refresh' | 'rollback' | 'remove';

/** `restart` ends the process and starts it at once; the next call would do the second half as well. */
export function useServerAction() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, action }: { name: string; action: ServerAction }) => {
      if (action === 'remove') await send(at(name), { method: 'DELETE' });
      else if (action === 'stop') await send(at(name, '/restart'), { method: 'POST' });
      else if (action === 'restart') {
        await send(at(name, '/restart'), { method: 'POST' });
        await send(at(name, '/refresh'), { method: 'POST' });
      } else await send(at(name, `/${action}`), { method: 'POST' });
    },
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: (_data, error, { action }) => {
      // Of a server that is gone nothing is left to be asked for.
      if (action === 'remove' && !error)
        return queries.invalidateQueries({ queryKey: ['mcp', 'servers'], exact: true });
      return Promise.all(['mcp', 'skills'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    },
  });
}

/** Opens the page where a person logs in; what became of it is seen in the server's state. */
export const useLogIn = () =>
  useMutation({
    mutationFn: (name: string) => request(at(name, '/authorize'), McpLogin, { method: 'POST', json: {} }),
    onSuccess: ({ authorization_url }) => {
      // A server says where that is; a script address must not run here.
      if (/^https?:/i.test(authorization_url)) window.open(authorization_url, '_blank', 'noopener');
    },
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
  });

export function useLogOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => send(at(name, '/authorize'), { method: 'DELETE' }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['mcp'] }),
  });
}

/** A yes to a definition, bound to its hash. */
export function useApproveTool(server: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ tool, hash }: Pick<McpTool, 'tool' | 'hash'>) =>
      send(at(server, '/tools/approve'), { json: { tool, hash } }),
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => Promise.all(['mcp', 'skills'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

/** Holds for everybody who uses the server; a decision made in the chat for this tool gives way to it. */
export function useToolPermission(server: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ tool, name, permission }: { tool: string; name: string | null; permission: Permission }) => {
      await send(at(server, '/tools/permission'), { json: { tool, permission } });
      if (name !== null)
        await send(`/skills/${encodeURIComponent(name)}/permission`, {
          method: 'PUT',
          json: { permission: 'default' },
        }).catch((error) => {
          if (!(error instanceof ApiError && error.status === 404)) throw error;
        });
    },
    onError: (error) => notifications.show({ color: 'red', message: error.message }),
    onSettled: () => Promise.all(['mcp', 'skills'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

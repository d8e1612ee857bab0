// What the server tells over its WebSocket, turned into fresh data. Reconnects with growing pauses.
import type { QueryClient } from '@tanstack/react-query';
import { apiKey } from './api-key';
import { onRetryConnection, serverAnswers, tellConnection } from './connection';
import { mergeOperation, type Operation, tellEnd } from './operations';

const LONGEST_PAUSE_MS = 15_000;

/** The list, and of the conversations that are open the one that changed. */
function refreshSession(queries: QueryClient, id: unknown): void {
  const keys = typeof id === 'string' ? [['list'], ['one', id], ['messages', id], ['labels', id]] : [[]];
  for (const key of keys) void queries.invalidateQueries({ queryKey: ['sessions', ...key] });
}

export function followServerEvents(queries: QueryClient): () => void {
  let socket: WebSocket | undefined;
  let pause = 1_000;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  let missed = false;

  const connect = () => {
    clearTimeout(timer);
    const key = apiKey();
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws/events`, key ? [`venom-key.${key}`] : []);
    socket.onopen = () => {
      pause = 1_000;
      tellConnection(false);
      // What was told meanwhile, nobody heard.
      if (missed) void queries.invalidateQueries();
      missed = false;
    };
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(String(data)) as { type: string; data: Record<string, unknown> | null };
      if (event.type === 'SESSION_UPDATED') refreshSession(queries, event.data?.['session_id']);
      if (event.type === 'MODEL_OPERATION' && event.data) {
        queries.setQueryData<Operation[]>(['operations'], (former) => mergeOperation(former, event.data));
        tellEnd(event.data);
        if (event.data['completed_at'])
          for (const key of ['models', 'versions', 'adoptable', 'discover', 'loaded', 'capabilities', 'mcp', 'skills'])
            void queries.invalidateQueries({ queryKey: [key] });
      }
      if (/^(TASK|QUEUE)_|^EMERGENCY_STOP$/.test(event.type)) void queries.invalidateQueries({ queryKey: ['tasks'] });
      if (event.type.startsWith('SKILL_APPROVAL_')) void queries.invalidateQueries({ queryKey: ['approvals'] });
      if (event.type.startsWith('SKILL_QUESTION_')) void queries.invalidateQueries({ queryKey: ['questions'] });
      if (event.type === 'MCP_SERVER')
        for (const key of ['mcp', 'skills']) void queries.invalidateQueries({ queryKey: [key] });
      if (event.type === 'SERVICE_STATUS_UPDATE') void queries.invalidateQueries({ queryKey: ['servers'] });
      if (event.type === 'MODEL_STARTER' && event.data) {
        queries.setQueryData(['starter'], event.data);
        if (event.data['state'] === 'installed') void queries.invalidateQueries({ queryKey: ['models'] });
      }
    };
    socket.onclose = () => {
      if (stopped) return;
      missed = true;
      // A server that takes no WebSocket of ours, such as for want of a key, is there nevertheless.
      void serverAnswers().then((answers) => tellConnection(!answers));
      timer = setTimeout(connect, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    };
  };
  const now = () => {
    if (socket?.readyState === WebSocket.CLOSED) connect();
  };
  const seen = () => {
    if (document.visibilityState === 'visible') now();
  };
  connect();
  onRetryConnection(now);
  addEventListener('online', now);
  document.addEventListener('visibilitychange', seen);
  return () => {
    stopped = true;
    removeEventListener('online', now);
    document.removeEventListener('visibilitychange', seen);
    clearTimeout(timer);
    socket?.close();
  };
}

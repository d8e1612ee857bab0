// Rows of sessions and messages, as they are read.
import type { SessionSummary, StoredMessage, TurnEnd } from '../chat/ports.js';
import { unpackReceipt } from './packed-receipt.js';

interface MessageRow {
  pk: number;
  seq: number;
  session_id: string;
  request_id: string;
  role: StoredMessage['role'];
  content: string;
  status: StoredMessage['status'];
  model: string | null;
  error: string | null;
  usage: string | null;
  labels: string | null;
  receipt: Uint8Array | null;
  thought: string | null;
  created_at: number;
}

export const MESSAGE = `SELECT m.pk, m.seq, s.id AS session_id, m.request_id, m.role, m.content, m.status, m.model, m.error, m.usage,
  m.labels, m.receipt, m.thought, m.created_at FROM messages m JOIN sessions s ON s.pk = m.session_pk`;

export const SUMMARY = `SELECT s.id, s.title, s.created_at, s.updated_at, s.pinned_at,
  (SELECT count(*) FROM messages m WHERE m.session_pk = s.pk) AS message_count,
  (SELECT substr(m.content, 1, 160) FROM messages m WHERE m.session_pk = s.pk ORDER BY m.seq DESC LIMIT 1) AS preview
  FROM sessions s`;

/** @param row  the columns of `SUMMARY` */
export function toSummary(row: Record<string, unknown>): SessionSummary {
  return {
    sessionId: String(row['id']),
    title: String(row['title'] ?? ''),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    messageCount: Number(row['message_count']),
    preview: String(row['preview'] ?? ''),
    pinned: row['pinned_at'] !== null,
  };
}

/** What became of the parameters is part of usage and of receipt; a row keeps it once. */
export function usageBeside({ usage, receipt }: TurnEnd): string | null {
  if (!usage || !receipt || usage.ranWith !== receipt.ranWith) return json(usage);
  return JSON.stringify({ ...usage, ranWith: undefined });
}

/** @param columns  those of `MESSAGE` */
export function toMessage(columns: Record<string, unknown>): StoredMessage {
  const row = columns as unknown as MessageRow;
  const receipt = unpackReceipt(row.receipt);
  const usage = row.usage === null ? null : JSON.parse(row.usage);
  return {
    seq: row.seq,
    sessionId: row.session_id,
    requestId: row.request_id,
    role: row.role,
    content: row.content,
    status: row.status,
    model: row.model,
    error: row.error === null ? null : JSON.parse(row.error),
    usage: usage === null || 'ranWith' in usage || !receipt ? usage : { ...usage, ranWith: receipt.ranWith },
    labels: row.labels === null ? [] : JSON.parse(row.labels),
    receipt,
    thought: row.thought,
    createdAt: row.created_at,
  };
}

export const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

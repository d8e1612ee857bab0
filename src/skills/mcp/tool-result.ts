// What a tool of a server gave back, as an outcome: all kinds of content kept, text for a model to read, bounded.
import type { CallToolResult } from '@modelcontextprotocol/client';
import type { ToolOutcome } from '../ports.js';

const TEXT_CHARS = 200_000;

type Block = CallToolResult['content'][number];

export function toOutcome(result: CallToolResult, labels: readonly string[]): ToolOutcome {
  const content = Array.isArray(result.content) ? result.content : [];
  const text = content.map(blockText).join('\n');
  const beyondText = content.some(({ type }) => type !== 'text');
  const structured = result.structuredContent ?? (beyondText ? { content } : null);
  const shown = text === '' && result.structuredContent !== undefined ? JSON.stringify(result.structuredContent) : text;
  return {
    text: shown.length > TEXT_CHARS ? `${shown.slice(0, TEXT_CHARS)}\n[cut after ${TEXT_CHARS} characters]` : shown,
    structured,
    failed: result.isError === true,
    errorCode: null,
    labels,
    untrusted: true,
  };
}

function blockText(block: Block): string {
  if (block.type === 'text') return block.text;
  if (block.type === 'image' || block.type === 'audio')
    return `[${block.type} ${block.mimeType}, ${Math.floor((block.data.length * 3) / 4)} bytes]`;
  if (block.type === 'resource_link') return `[resource ${block.uri}]`;
  if (block.type === 'resource')
    return 'text' in block.resource ? String(block.resource.text) : `[resource ${block.resource.uri}]`;
  return '[content of an unknown kind]';
}

// A trace as a Mermaid sequence diagram. Text is reduced to what cannot break the diagram.
import type { RequestTrace } from '../ports.js';

const PROMPT_CHARS = 50;
const DETAIL_CHARS = 40;
const GATE = 'DecisionGate';

export const isDecisionGate = (component: string): boolean => component === GATE;

export function flowDiagram(trace: RequestTrace): string {
  const names = new Set(['User', 'Orchestrator', ...trace.steps.map(({ component }) => plain(component))]);
  const lines = ['sequenceDiagram', '    autonumber'];
  for (const name of [...names].sort()) lines.push(`    participant ${identifier(name)} as ${name}`);
  lines.push(`    User->>Orchestrator: ${plain(trace.prompt.slice(0, PROMPT_CHARS)) || 'request'}`);
  for (const { component, action, status, details } of trace.steps) {
    const detail = details ? `: ${plain(details.slice(0, DETAIL_CHARS))}` : '';
    const text = `${plain(action)}${detail}`;
    if (isDecisionGate(component)) lines.push(`    Note over ${identifier(GATE)}: ${text}`);
    else {
      const to = identifier(plain(component));
      lines.push(
        `    ${to === 'Orchestrator' ? 'User' : 'Orchestrator'}${status === 'ok' ? '->>' : '--x'}${to}: ${text}`,
      );
    }
  }
  lines.push(closing(trace));
  return lines.join('\n');
}

function closing({ status, error }: RequestTrace): string {
  switch (status) {
    case 'COMPLETED':
      return '    Orchestrator->>User: completed';
    case 'FAILED':
      return `    Orchestrator--xUser: failed ${plain(error?.code ?? '')}`.trimEnd();
    case 'LOST':
      return '    Orchestrator--xUser: lost';
    case 'PROCESSING':
      return '    Note over Orchestrator: running';
    default:
      return '    Note over Orchestrator: waiting';
  }
}

const plain = (text: string): string =>
  text
    .replace(/[^\p{L}\p{N} .,:/_-]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();

const identifier = (name: string): string => name.replace(/[^\p{L}\p{N}_]+/gu, '_') || 'Part';

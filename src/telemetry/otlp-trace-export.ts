// Sends finished requests to a collector over OTLP/HTTP. OpenTelemetry's packages are loaded here and only when this is called,
// so that a server without a collector carries none of them.
import { randomBytes } from 'node:crypto';
import type { HrTime, SpanContext } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { waitAtMost } from '../shared/wait-at-most.js';
import { type FinishedRequest, type SpanRecord, traceSpans } from './trace-spans.js';

const TIMEOUT_MS = 10_000;
const CLOSE_MS = 3_000;
const SAMPLED = 1;

export interface OtlpTraceExportOptions {
  /** Base address; the path of traces is added. */
  endpoint: string;
  /** `name=value` pairs, as the environment variable of the same purpose has them. */
  headers: readonly string[];
  serviceName: string;
  serviceVersion: string;
  withContent: boolean;
  /** How long spans are gathered. */
  delayMs?: number;
  /** A batch was refused or lost; called at most once for each time it starts. */
  onFailure: (error: unknown) => void;
}

export interface TraceExport {
  /** Never throws and never waits, whatever `gather` does. */
  export(gather: () => FinishedRequest): void;
  /** Sends what is gathered, for a few seconds at most. */
  close(): Promise<void>;
}

export async function openOtlpTraceExport(options: OtlpTraceExportOptions): Promise<TraceExport> {
  const [{ SpanKind, SpanStatusCode }, { OTLPTraceExporter }, { BatchSpanProcessor }, { resourceFromAttributes }] =
    await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/resources'),
    ]);
  const exporter = new OTLPTraceExporter({
    url: `${options.endpoint}/v1/traces`,
    headers: headersOf(options.headers),
    timeoutMillis: TIMEOUT_MS,
    concurrencyLimit: 2,
  });
  let failing = false;
  const processor = new BatchSpanProcessor({
    exporter: {
      // The processor tells nobody of a batch that was lost.
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          if (result.error && !failing) options.onFailure(result.error);
          failing = result.error !== undefined;
          done(result);
        }),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    },
    exportTimeoutMillis: TIMEOUT_MS,
    ...(options.delayMs === undefined ? {} : { scheduledDelayMillis: options.delayMs }),
  });
  const resource = resourceFromAttributes({
    'service.name': options.serviceName,
    'service.version': options.serviceVersion,
  });
  const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

  const toSpan = (record: SpanRecord, context: SpanContext, parent: SpanContext | undefined): ReadableSpan => ({
    name: record.name,
    kind: kinds[record.kind],
    spanContext: () => context,
    ...(parent ? { parentSpanContext: parent } : {}),
    startTime: hrTime(record.startMs),
    endTime: hrTime(record.endMs),
    duration: hrTime(Math.max(0, record.endMs - record.startMs)),
    status: { code: record.error === null ? SpanStatusCode.UNSET : SpanStatusCode.ERROR },
    attributes: { ...record.attributes, ...(record.error === null ? {} : { 'error.type': record.error }) },
    links: [],
    events: record.events.map(({ name, atMs, attributes }) => ({ name, time: hrTime(atMs), attributes })),
    ended: true,
    resource,
    instrumentationScope: { name: 'venom', version: options.serviceVersion },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });

  return {
    export(gather) {
      try {
        const request = gather();
        // A request's id is a trace's id: who has one finds the other.
        const traceId = request.trace.requestId.replaceAll('-', '');
        let root: SpanContext | undefined;
        for (const record of traceSpans(request, options)) {
          const context = { traceId, spanId: randomBytes(8).toString('hex'), traceFlags: SAMPLED };
          processor.onEnd(toSpan(record, context, root));
          root ??= context;
        }
      } catch (error) {
        options.onFailure(error);
      }
    },
    async close() {
      await waitAtMost(processor.shutdown(), CLOSE_MS);
    },
  };
}

function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1_000_000)];
}

function headersOf(pairs: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at > 0) headers[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim());
  }
  return headers;
}

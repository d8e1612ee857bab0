// What the server says of its own API, as a list of operations. Read loosely: a schema may hold anything.
import { useQuery } from '@tanstack/react-query';
import { z } from 'zod';
import { requestAt } from '../../../lib/http';

const Schema = z.record(z.string(), z.unknown());
export type Schema = z.infer<typeof Schema>;

const Content = z.record(z.string(), z.object({ schema: Schema.optional() })).optional();
const Operation = z.object({
  operationId: z.string(),
  tags: z.array(z.string()).default(['other']),
  summary: z.string().default(''),
  description: z.string().optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        description: z.string().optional(),
        schema: Schema.default({}),
      }),
    )
    .default([]),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string().default(''), content: Content })).default({}),
});

const ApiDocument = z.object({
  info: z.object({ version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), Schema).default({}) }).default({ schemas: {} }),
});

export interface ApiOperation extends z.infer<typeof Operation> {
  /** `get_api_v1_tasks`: what an address of the page names it by. */
  id: string;
  /** `GET /api/v1/tasks`. */
  title: string;
  method: string;
  path: string;
  tag: string;
}

export interface ApiReference {
  version: string;
  operations: ApiOperation[];
  /** What `$ref` points into. */
  schemas: Record<string, Schema>;
}

export const useApiReference = () =>
  useQuery({
    queryKey: ['reference'],
    queryFn: async ({ signal }): Promise<ApiReference> => {
      const { info, paths, components } = await requestAt('/openapi.json', ApiDocument, { signal });
      const operations = Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([name, operation]) => {
          const method = name.toUpperCase();
          const [tag = 'other'] = operation.tags;
          return { ...operation, id: operation.operationId, title: `${method} ${path}`, method, path, tag };
        }),
      );
      return { version: info.version, operations, schemas: components.schemas };
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

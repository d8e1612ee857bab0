// Every schema is zod's. Given at the start, so that Fastify does not load compilers of its own for schemas nobody writes.
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';

// Fastify's types for these know JSON schemas only.
export const compilersFactory = {
  buildValidator: () => validatorCompiler as never,
  buildSerializer: () => serializerCompiler as never,
};

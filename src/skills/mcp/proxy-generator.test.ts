import { describe, expect, it } from 'vitest';
import { compileSchema } from './compile-schema.js';
import { ProxyGenerator } from './proxy-generator.js';
import { schemaRefusal } from './schema-bounds.js';
import { definitionHash, type ServerRecord } from './server-definition.js';
import { changesOf, mergeTools } from './tool-inventory.js';
import { toolName, toolNames } from './tool-names.js';
import { typeDeclarations } from './type-declarations.js';

const permissionOf = () => 'ask' as const;

function record(tools: Readonly<Record<string, unknown>>[], trusted = false): ServerRecord {
  return {
    name: 'srv',
    title: 'srv',
    enabled: true,
    trusted,
    allowPlain: false,
    protocol: 'auto',
    former: [],
    active: {
      versionId: 'v',
      createdAt: 0,
      source: { kind: 'config', location: 'x', version: null },
      launch: { kind: 'http', url: 'https://x/', headers: {}, secrets: {}, allowPrivate: false },
      directory: null,
      planHash: '',
      manifest: {
        era: 'legacy',
        protocolVersion: '',
        discover: null,
        eraAt: 0,
        serverInfo: null,
        capabilities: {},
        tools: mergeTools([], tools, { approveAll: true, permissionOf }),
        listedAt: 0,
      },
    },
  };
}

const generate = (tools: Readonly<Record<string, unknown>>[], trusted = false) =>
  new ProxyGenerator().generate(record(tools, trusted), { egress: true });

const schema = (properties: Record<string, unknown>, more = {}) => ({ type: 'object', properties, ...more });

describe('ProxyGenerator', () => {
  it('keeps types, optional before required, and names that are no identifiers', async () => {
    const [proxy] = generate([
      {
        name: 'mix.ed-name',
        description: 'ends with \\" and """ and\nnew lines',
        inputSchema: schema({ optional: { type: 'object' }, 'a-b': { type: 'integer' } }, { required: ['a-b'] }),
      },
    ]);
    expect(proxy?.descriptor).toMatchObject({
      name: expect.stringMatching(/^srv__mix_ed-name_[0-9a-f]{10}$/),
      description: 'ends with \\" and """ and\nnew lines',
      source: { kind: 'mcp', id: 'srv' },
      permission: 'ask',
    });
    expect(await proxy?.check({ 'a-b': 3 })).toBeNull();
    expect(await proxy?.check({ 'a-b': '3' })).toBe('a-b must be integer');
    expect(await proxy?.check({})).toBe("the input must have required property 'a-b'");
  });

  it('one bad tool does not break the rest', () => {
    const names = generate([
      { name: 'twin', inputSchema: schema({}) },
      { name: 'good', inputSchema: schema({}) },
      { name: 'twin', inputSchema: schema({ other: {} }) },
      { name: 'remote', inputSchema: schema({ x: { $ref: 'https://elsewhere.example/schema.json' } }) },
      { name: 'no-object', inputSchema: { type: 'string' } },
      { name: 'proto', inputSchema: JSON.parse('{"type":"object","properties":{"__proto__":{}}}') },
    ]).map(({ descriptor }) => descriptor.name);
    expect(names).toEqual(['srv__good']);
  });

  it('believes a server that it changes nothing only where somebody vouches for it', () => {
    const tools = [{ name: 'read', inputSchema: schema({}), annotations: { readOnlyHint: true } }];
    expect(generate(tools)[0]?.descriptor.readOnly).toBe(false);
    expect(generate(tools, true)[0]?.descriptor.readOnly).toBe(true);
  });

  it('shows no characters that hide words from a person', () => {
    const hidden = String.fromCodePoint(0xe0049, 0xe0047, 0x200b, 0x202e, 0x1b);
    const [proxy] = generate([{ name: 'sly', description: `plain${hidden} text`, inputSchema: schema({}) }]);
    expect(proxy?.descriptor.description).toBe('plain text');
  });
});

describe('toolName', () => {
  it('is at most 64 characters of the allowed ones, and the same every time', () => {
    const long = 'x'.repeat(100);
    expect(toolName('srv', long)).toMatch(/^srv__x+_[0-9a-f]{10}$/);
    expect(toolName('srv', long)).toHaveLength(64);
    expect(toolName('srv', long)).toBe(toolName('srv', long));
    expect(toolName('srv', 'plain')).toBe('srv__plain');
  });

  it('keeps names apart that would look alike', () => {
    const names = toolNames('srv', ['a.b', 'a_b', 'a/b', `${'y'.repeat(80)}1`, `${'y'.repeat(80)}2`]);
    expect(new Set(names).size).toBe(5);
  });
});

describe('definitions', () => {
  const tool = {
    name: 't',
    description: 'one',
    inputSchema: { type: 'object', properties: { a: {}, b: {} } },
  };

  it('have a hash that does not depend on the order of fields and changes with any word', () => {
    const turned = { inputSchema: { properties: { b: {}, a: {} }, type: 'object' }, description: 'one', name: 't' };
    expect(definitionHash(turned)).toBe(definitionHash(tool));
    expect(definitionHash({ ...tool, description: 'two' })).not.toBe(definitionHash(tool));
    expect(definitionHash({ ...tool, inputSchema: { type: 'object' } })).not.toBe(definitionHash(tool));
  });

  it('that changed wait, and say what changed', () => {
    const first = mergeTools([], [tool], { approveAll: true, permissionOf });
    const [stored] = mergeTools(first, [{ ...tool, description: 'two' }], { approveAll: false, permissionOf });
    expect(stored && changesOf(stored)).toEqual([{ field: 'description', before: 'one', after: 'two' }]);
    expect(stored?.approved?.hash).not.toBe(stored?.hash);
    const [back] = mergeTools(stored ? [stored] : [], [tool], { approveAll: false, permissionOf });
    expect(back?.approved?.hash).toBe(back?.hash);
  });
});

describe('schemas from outside', () => {
  it('are refused when too deep or too large', () => {
    let deep: Record<string, unknown> = { type: 'object' };
    for (let level = 0; level < 10_000; level += 1) deep = { type: 'object', not: deep };
    expect(schemaRefusal(deep)).toContain('nested');
    expect(
      schemaRefusal(schema(Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`p${index}`, {}])))),
    ).toContain('parts');
  });

  it('may hold a pattern that would take for ever', () => {
    const check = compileSchema(schema({ text: { type: 'string', pattern: '^(a+)+$' } }));
    const startedAt = performance.now();
    expect(check({ text: `${'a'.repeat(40)}!` })).toContain('pattern');
    // Without an end this takes hours.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(check({ text: 'aaa' })).toBeNull();
  });

  it('of an older draft are understood too', () => {
    const check = compileSchema(
      schema(
        { pair: { type: 'array', items: [{ type: 'number' }] } },
        { $schema: 'http://json-schema.org/draft-07/schema#' },
      ),
    );
    expect(check({ pair: ['x'] })).not.toBeNull();
  });
});

describe('typeDeclarations', () => {
  it('hold nothing that a server could break out with', () => {
    const [proxy] = generate([
      {
        name: 'evil',
        description: '*/ process.exit(1) /*\u2028 `',
        inputSchema: schema(
          { '"]: never; }; process.exit(2); //': { type: 'string' }, ok: { enum: ['a*/', 'b"'] } },
          { required: ['ok'] },
        ),
      },
    ]);
    const text = typeDeclarations(proxy ? [proxy.descriptor] : []);
    expect(text.match(/\*\//g)).toHaveLength(1);
    expect(text).toContain('"\\"]: never; }; process.exit(2); //"?: string');
    expect(text).toContain('ok: "a*\\/" | "b\\""');
    expect(text).not.toMatch(/[\u2028\u2029]/);
  });
});
